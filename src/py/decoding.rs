//! Feeding and closing a `StreamDecoder`, whatever it is used for.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyList};
use pyo3::{PyTraverseError, PyVisit};

use super::connection::PyHttpConnection;
use super::failure::Failure;
use super::state::{Core, Shared, State};
use crate::decode::StreamDecoder;
use crate::delta::Sink;
use crate::http::Connection;

/// The core of a decoder, and the connection that it may read.
pub struct Decoding {
    pub shared: Shared<StreamDecoder>,
    /// Empty until the stream is over.
    finished: Py<PyList>,
    /// The connection whose body is read, where the data is what arrives on it.
    connection: OnceLock<Arc<Mutex<Connection>>>,
}

/// What a decoder is used for, and the error for using it for something else.
pub struct Purpose {
    name: &'static str,
    of_its_own: &'static str,
    /// It reports the description of the response too.
    reports_info: bool,
}

pub const DELTAS: Purpose = Purpose {
    name: "deltas",
    of_its_own: "deltas need one of their own",
    reports_info: false,
};
pub const TEXT: Purpose = Purpose {
    name: "text",
    of_its_own: "text needs one of its own",
    reports_info: false,
};
pub const RECORDS: Purpose = Purpose {
    name: "records",
    of_its_own: "records need one of their own",
    reports_info: false,
};
pub const PARTS: Purpose = Purpose {
    name: "parts",
    of_its_own: "parts need one of their own",
    reports_info: true,
};
pub const PAYLOADS: Purpose = Purpose {
    name: "payloads",
    of_its_own: "payloads need one of their own",
    reports_info: false,
};
pub const WIRE_RECORDS: Purpose = Purpose {
    name: "wire records",
    of_its_own: "wire records need one of their own",
    reports_info: true,
};

impl Core for StreamDecoder {
    fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    fn failure(&self) -> Option<Failure> {
        Some(Failure {
            error: self.failure()?.clone(),
            text: self.text().to_owned(),
            has_whole_text: self.has_whole_text(),
            deltas_seen: self.deltas_seen(),
        })
    }
}

impl Decoding {
    /// A decoder that has read nothing.
    pub fn new(py: Python<'_>, core: StreamDecoder) -> Self {
        Self {
            shared: Shared::new(core),
            finished: PyList::empty(py).unbind(),
            connection: OnceLock::new(),
        }
    }

    /// Reads the body of `connection` from now on, instead of the data itself.
    pub fn attach(&self, connection: &PyHttpConnection) -> PyResult<()> {
        let set = self.connection.set(connection.shared());
        set.map_err(|_| PyValueError::new_err("this StreamDecoder reads a connection already"))
    }

    /// The list that is empty until the stream is over.
    pub fn finished<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        self.finished.bind(py).clone()
    }

    /// Visits the kept objects for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.finished)?;
        self.shared.traverse(visit)
    }

    /// Feeds `data` to the core, and returns the value that `make` builds from `sink`.
    #[inline]
    pub fn feed_into<S: Sink, V>(
        &self,
        py: Python<'_>,
        data: &[u8],
        purpose: &Purpose,
        sink: &mut S,
        make: impl FnOnce(&mut S) -> PyResult<V>,
    ) -> PyResult<V> {
        let (_turn, mut state) = self.shared.begin(py)?;
        state.check_open()?;
        check_purpose(&mut state, purpose)?;
        if state.is_stopped() {
            drop(state);
            return Err(self.shared.stop_error(py));
        }
        match self.connection.get() {
            None => state.core.feed(data, sink),
            Some(connection) => {
                let locked = connection.lock_py_attached(py);
                let mut connection = locked.unwrap_or_else(PoisonError::into_inner);
                connection.feed(data, |piece| state.core.feed(piece, sink));
            }
        }
        let is_done = state.core.is_done();
        drop(state);
        let output = self.note_end(py, is_done).and_then(|()| make(sink));
        self.shared.pass_on(py, output)
    }

    /// Fills the list `finished` once the core is done.
    #[inline]
    fn note_end(&self, py: Python<'_>, is_done: bool) -> PyResult<()> {
        if is_done && self.finished.bind(py).is_empty() {
            self.finished.bind(py).append(true)?;
        }
        Ok(())
    }

    /// Ends the stream, and returns the value that `make` builds from `sink`; its list goes to a failure.
    pub fn close_into<'py, S: Sink, V>(
        &self,
        py: Python<'py>,
        purpose: &Purpose,
        sink: &mut S,
        make: impl FnOnce(&mut S) -> PyResult<(V, Bound<'py, PyList>)>,
    ) -> PyResult<V> {
        let (_turn, mut state) = self.shared.begin(py)?;
        check_end(&mut state, purpose)?;
        let was_open = state.begin_close();
        if state.is_stopped() {
            drop(state);
            return Err(self.shared.stop_error(py));
        }
        if was_open {
            state.core.close(sink);
        }
        let is_done = state.core.is_done();
        drop(state);
        let output = self.note_end(py, is_done).and_then(|()| make(sink));
        let (value, items) = self.shared.pass_on(py, output)?;
        self.shared.check_close(py, &items)?;
        Ok(value)
    }
}

/// Checks the purpose of a call that ends the stream.
fn check_end(state: &mut State<StreamDecoder>, purpose: &Purpose) -> PyResult<()> {
    let Some(first) = state.conflicting_kind(purpose.name) else {
        return check_purpose(state, purpose);
    };
    let close = match first {
        "text" => "close_text",
        "records" => "close_records",
        "parts" => "_close_parts",
        "payloads" => "close_payloads",
        "wire records" => "_close_wire",
        _ => "close",
    };
    let message = format!("this StreamDecoder hands out {first}: close it with {close}()");
    Err(PyValueError::new_err(message))
}

fn check_purpose(state: &mut State<StreamDecoder>, purpose: &Purpose) -> PyResult<()> {
    let Some(first) = state.conflicting_kind(purpose.name) else {
        if purpose.reports_info {
            state.core.report_info();
        }
        return Ok(());
    };
    let message = format!(
        "this StreamDecoder hands out {first}: {}",
        purpose.of_its_own
    );
    Err(PyValueError::new_err(message))
}

/// The list twice: for the result, and for the `items` of a failure.
pub fn twice(list: Bound<'_, PyList>) -> (Bound<'_, PyList>, Bound<'_, PyList>) {
    (list.clone(), list)
}

/// The records twice: for the result, and for the `items` of a failure.
pub fn with_items(
    records: Bound<'_, PyBytes>,
) -> PyResult<(Bound<'_, PyBytes>, Bound<'_, PyList>)> {
    let items = PyList::empty(records.py());
    if !records.as_bytes().is_empty() {
        items.append(&records)?;
    }
    Ok((records, items))
}
