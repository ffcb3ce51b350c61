//! `HTTPConnection`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyList, PyString};
use smallvec::SmallVec;

use super::convert::bytes;
use super::state::unpicklable;
use crate::http::request::{self, Request};
use crate::http::{Connection, Limits};

/// The client side of one HTTP/1.1 connection, without its socket.
///
/// ``request`` gives the bytes to send, ``feed_head`` and ``feed`` take the bytes that arrive, cut
/// anywhere, and ``close`` says that the server closed its side. One exchange follows the other as
/// long as the connection is ``reusable``. Nothing that a server sends raises: ``failure`` says it,
/// once, and the connection is then to be closed.
///
/// A head, interim ones (1xx) included, may have ``max_head_size`` bytes, a head and a body
/// ``max_header_count`` headers and trailers, and the trailers ``max_trailer_size`` bytes.
///
/// >>> from millstream._core import HTTPConnection
/// >>> connection = HTTPConnection()
/// >>> connection.request("GET", "/", [("host", "example.org")], b"")
/// b'GET / HTTP/1.1\r\nhost: example.org\r\n\r\n'
/// >>> rest = connection.feed_head(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHel")
/// >>> connection.status, connection.headers, connection.feed(rest)
/// (200, [('content-length', '5')], b'Hel')
/// >>> connection.feed(b"lo"), connection.ended, connection.reusable
/// (b'lo', True, True)
#[pyclass(frozen, name = "HTTPConnection", module = "millstream._core")]
pub struct PyHttpConnection(Arc<Mutex<Connection>>);

impl PyHttpConnection {
    /// The connection, for a class that reads its bodies.
    pub(super) fn shared(&self) -> Arc<Mutex<Connection>> {
        Arc::clone(&self.0)
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Connection> {
        let locked = self.0.lock_py_attached(py);
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exception for a mistake of the caller.
fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A part of a request; half a surrogate pair is refused without being shown.
fn text(part: &Bound<'_, PyString>) -> PyResult<PyBackedStr> {
    let text = PyBackedStr::try_from(part.clone());
    text.map_err(|_| value_error("a request cannot hold half a surrogate pair"))
}

/// One `bytes` object of all `parts`.
fn join_bytes<'py>(py: Python<'py>, parts: &[&[u8]]) -> PyResult<Bound<'py, PyBytes>> {
    let size = parts.iter().map(|part| part.len()).sum();
    PyBytes::new_with(py, size, |mut room| {
        for part in parts {
            let (filled, rest) = room.split_at_mut(part.len());
            filled.copy_from_slice(part);
            room = rest;
        }
        Ok(())
    })
}

#[pymethods]
impl PyHttpConnection {
    #[new]
    #[pyo3(signature = (*, max_head_size=65_536, max_header_count=128, max_trailer_size=16_384))]
    fn new(max_head_size: usize, max_header_count: usize, max_trailer_size: usize) -> Self {
        Self(Arc::new(Mutex::new(Connection::new(Limits {
            head_size: max_head_size,
            header_count: max_header_count,
            trailer_size: max_trailer_size,
        }))))
    }

    /// Return the bytes of a request, head and body, and begin its exchange.
    ///
    /// A content-length is added where there is a body, or where the method leads one to expect it.
    /// Raises ``ValueError`` for what no request may hold, without telling values, and where the
    /// connection is neither new nor ``reusable``; nothing has begun then.
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        target: &Bound<'py, PyString>,
        headers: Vec<(Bound<'py, PyString>, Bound<'py, PyString>)>,
        body: &Bound<'py, PyBytes>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (method, target) = (text(method)?, text(target)?);
        let given = headers.into_iter();
        let headers = given.map(|(name, value)| Ok((text(&name)?, text(&value)?)));
        let headers = headers.collect::<PyResult<Vec<_>>>()?;
        let headers = headers.iter().map(|(name, value)| (&**name, &**value));
        let body = body.as_bytes();
        let length = request::declared_len(&method, body);
        let made = request::head(&method, &target, headers, length).map_err(value_error)?;
        self.begin(py, &made)?;
        join_bytes(py, &[&made.head, body])
    }

    /// Read up to the end of the response head; return the bytes behind it, which ``feed`` takes.
    ///
    /// Returns ``None`` while the head is incomplete, and after a failure. Interim heads (1xx) are
    /// passed over. Once the head is complete, ``data`` comes back as it is.
    fn feed_head<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let py = data.py();
        let data = bytes(data)?;
        let rest = self.lock(py).feed_head(data.as_bytes());
        Ok(rest.map(|rest| whole_or(&data, rest)))
    }

    /// Return the bytes of the body in ``data``.
    ///
    /// Reads the rest of the head first. The call that meets a failure returns the bytes that came
    /// before it; after one, and after ``close``, nothing comes out.
    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = data.py();
        let data = bytes(data)?;
        let mut pieces = SmallVec::<[&[u8]; 8]>::new();
        self.lock(py)
            .feed(data.as_bytes(), |piece| pieces.push(piece));
        match *pieces {
            [piece] => Ok(whole_or(&data, piece)),
            _ => join_bytes(py, &pieces),
        }
    }

    /// Say that the server closed its side.
    ///
    /// That ends a body which has no other end, and is a failure inside a response.
    fn close(&self, py: Python<'_>) {
        self.lock(py).close();
    }

    /// The status of the response, or ``None`` until its head is complete.
    #[getter]
    fn status(&self, py: Python<'_>) -> Option<u16> {
        self.lock(py).head().map(|head| head.status)
    }

    /// The headers of the response in their order, names in lower case; empty until they are
    /// complete. A value that is not valid UTF-8 is read as Latin-1.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let headers = self.lock(py).head().map(|head| head.headers.clone());
        PyList::new(py, headers.unwrap_or_default())
    }

    /// Whether the response is complete.
    #[getter]
    fn ended(&self, py: Python<'_>) -> bool {
        self.lock(py).has_ended()
    }

    /// Whether another request may be sent: the response is complete, both sides keep the
    /// connection alive, and nothing has arrived behind the response.
    #[getter]
    fn reusable(&self, py: Python<'_>) -> bool {
        self.lock(py).is_reusable()
    }

    /// The ``APIConnectionError`` that made the connection unusable, or ``None``.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(message) = self.lock(py).failure().map(ToString::to_string) else {
            return Ok(None);
        };
        let errors = py.import(intern!(py, "millstream.errors"))?;
        errors
            .call_method1(intern!(py, "APIConnectionError"), (message,))
            .map(Some)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream._core.HTTPConnection>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("HTTPConnection"))
    }
}

impl PyHttpConnection {
    fn begin(&self, py: Python<'_>, made: &Request) -> PyResult<()> {
        let mut connection = self.lock(py);
        connection.begin(made.is_head).map_err(value_error)?;
        if made.is_last {
            connection.end_after_this();
        }
        Ok(())
    }
}

/// A slice of `data` as an object; all of it is `data` itself.
fn whole_or<'py>(data: &Bound<'py, PyBytes>, piece: &[u8]) -> Bound<'py, PyBytes> {
    if piece.len() == data.as_bytes().len() {
        data.clone()
    } else {
        PyBytes::new(data.py(), piece)
    }
}
