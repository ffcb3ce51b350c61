//! Frames → events, and the encoder back.

use std::fmt;

use memchr::{memchr, memchr2};

use crate::error::Error;
use crate::frames::{Frame, Frames, Large, NextFrame};
use crate::utf8;

/// An event, as [`SseParser`] dispatches it: bytes that are still to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event type; empty stands for `message`.
    pub event: &'a [u8],
    /// The data.
    pub data: &'a [u8],
    /// The last event ID.
    pub id: &'a str,
    /// The last valid `retry` of the event's own block.
    pub retry: Option<u64>,
}

/// Receives events as they are dispatched.
pub trait EventSink {
    /// Receives one.
    fn event(&mut self, event: Event<'_>);

    /// Receives one whose data is not that of `event` but `data`, in a buffer of its own.
    fn large(&mut self, event: Event<'_>, data: Large) {
        let data = data.data();
        self.event(Event { data, ..event });
    }
}

impl<F: FnMut(Event<'_>)> EventSink for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}

/// The event parser of the specification.
///
/// ```
/// use millstream::sse::{Event, SseParser};
///
/// let mut parser = SseParser::new(1024, false);
/// let mut found = Vec::new();
/// parser.feed(b"data: a\n", &mut |event: Event<'_>| found.push(event.data.to_vec()));
/// parser.feed(b"\n", &mut |event: Event<'_>| found.push(event.data.to_vec()));
/// assert_eq!(found, [b"a"]);
/// ```
#[derive(Debug)]
pub struct SseParser {
    frames: Frames,
    last_event_id: String,
    flushes: bool,
    is_truncated: bool,
    events_seen: u64,
    failure: Option<Error>,
}

impl SseParser {
    /// A parser of events of at most `max_event_size` bytes; `flushes` dispatches an unfinished
    /// event at the end instead of discarding it.
    pub fn new(max_event_size: usize, flushes: bool) -> Self {
        Self {
            frames: Frames::new(max_event_size, None),
            last_event_id: String::new(),
            flushes,
            is_truncated: false,
            events_seen: 0,
            failure: None,
        }
    }

    /// Hands every event that `data` completes to `sink`.
    pub fn feed(&mut self, data: &[u8], sink: &mut impl EventSink) {
        let mut data = data;
        if self.failure.is_some() {
            return;
        }
        loop {
            match self.frames.next(&mut data) {
                NextFrame::More => return,
                NextFrame::TooLarge(error) => {
                    self.failure = Some(error);
                    return;
                }
                NextFrame::Frame(frame) if frame.is_large => {
                    let (event, retry) = (frame.event.to_vec(), frame.retry);
                    set_id(&frame, &mut self.last_event_id);
                    self.dispatch_large(&event, retry, sink);
                }
                NextFrame::Frame(frame) => {
                    dispatch(&frame, &mut self.last_event_id, &mut self.events_seen, sink);
                }
            }
        }
    }

    /// Reads `data` if it is one whole event with data and nothing else, and returns that event's data.
    ///
    /// `None` means that nothing was read, and that `data` is for [`Self::feed`].
    ///
    /// ```
    /// use millstream::sse::{Event, SseParser};
    ///
    /// let mut parser = SseParser::new(1024, false);
    /// parser.feed(b"\n", &mut |_: Event<'_>| ());
    /// assert_eq!(parser.feed_one(b"data: a\n\n"), Some(&b"a"[..]));
    /// assert_eq!(parser.feed_one(b"data: a\ndata: b\n\n"), None);
    /// ```
    #[inline]
    pub fn feed_one<'d>(&mut self, data: &'d [u8]) -> Option<&'d [u8]> {
        if self.failure.is_some() || !self.last_event_id.is_empty() {
            return None;
        }
        let found = self.frames.only_data(data)?;
        self.events_seen += 1;
        Some(found)
    }

    /// Ends the stream.
    pub fn close(&mut self, sink: &mut impl EventSink) {
        self.is_truncated = self.frames.is_unfinished();
        if self.failure.is_some() {
            return;
        }
        match self.frames.close(self.flushes) {
            Err(error) => self.failure = Some(error),
            Ok(Some(frame)) if self.flushes && frame.is_large => {
                let (event, retry) = (frame.event.to_vec(), frame.retry);
                set_id(&frame, &mut self.last_event_id);
                self.dispatch_large(&event, retry, sink);
            }
            Ok(Some(frame)) if self.flushes => {
                dispatch(&frame, &mut self.last_event_id, &mut self.events_seen, sink);
            }
            Ok(_) => {}
        }
    }

    /// At least as many bytes as [`Self::take_begun`] could take.
    #[inline]
    pub fn held(&self) -> usize {
        self.frames.held()
    }

