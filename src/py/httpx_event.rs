//! The event of httpx-sse's interface, and the iterator over those of a body.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::event::PyServerSentEvent;
use super::sse::PySseParser;

/// A server-sent event of httpx-sse's interface; an argument that is empty or ``None`` is the field's default.
///
/// ``event`` is its type, ``data`` the data lines joined by LF, ``id`` the last event ID of the stream as of
/// this event, ``retry`` the reconnection time in milliseconds that came in the event's own block, or ``None``.
///
/// >>> from millstream.integrations.httpx_sse import ServerSentEvent
/// >>> ServerSentEvent(data='{"ok": true}', id="7")
/// ServerSentEvent(event='message', data='{"ok": true}', id='7')
#[pyclass(
    frozen,
    subclass,
    weakref,
    name = "ServerSentEvent",
    module = "millstream.integrations.httpx_sse"
)]
pub struct PyHttpxEvent(pub PyServerSentEvent);

/// `value`, or else `default`: an empty value counts as none.
fn or<'py>(
    py: Python<'py>,
    value: Option<Bound<'py, PyAny>>,
    default: &str,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Some(value) if value.is_truthy()? => Ok(value),
        _ => Ok(PyString::new(py, default).into_any()),
    }
}

#[pymethods]
impl PyHttpxEvent {
    #[new]
    #[pyo3(signature = (event=None, data=None, id=None, retry=None))]
    fn new<'py>(
        py: Python<'py>,
        event: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        id: Option<Bound<'py, PyAny>>,
        retry: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let (event, data, id) = (
            or(py, event, "message")?,
            or(py, data, "")?,
            or(py, id, "")?,
        );
        let fields = (event, data, id, retry).into_pyobject(py)?;
        Ok(Self(PyServerSentEvent::checked(&fields)?))
    }

    /// The event's type: ``"message"`` where the stream named none.
    #[getter]
    fn event<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.0.event(py)
    }

    /// The data lines, joined by LF.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.0.data(py)
    }

    /// The last event ID of the stream as of this event: ``""`` if it never had one.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.0.id(py)
    }

    /// The reconnection time in milliseconds from this event's own block, or ``None``.
    #[getter]
    fn retry(&self) -> Option<u64> {
        self.0.retry()
    }

    /// Return the data as JSON; raises ``json.JSONDecodeError``, a ``ValueError``, if it is not valid JSON.
    ///
    /// Lone surrogates become U+FFFD.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.json(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = vec![format!("event={}", self.event(py).repr()?)];
        for (name, text) in [("data", self.data(py)), ("id", self.id(py))] {
            if !text.is_empty()? {
                shown.push(format!("{name}={}", text.repr()?));
            }
        }
        shown.extend(self.retry().map(|retry| format!("retry={retry}")));
        Ok(format!("ServerSentEvent({})", shown.join(", ")))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), slf.get().0.fields(slf.py())?))
    }
}

/// The iterator over the events of a body.
#[pyclass(module = "millstream")]
pub struct EventReads {
    parser: Py<PySseParser>,
    reads: Py<PyIterator>,
    counter: Py<PyAny>,
    /// The events of a read that had several, and the number of those that came out.
    events: Option<(Py<PyList>, usize)>,
}

impl EventReads {
    /// The events that `parser` finds in `reads`.
    pub fn new(
        parser: &Bound<'_, PySseParser>,
        reads: &Bound<'_, PyAny>,
        counter: Py<PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            parser: parser.clone().unbind(),
            reads: reads.try_iter()?.unbind(),
            counter,
            events: None,
        })
    }

    /// The next event of a read that had several.
    fn next_of_list<'py>(&mut self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let (events, at) = self.events.as_mut()?;
        let next = events.bind(py).get_item(*at).ok();
        *at += 1;
        if next.is_none() {
            self.events = None;
        }
        next
    }
}

#[pymethods]
impl EventReads {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if self.events.is_some()
                && let Some(event) = self.next_of_list(py)
            {
                return Ok(Some(event));
            }
            let parser = self.parser.bind(py).get();
            let data = if parser.has_failed() {
                None
            } else {
                self.reads.bind(py).clone().next()
            };
            let Some(data) = data else {
                parser.close(py)?;
                return Ok(None);
            };
            let found = parser.feed_counted(&data?, self.counter.bind(py))?;
            match found.cast_into_exact::<PyList>() {
                Err(event) => return Ok(Some(event.into_inner())),
                Ok(events) => self.events = Some((events.unbind(), 0)),
            }
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.parser)?;
        visit.call(&self.reads)?;
        visit.call(&self.counter)
    }
}
