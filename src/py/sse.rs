//! `SSEParser`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList};
use pyo3::{PyTraverseError, PyVisit};

use super::convert::{Argument, bytes};
use super::event::PyServerSentEvent;
use super::events::{Class, Events};
use super::failure::Failure;
use super::growing::Growing;
use super::httpx_event::PyHttpxEvent;
use super::state::{Core, Shared, lock, unpicklable};
use crate::frames::Large;
use crate::sse::SseParser;

/// Parses server-sent events, exactly as the WHATWG HTML specification says.
///
/// >>> from millstream import SSEParser
/// >>> parser = SSEParser()
/// >>> parser.feed(b"event: greeting\ndata: Hel")
/// []
/// >>> parser.feed(b"lo\n\n")
/// [ServerSentEvent(event='greeting', data='Hello', id='', retry=None)]
///
/// ``feed`` takes the bytes of the network reads, cut anywhere; an event comes out with the byte
/// that completes it. Bytes that are not UTF-8 become U+FFFD, one per maximal invalid subpart.
///
/// ``max_event_size``
///     the most bytes of one event: the current line (a comment too) plus the field values of the event so
///     far. A parser and the event it returns take up to three times as much memory. A larger event ends the
///     parsing: ``failure`` is an :class:`~millstream.errors.EventTooLargeError`, which later calls raise.
/// ``eof``
///     what becomes of an event that the end of the stream leaves without its blank line: ``"discard"`` is
///     the specification's answer, ``"flush"`` dispatches it.
#[pyclass(frozen, name = "SSEParser", module = "millstream")]
pub struct PySseParser {
    shared: Shared<SseParser>,
    /// The data of a large event that has begun, as far as it was taken from the core.
    begun: Growing,
    /// How many bytes the counted calls read. One thread at a time makes them.
    counted: AtomicUsize,
    /// Whether an event was too large.
    has_failed: AtomicBool,
}

/// As much data of an event may wait for its end in the core, in bytes: the string that it becomes would
/// take as much again.
const HELD: usize = 1 << 19;

/// So many bytes are counted together: setting an attribute costs a third of what an event does.
const COUNTED: usize = 4096;

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

impl PySseParser {
    /// What `build` returns for the event that `data` is; `None` means that nothing was read: see [`Self::read`].
    ///
    /// Servers send events one by one, and most have data and nothing else.
    #[inline]
    fn read_one<'py, V>(
        &self,
        data: &Bound<'py, PyBytes>,
        build: impl Fn(Python<'py>, PyServerSentEvent) -> PyResult<V>,
    ) -> PyResult<Option<V>> {
        let (py, data) = (data.py(), data.as_bytes());
        // Small reads are many, and few of them start a line.
        if !data.starts_with(b"data:") {
            return Ok(None);
        }
        let (_turn, mut state) = self.shared.begin(py)?;
        if state.check_open().is_err() || state.is_stopped() {
            return Ok(None);
        }
        let Some(found) = state.core.feed_one(data) else {
            return Ok(None);
        };
        drop(state);
        let made = build(py, PyServerSentEvent::of_data(py, found));
        self.shared.pass_on(py, made).map(Some)
    }

