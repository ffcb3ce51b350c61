//! `SSEParser`.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use smallvec::SmallVec;

use super::convert::{Given, bytes, exception, list};
use super::event::PyServerSentEvent;
use super::state::{Shared, State, closed, unpicklable};
use crate::sse::{Event, SseParser};

#[pyclass(frozen, name = "SSEParser", module = "millstream")]
pub struct PySseParser(Shared<SseParser>);

/// Collects events as Python objects.
struct Events<'py> {
    py: Python<'py>,
    found: SmallVec<[Py<PyServerSentEvent>; 8]>,
    error: Option<PyErr>,
}

impl<'py> Events<'py> {
    fn new(py: Python<'py>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
            error: None,
        }
    }

    fn push(&mut self, event: &Event<'_>) {
        match PyServerSentEvent::from_event(self.py, event) {
            Ok(event) => self.found.push(event),
            Err(error) => self.error = Some(error),
        }
    }

    fn list(self) -> PyResult<Bound<'py, PyList>> {
        match self.error {
            Some(error) => Err(error),
            None => list(self.py, self.found),
        }
    }
}

/// Keeps the failure that the core has just met.
fn note_failure(py: Python<'_>, state: &mut State<SseParser>) -> PyResult<Option<Py<PyAny>>> {
    if let Some(error) = state.core.failure() {
        let failure = exception(py, error, "", state.core.events_seen())?;
        state.fail(failure);
    }
    Ok(state.failure(py))
}

#[pymethods]
impl PySseParser {
    #[new]
    #[pyo3(
        signature = (*, max_event_size=Given::Default, eof=Given::Default),
        text_signature = "(*, max_event_size=16777216, eof='discard')"
    )]
    fn new(max_event_size: Given<'_>, eof: Given<'_>) -> PyResult<Self> {
        let size = max_event_size.event_size()?;
        let eof = eof.option("eof", "discard", &["discard", "flush"])?;
        Ok(Self(Shared::new(SseParser::new(size, eof == "flush"))))
    }

    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = data.py();
        let data = bytes(data)?;
        let mut events = Events::new(py);
        {
            let mut state = self.0.lock(py);
            state.check_feed(py)?;
            state
                .core
                .feed(data.as_bytes(), &mut |event| events.push(&event));
            if state.core.failure().is_some() {
                note_failure(py, &mut state)?;
            }
        }
        events.list()
    }

    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut events = Events::new(py);
        let mut failure = None;
        {
            let mut state = self.0.lock(py);
            if state.check_close(py)? {
                state.core.close(&mut |event| events.push(&event));
                failure = note_failure(py, &mut state)?;
            }
        }
        closed(failure, events.list()?)
    }

    #[getter]
    fn last_event_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.0.lock(py).core.last_event_id())
    }

    #[getter]
    fn retry(&self, py: Python<'_>) -> Option<u64> {
        self.0.lock(py).core.retry()
    }

    #[getter]
    fn truncated(&self, py: Python<'_>) -> bool {
        self.0.lock(py).core.is_truncated()
    }

    #[getter]
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.lock(py).failure(py)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream.SSEParser>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("SSEParser"))
    }
}
