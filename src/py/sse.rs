//! `SSEParser`.

use pyo3::prelude::*;
use pyo3::types::PyList;
use pyo3::{PyTraverseError, PyVisit};
use smallvec::SmallVec;

use super::convert::{Argument, Make, bytes, list};
use super::event::{PlacedData, PlacedEvent, PlainEvent};
use super::failure::Failure;
use super::growing::Growing;
use super::plain::{Scratch, Span};
use super::state::{Core, Shared, unpicklable};
use crate::frames::Large;
use crate::sse::{Event, EventSink, SseParser};

/// Parses server-sent events, exactly as the WHATWG HTML specification says.
///
/// ``feed`` takes the bytes of the network reads, cut anywhere; an event comes out with the byte
/// that completes it. Bytes that are not UTF-8 become U+FFFD, one per maximal invalid subpart.
///
/// ``max_event_size`` limits what one event may hold, in bytes: the current line (a comment too)
/// plus the field values of the event so far. A parser and the event it returns take up to three times
/// as much memory. A larger event ends the parsing: ``failure`` is an ``EventTooLargeError``. ``eof`` says
/// what becomes of an event that the end of the stream leaves without its blank line: ``"discard"`` is
/// the specification's answer, ``"flush"`` dispatches it.
///
/// >>> from millstream import SSEParser
/// >>> parser = SSEParser()
/// >>> parser.feed(b"event: greeting\ndata: Hel")
/// []
/// >>> parser.feed(b"lo\n\n")
/// [ServerSentEvent(event='greeting', data='Hello', id='', retry=None)]
#[pyclass(frozen, name = "SSEParser", module = "millstream")]
pub struct PySseParser {
    shared: Shared<SseParser>,
    /// The data of a large event that has begun, as far as it was taken from the core.
    begun: Growing,
}

/// As much data of an event may wait for its end in the core, in bytes: the string that it becomes would
/// take as much again.
const HELD: usize = 1 << 19;

impl Core for SseParser {
    fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    fn failure(&self) -> Option<Failure> {
        Some(Failure {
            error: self.failure()?.clone(),
            text: String::new(),
            has_whole_text: true,
            deltas_seen: self.events_seen(),
        })
    }
}

/// Gathers events, whose objects are made afterwards.
struct Events<'a> {
    scratch: Scratch<'a>,
    found: SmallVec<[Found; 8]>,
    others: SmallVec<[PlainEvent; 1]>,
}

/// An event. Most have data and nothing else, so these are small.
#[derive(Clone, Copy)]
enum Found {
    /// One that has data and nothing else.
    Data(Span),
    /// Another one, by its number.
    Other(usize),
}

/// An event, with what it was found among, and the text that its data may be the rest of.
struct Placed<'a>(Found, &'a Events<'a>, &'a Growing);

impl Make for Placed<'_> {
    #[inline]
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Self(found, events, begun) = self;
        match found {
            Found::Data(data) => PlacedData(events.scratch.bytes(*data)).make(py),
            Found::Other(number) => {
                PlacedEvent(&events.others[*number], &events.scratch, begun).make(py)
            }
        }
    }
}

impl<'a> Events<'a> {
    /// No events yet, of a call with this data.
    #[inline]
    fn new(data: &'a [u8]) -> Self {
        Self {
            scratch: Scratch::new(data),
            found: SmallVec::new(),
            others: SmallVec::new(),
        }
    }

    /// Puts an event in that has more than data.
    #[inline(never)]
    fn push_other(&mut self, event: PlainEvent) {
        self.found.push(Found::Other(self.others.len()));
        self.others.push(event);
    }

    #[inline]
    fn list<'py>(&self, py: Python<'py>, begun: &Growing) -> PyResult<Bound<'py, PyList>> {
        let events = self.found.iter();
        list(py, events.map(|found| Placed(*found, self, begun)))
    }
}

impl EventSink for Events<'_> {
    #[inline]
    fn event(&mut self, event: Event<'_>) {
        if event.event.is_empty() && event.id.is_empty() && event.retry.is_none() {
            let data = self.scratch.push_bytes(event.data);
            self.found.push(Found::Data(data));
        } else {
            let event = PlainEvent::new(&event, &mut self.scratch);
            self.push_other(event);
        }
    }

    fn large(&mut self, event: Event<'_>, data: Large) {
        let event = PlainEvent::large(&event, &mut self.scratch, data);
        self.push_other(event);
    }
}

impl PySseParser {
    /// The events. `begun`, the beginning of the next event's data, is appended to that event's text.
    #[cold]
    fn put_together<'py>(
        &self,
        events: &Events<'_>,
        begun: Option<Large>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        let made = events.list(py, &self.begun)?;
        if let Some(begun) = begun {
            self.begun.append(py, begun.data())?;
        }
        Ok(made)
    }
}

#[pymethods]
impl PySseParser {
    #[new]
    #[pyo3(
        signature = (*, max_event_size=Argument::Default, eof=Argument::Default),
        text_signature = "(*, max_event_size=16777216, eof='discard')"
    )]
    fn new(max_event_size: Argument<'_>, eof: Argument<'_>) -> PyResult<Self> {
        let size = max_event_size.event_size()?;
        let eof = eof.option("eof", "discard", &["discard", "flush"])?;
        Ok(Self {
            shared: Shared::new(SseParser::new(size, eof == "flush")),
            begun: Growing::default(),
        })
    }

    /// Return the events that ``data`` completes.
    ///
    /// The call that meets an event too large returns what came before it and sets ``failure``.
    /// Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError`` after ``close``.
    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = data.py();
        let data = bytes(data)?;
        let mut events = Events::new(data.as_bytes());
        let (_turn, mut state) = self.shared.begin(py)?;
        state.check_open()?;
        if state.is_stopped() {
            drop(state);
            return Err(self.shared.stop_error(py));
        }
        state.core.feed(data.as_bytes(), &mut events);
        if state.core.held() > HELD {
            let begun = state.core.take_begun(HELD);
            drop(state);
            return self
                .shared
                .pass_on(py, self.put_together(&events, begun, py));
        }
        drop(state);
        self.shared.pass_on(py, events.list(py, &self.begun))
    }

    /// End the stream, and return the unfinished event if ``eof`` is ``"flush"``.
    ///
    /// Raises ``failure`` if there is one. Closing again returns an empty list.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut events = Events::new(b"");
        let (_turn, mut state) = self.shared.begin(py)?;
        if state.begin_close() {
            state.core.close(&mut events);
        }
        if state.is_stopped() {
            drop(state);
            return Err(self.shared.stop_error(py));
        }
        drop(state);
        self.shared.pass_on(py, events.list(py, &self.begun))
    }

    /// The last event ID of the stream, as of the last blank line; ``""`` at first.
    #[getter]
    fn last_event_id(&self, py: Python<'_>) -> String {
        self.shared.lock(py).core.last_event_id().to_owned()
    }

    /// The reconnection time of the stream in milliseconds, or ``None`` if it never set one.
    #[getter]
    fn retry(&self, py: Python<'_>) -> Option<u64> {
        self.shared.lock(py).core.retry()
    }

    /// Whether the stream, now closed, ended inside an event or a line. ``False`` before ``close``.
    #[getter]
    fn truncated(&self, py: Python<'_>) -> bool {
        self.shared.lock(py).core.is_truncated()
    }

    /// The error that ended the parsing, or ``None``; later calls raise it.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.shared.failure(py)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream.SSEParser>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("SSEParser"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.shared.traverse(&visit)?;
        self.begun.traverse(&visit)
    }
}