    /// What `build` returns for the events that `data` completes.
    #[inline]
    fn read<'py, V>(
        &self,
        data: &Bound<'py, PyBytes>,
        build: impl Fn(&Events<'_>, Python<'py>, &Growing) -> PyResult<V>,
    ) -> PyResult<V> {
        let py = data.py();
        let mut events = Events::new(data.as_bytes());
        let (_turn, mut state) = self.shared.begin(py)?;
        state.check_open()?;
        if state.is_stopped() {
            drop(state);
            return Err(self.shared.stop_error(py));
        }
        state.core.feed(data.as_bytes(), &mut events);
        if state.core.has_failed() {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if state.core.held() > HELD {
            let begun = state.core.take_begun(HELD);
            drop(state);
            let made = build(&events, py, &self.begun);
            return self.shared.pass_on(py, self.put_together(made, begun, py));
        }
        drop(state);
        self.shared.pass_on(py, build(&events, py, &self.begun))
    }

    /// What was `made` of the events. `begun`, the beginning of the next event's data, is appended to that
    /// event's text.
    #[cold]
    fn put_together<V>(
        &self,
        made: PyResult<V>,
        begun: Option<Large>,
        py: Python<'_>,
    ) -> PyResult<V> {
        let made = made?;
        if let Some(begun) = begun {
            self.begun.append(py, begun.data())?;
        }
        Ok(made)
    }

    /// Whether an event was too large: `close` raises.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
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
            counted: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Return the events that ``data`` completes.
    ///
    /// The call that meets an event too large returns what came before it and sets ``failure``.
    /// Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError`` after ``close``.
    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let data = bytes(data)?;
        if let Some(found) = self.read_one(&data, PyServerSentEvent::object)? {
            return PyList::new(data.py(), [found]);
        }
        self.read(&data, |events, py, begun| {
            events.list::<PyServerSentEvent>(py, begun)
        })
    }

    /// Do what ``feed`` does, with the events of httpx-sse's interface, and count the bytes of a response.
    ///
    /// A single event is returned alone, in no list, unless one after it is too large. ``counter`` gets the number of
    /// bytes so far as its ``_num_bytes_downloaded``, about every 4 KiB; ``_counted`` is exact.
    #[pyo3(name = "_feed_counted")]
    pub fn feed_counted<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        counter: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let data = bytes(data)?;
        let before = self.counted.load(Ordering::Relaxed);
        let total = before + data.as_bytes().len();
        self.counted.store(total, Ordering::Relaxed);
        if total / COUNTED != before / COUNTED {
            counter.setattr(intern!(data.py(), "_num_bytes_downloaded"), total)?;
        }
        if let Some(found) = self.read_one(&data, PyHttpxEvent::object)? {
            return Ok(found);
        }
        self.read(&data, |events, py, begun| match events.single() {
            Some(found) if !self.has_failed() => events.object::<PyHttpxEvent>(py, found, begun),
            _ => Ok(events.list::<PyHttpxEvent>(py, begun)?.into_any()),
        })
    }

    /// The number of bytes that ``_feed_counted`` read.
    #[getter]
    fn _counted(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }

    /// Return an iterator over the events of the data that ``reads`` yields: see ``_feed_counted``.
    ///
    /// It ends with ``close``, before the next read if an event is too large.
    #[pyo3(name = "_iterate_counted")]
    fn iterate_counted(
        slf: &Bound<'_, Self>,
        reads: &Bound<'_, PyAny>,
        counter: Py<PyAny>,
    ) -> PyResult<EventReads> {
        EventReads::new(slf, reads, counter)
    }

    /// End the stream, and return the unfinished event if ``eof`` is ``"flush"``.
    ///
    /// Raises ``failure`` if there is one. Closing again returns an empty list.
    pub fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
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
        self.shared
            .pass_on(py, events.list::<PyServerSentEvent>(py, &self.begun))
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

/// The iterator over the events of a body.
#[pyclass(frozen, module = "millstream")]
pub struct EventReads {
    parser: Py<PySseParser>,
    reads: Py<PyIterator>,
    counter: Py<PyAny>,
    /// The events of a read that had several, and the number of those that came out.
    events: Mutex<Option<(Py<PyList>, usize)>>,
    /// Whether there are such events; spares most calls the lock.
    has_events: AtomicBool,
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
            events: Mutex::new(None),
            has_events: AtomicBool::new(false),
        })
    }

    /// The next event of a read that had several.
    fn next_of_list<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let mut place = lock(&self.events, py);
        let (events, at) = place.as_mut()?;
        let events = events.bind(py);
        if *at < events.len() {
            *at += 1;
            return events.get_item(*at - 1).ok();
        }
        let read = place.take();
        self.has_events.store(false, Ordering::Relaxed);
        drop(place);
        drop(read);
        None
    }

    /// Sets the events of a read.
    fn set_events(&self, events: Bound<'_, PyList>) {
        let mut place = lock(&self.events, events.py());
        let before = place.replace((events.unbind(), 0));
        self.has_events.store(true, Ordering::Relaxed);
        drop(place);
        drop(before);
    }
}

#[pymethods]
impl EventReads {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if self.has_events.load(Ordering::Relaxed)
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
                Ok(events) => self.set_events(events),
            }
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.parser)?;
        visit.call(&self.reads)?;
        visit.call(&self.counter)
    }
}