    /// Takes the beginning of the unfinished event's data, if more than `held` bytes of it are here.
    ///
    /// It ends with a whole character. The event goes to [`EventSink::large`], with the rest alone. So a sink can put
    /// a large event together as it arrives, wherever it wants to have it.
    pub fn take_begun(&mut self, held: usize) -> Option<Large> {
        self.frames.take_begun(held)
    }

    fn dispatch_large(&mut self, event: &[u8], retry: Option<u64>, sink: &mut impl EventSink) {
        let data = self.frames.take_data();
        self.events_seen += 1;
        let event = Event {
            event,
            data: b"",
            id: &self.last_event_id,
            retry,
        };
        sink.large(event, data);
    }

    /// "The last event ID string of the event source."
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The reconnection time, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.frames.retry()
    }

    /// Whether the stream ended inside an event; known after [`Self::close`].
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// How many events were handed out.
    pub fn events_seen(&self) -> u64 {
        self.events_seen
    }

    /// The error that stopped the parser.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }
}

/// "Set the last event ID string of the event source to the value of the last event ID buffer."
#[inline]
fn set_id(frame: &Frame<'_>, last_event_id: &mut String) {
    if let Some(id) = frame.id {
        decode_id(id, last_event_id);
    }
}

#[inline(never)]
fn decode_id(id: &[u8], last_event_id: &mut String) {
    let id = utf8::decode(id);
    last_event_id.clear();
    last_event_id.push_str(&id);
}

/// "Dispatch the event."
#[inline]
fn dispatch(
    frame: &Frame<'_>,
    last_event_id: &mut String,
    events_seen: &mut u64,
    sink: &mut impl EventSink,
) {
    set_id(frame, last_event_id);
    // "If the data buffer is an empty string, set the data buffer and the event type buffer to the
    // empty string and return." (The buffer ends in LF where there was a field.)
    if let Some(data) = frame.data {
        *events_seen += 1;
        sink.event(Event {
            event: frame.event,
            data,
            id: last_event_id,
            retry: frame.retry,
        });
    }
}

/// The errors of encoding an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// An event type with a line end.
    Event,
    /// An ID with a line end or NUL.
    Id,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event must not contain CR or LF",
            Self::Id => "id must not contain CR, LF or NUL",
        })
    }
}

/// The fields of an event to encode; `None` leaves a field out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// Comment lines, before everything else.
    pub comment: Option<&'a [u8]>,
    /// The event type.
    pub event: Option<&'a [u8]>,
    /// The event's ID.
    pub id: Option<&'a [u8]>,
    /// The reconnection time, in milliseconds.
    pub retry: Option<u64>,
    /// The data, a `data` line for each of its lines.
    pub data: Option<&'a [u8]>,
}

/// Encodes one event; whatever the values hold, it decodes as one event.
///
/// # Errors
///
/// An event type with CR or LF; an ID with CR, LF or NUL.
///
/// ```
/// use millstream::sse::{Fields, encode};
///
/// let fields = Fields { id: Some(b"7"), data: Some(b"a\nb"), ..Fields::default() };
/// assert_eq!(encode(fields), Ok(b"id: 7\ndata: a\ndata: b\n\n".to_vec()));
/// ```
pub fn encode(fields: Fields<'_>) -> Result<Vec<u8>, EncodeError> {
    let has_line_end = |value: &[u8]| memchr2(b'\n', b'\r', value).is_some();
    if fields.event.is_some_and(has_line_end) {
        return Err(EncodeError::Event);
    }
    if fields
        .id
        .is_some_and(|id| has_line_end(id) || memchr(0, id).is_some())
    {
        return Err(EncodeError::Id);
    }
    let mut out = Vec::with_capacity(64 + fields.data.map_or(0, <[u8]>::len));
    if let Some(comment) = fields.comment {
        encode_lines(&mut out, b"", comment);
    }
    if let Some(event) = fields.event {
        encode_field(&mut out, b"event", event);
    }
    if let Some(id) = fields.id {
        encode_field(&mut out, b"id", id);
    }
    if let Some(retry) = fields.retry {
        encode_field(&mut out, b"retry", retry.to_string().as_bytes());
    }
    if let Some(data) = fields.data {
        encode_lines(&mut out, b"data", data);
    }
    out.push(b'\n');
    Ok(out)
}

fn encode_lines(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let mut rest = value;
    while let Some(end) = memchr2(b'\n', b'\r', rest) {
        encode_field(out, name, &rest[..end]);
        rest = rest[end..]
            .strip_prefix(b"\r\n")
            .unwrap_or(&rest[end + 1..]);
    }
    encode_field(out, name, rest);
}

fn encode_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    // An empty comment is the keep-alive that servers write: a colon alone.
    out.extend_from_slice(if name.is_empty() && value.is_empty() {
        b":"
    } else {
        b": "
    });
    out.extend_from_slice(value);
    out.push(b'\n');
}
