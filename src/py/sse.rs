//! `SSEParser`.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use smallvec::SmallVec;

use super::convert::{Given, bytes, exception, list};
use super::event::PyServerSentEvent;
use super::state::{Shared, State, unpicklable};
use crate::sse::{Event, SseParser};

/// Parses server-sent events, exactly as the WHATWG HTML specification says.
///
/// ``feed`` takes the bytes of the network reads, cut anywhere; an event comes out with the byte
/// that completes it. Bytes that are not UTF-8 become U+FFFD, one per maximal invalid subpart.
///
/// ``max_event_size`` limits what one event may hold, in bytes: the current line (a comment too)
/// plus the field values of the event so far. ``eof`` says what becomes of an event that the end of
/// the stream leaves without its blank line: ``"discard"`` is the specification's answer,
/// ``"flush"`` dispatches it.
///
/// >>> from millstream import SSEParser
/// >>> parser = SSEParser()
/// >>> parser.feed(b"event: greeting\ndata: Hel")
/// []
/// >>> parser.feed(b"lo\n\n")
/// [ServerSentEvent(event='greeting', data='Hello', id='', retry=None)]
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
fn note_failure(py: Python<'_>, state: &mut State<SseParser>) -> PyResult<()> {
    state.fail(|core| Some(exception(py, core.failure()?, "", core.events_seen())))
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

    /// Return the events that ``data`` completes.
    ///
    /// The call that meets an event too large returns what came before it and sets ``failure``.
    /// Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError`` after ``close``.
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
            note_failure(py, &mut state)?;
        }
        events.list()
    }

    /// Say that the stream ended, and return the unfinished event if ``eof`` is ``"flush"``.
    ///
    /// Raises ``failure`` if there is one. Closing again returns an empty list.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut events = Events::new(py);
        {
            let mut state = self.0.lock(py);
            if state.begin_close() {
                state.core.close(&mut |event| events.push(&event));
                note_failure(py, &mut state)?;
            }
            state.check_sound(py)?;
        }
        events.list()
    }

    /// The last event ID of the stream, as of the last blank line; ``""`` at first.
    #[getter]
    fn last_event_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.0.lock(py).core.last_event_id())
    }

    /// The reconnection time of the stream in milliseconds, or ``None`` if it never set one.
    #[getter]
    fn retry(&self, py: Python<'_>) -> Option<u64> {
        self.0.lock(py).core.retry()
    }

    /// Whether the stream, now closed, ended inside an event or a line. ``False`` before ``close``.
    #[getter]
    fn truncated(&self, py: Python<'_>) -> bool {
        self.0.lock(py).core.is_truncated()
    }

    /// The error that ended the parsing, or ``None``; later calls raise it.
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
