//! The event of httpx-sse's interface.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::event::PyServerSentEvent;

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
