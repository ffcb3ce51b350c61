//! `StreamDecoder`: the bytes of a provider's stream in, deltas out.

use std::borrow::Cow;

use crate::delta::choices::{Choices, Outlet};
use crate::delta::known::KnownPayloads;
use crate::delta::openai::{Payload, Shape};
use crate::delta::{Delta, Sink};
use crate::error::{Error, FRAME_SIZE, cut};
use crate::frames::{Frame, Frames, Next};
use crate::json::{self, Invalid, Reader};
use crate::utf8;

/// The formats spoken here, by the names of the wire vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `openai.completions`
    OpenAiCompletions,
    /// `openai.chat`
    OpenAiChat,
}

impl Format {
    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "openai.completions" => Some(Self::OpenAiCompletions),
            "openai.chat" => Some(Self::OpenAiChat),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiChat => "openai.chat",
        }
    }

    fn shape(self, is_body: bool) -> Shape {
        match (self, is_body) {
            (Self::OpenAiCompletions, _) => Shape::Completions,
            (Self::OpenAiChat, false) => Shape::Chat,
            (Self::OpenAiChat, true) => Shape::ChatBody,
        }
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With the sentinel.
    Done,
    /// The provider sent an error.
    Error,
    /// With the body, every choice finished.
    Eof,
    /// With the body, a choice unfinished or none begun.
    Truncated,
}

impl Ended {
    /// Its name in the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "[DONE]",
            Self::Error => "error",
            Self::Eof => "eof",
            Self::Truncated => "truncated",
        }
    }
}

/// What the body turned out to be.
#[derive(Debug)]
enum Body {
    /// Nothing but white space yet, behind so many bytes of a BOM.
    Unknown { bom: usize },
    /// An event stream.
    Events,
    /// One JSON document, kept until the end.
    Document { text: Vec<u8>, offset: u64 },
    /// HTML, kept until there is enough to show.
    Markup { text: Vec<u8>, offset: u64 },
}

/// Decodes a provider's stream.
///
/// ```
/// use millstream::decode::{Format, StreamDecoder};
/// use millstream::delta::{Delta, Sink};
///
/// struct Print;
/// impl Sink for Print {
///     fn delta(&mut self, delta: &Delta<'_>) {
///         assert_eq!(delta.text.as_deref(), Some("Hi"));
///     }
/// }
///
/// let mut decoder = StreamDecoder::new(Format::OpenAiCompletions, true, 1 << 24);
/// decoder.feed(b"data: {\"choices\":[{\"text\":\"Hi\"}]}\n\n", &mut Print);
/// assert_eq!(decoder.text(), "Hi");
/// ```
#[derive(Debug)]
pub struct StreamDecoder {
    body: Body,
    frames: Frames,
    /// How many bytes arrived while the body was unknown.
    sniffed: u64,
    max_event_size: usize,
    deltas: Deltas,
}

impl StreamDecoder {
    /// A decoder at the start of a stream; `joins` says whether split surrogate pairs are joined.
    pub fn new(format: Format, joins: bool, max_event_size: usize) -> Self {
        Self {
            body: Body::Unknown { bom: 0 },
            frames: Frames::new(max_event_size, true),
            sniffed: 0,
            max_event_size,
            deltas: Deltas {
                format,
                known: KnownPayloads::default(),
                compares: true,
                choices: Choices::new(joins),
                outlet: Outlet::default(),
                usage: None,
                error: None,
                ended: None,
                failure: None,
            },
        }
    }

    /// Reads every payload whole from now on, instead of comparing it with those before: slower,
    /// with the same result. It is what the comparison is held against.
    #[must_use]
    pub fn reading_whole(mut self) -> Self {
        self.deltas.compares = false;
        self
    }

    /// Hands everything that `data` completes to `sink`.
    pub fn feed(&mut self, data: &[u8], sink: &mut impl Sink) {
        if self.is_done() {
            return;
        }
        let mut data = data;
        if let Body::Unknown { .. } = self.body {
            let (space, rest) = data.split_at(self.sniff(data));
            self.events(space, sink);
            if self.is_done() {
                return;
            }
            data = rest;
        }
        match &mut self.body {
            Body::Unknown { .. } => {}
            Body::Events => self.events(data, sink),
            Body::Document { text, offset } => {
                let room = self.max_event_size - text.len();
                text.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    let (limit, offset, frame) = (self.max_event_size, *offset, text);
                    frame.extend(data.get(room));
                    let error = Error::EventTooLarge {
                        limit,
                        offset,
                        frame: cut(frame),
                    };
                    self.deltas.fail(error, sink);
                }
            }
            Body::Markup { text, offset } => {
                let room = FRAME_SIZE - text.len();
                text.extend_from_slice(&data[..data.len().min(room)]);
                if text.len() == FRAME_SIZE {
                    let error = Error::NotAStream {
                        offset: *offset,
                        frame: text.clone(),
                    };
                    self.deltas.fail(error, sink);
                }
            }
        }
    }

    /// Ends the stream.
    pub fn close(&mut self, sink: &mut impl Sink) {
        if self.is_done() {
            return;
        }
        match std::mem::replace(&mut self.body, Body::Events) {
            Body::Unknown { .. } | Body::Events => match self.frames.close(true) {
                Err(error) => self.deltas.fail(error, sink),
                Ok(Some(frame)) => self.deltas.last_frame(&frame, sink),
                Ok(None) => {}
            },
            Body::Document { text, offset } => self.deltas.document(&text, offset, sink),
            Body::Markup { text, offset } => {
                self.deltas.fail(
                    Error::NotAStream {
                        offset,
                        frame: text,
                    },
                    sink,
                );
            }
        }
        if !self.is_done() {
            let is_whole = self.deltas.choices.are_finished();
            self.deltas.end(
                if is_whole {
                    Ended::Eof
                } else {
                    Ended::Truncated
                },
                sink,
            );
        }
    }

    /// Whether nothing more can come out: the stream ended or failed.
    pub fn is_done(&self) -> bool {
        self.deltas.ended.is_some() || self.deltas.failure.is_some()
    }

    /// How the stream ended.
    pub fn ended(&self) -> Option<Ended> {
        self.deltas.ended
    }

    /// What stopped the decoder.
    pub fn failure(&self) -> Option<&Error> {
        self.deltas.failure.as_ref()
    }

    /// Choice 0's text so far.
    pub fn text(&self) -> &str {
        &self.deltas.outlet.text
    }

    /// How many deltas came out.
    pub fn deltas_seen(&self) -> u64 {
        self.deltas.outlet.deltas_seen
    }

    /// Choice 0's finish reason.
    pub fn finish_reason(&self) -> Option<&str> {
        self.deltas.choices.finish_reason()
    }

    /// The last usage object, as JSON text.
    pub fn usage(&self) -> Option<&str> {
        self.deltas.usage.as_deref()
    }

    /// The provider's error, as JSON text.
    pub fn error(&self) -> Option<&str> {
        self.deltas.error.as_deref()
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.deltas.format
    }

    fn events(&mut self, data: &[u8], sink: &mut impl Sink) {
        let mut data = data;
        while !self.is_done() {
            match self.frames.next(&mut data) {
                Next::More => return,
                Next::Failed(error) => self.deltas.fail(error, sink),
                Next::Frame(frame) => self.deltas.frame(&frame, sink),
            }
        }
    }

    /// Looks for the first byte that is no white space, which says what the body is. Returns how
    /// many bytes stand before it.
    fn sniff(&mut self, data: &[u8]) -> usize {
        let Body::Unknown { bom } = &mut self.body else {
            return 0;
        };
        for (at, byte) in data.iter().enumerate() {
            let position = self.sniffed + at as u64;
            match byte {
                _ if *bom as u64 == position && b"\xEF\xBB\xBF".get(*bom) == Some(byte) => {
                    *bom += 1;
                }
                b' ' | b'\t' | b'\r' | b'\n' if matches!(bom, 0 | 3) => {}
                b'{' if matches!(bom, 0 | 3) => {
                    self.body = Body::Document {
                        text: Vec::new(),
                        offset: position,
                    };
                    return at;
                }
                b'<' if matches!(bom, 0 | 3) => {
                    self.body = Body::Markup {
                        text: Vec::new(),
                        offset: position,
                    };
                    return at;
                }
                _ => {
                    self.body = Body::Events;
                    return at;
                }
            }
        }
        self.sniffed += data.len() as u64;
        data.len()
    }
}

/// Frames → deltas: what a decoder knows of its stream.
#[derive(Debug)]
struct Deltas {
    format: Format,
    known: KnownPayloads,
    compares: bool,
    choices: Choices,
    outlet: Outlet,
    usage: Option<String>,
    error: Option<String>,
    ended: Option<Ended>,
    failure: Option<Error>,
}

impl Deltas {
    fn frame(&mut self, frame: &Frame<'_>, sink: &mut impl Sink) {
        if let Some(data) = frame.data {
            let text = utf8::decode(data);
            match trim(&text) {
                text if frame.event == b"error" => self.provider_error(&reported(text), sink),
                "" => {}
                "[DONE]" => self.end(Ended::Done, sink),
                text => self.text_payload(text, frame.offset, data, sink),
            }
        }
        if let (Some(error), None, None) = (frame.error, self.ended, &self.failure) {
            let text = utf8::decode(error);
            self.provider_error(&reported(trim(&text)), sink);
        }
    }

    /// A payload of the stream: compared with the known ones, else read whole.
    fn text_payload(&mut self, text: &str, offset: u64, data: &[u8], sink: &mut impl Sink) {
        if let Some(increment) = self.known.read(text) {
            return self
                .choices
                .take_increment(&increment, &mut self.outlet, sink);
        }
        let mut reader = Reader::new(text);
        let mut payload = Payload::default();
        match payload.read(&mut reader, self.format.shape(false)) {
            Ok(()) => {
                if self.compares {
                    self.known.learn(text, &payload, &reader);
                }
                self.payload(&payload, sink);
            }
            Err(Invalid) => self.fail(
                Error::FrameNotJson {
                    offset,
                    frame: cut(data),
                },
                sink,
            ),
        }
    }

    /// A frame whose blank line is missing counts if it is whole in itself.
    fn last_frame(&mut self, frame: &Frame<'_>, sink: &mut impl Sink) {
        let is_error = frame.event == b"error";
        let is_whole = |data: &&[u8]| {
            let text = utf8::decode(data);
            let text = trim(&text);
            (text == "[DONE]" && !is_error) || json::is_valid(text)
        };
        let data = frame.data.filter(is_whole);
        let error = frame
            .error
            .filter(|error| json::is_valid(trim(&utf8::decode(error))));
        self.frame(
            &Frame {
                data,
                error,
                ..*frame
            },
            sink,
        );
    }

    fn document(&mut self, data: &[u8], offset: u64, sink: &mut impl Sink) {
        let text = utf8::decode(data);
        let mut payload = Payload::default();
        match payload.read(&mut Reader::new(&text), self.format.shape(true)) {
            Ok(()) => self.payload(&payload, sink),
            Err(Invalid) => self.fail(
                Error::BodyNotJson {
                    offset,
                    frame: cut(data),
                },
                sink,
            ),
        }
    }

    fn payload(&mut self, payload: &Payload<'_>, sink: &mut impl Sink) {
        for choice in &payload.choices {
            self.choices.take(choice, &mut self.outlet, sink);
        }
        if let Some(usage) = payload.usage() {
            self.usage = Some(usage.to_owned());
            let delta = Delta {
                usage: Some(usage),
                ..Delta::default()
            };
            self.outlet.hand_out(&delta, sink);
        }
        if let Some(error) = payload.error() {
            self.provider_error(error, sink);
        }
    }

    fn provider_error(&mut self, error: &str, sink: &mut impl Sink) {
        self.end(Ended::Error, sink);
        self.error = Some(error.to_owned());
        let delta = Delta {
            error: Some(error),
            ..Delta::default()
        };
        self.outlet.hand_out(&delta, sink);
    }

    fn end(&mut self, ended: Ended, sink: &mut impl Sink) {
        self.choices.flush(&mut self.outlet, sink);
        self.ended = Some(ended);
    }

    fn fail(&mut self, error: Error, sink: &mut impl Sink) {
        self.choices.flush(&mut self.outlet, sink);
        self.failure = Some(error);
    }
}

/// Without the white space of JSON around it.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The error that an `error` event or field reports, as JSON text: the object it holds or is, a
/// string, or whatever it says as a string.
fn reported(text: &str) -> Cow<'_, str> {
    if let (Some(b'{' | b'"'), true) = (text.as_bytes().first(), json::is_valid(text)) {
        let mut payload = Payload::default();
        let inner = payload
            .read(&mut Reader::new(text), Shape::Completions)
            .ok()
            .and_then(|()| payload.error());
        return Cow::Borrowed(inner.unwrap_or(text));
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    json::write_string(&mut quoted, text);
    Cow::Owned(utf8::decode(&quoted).into_owned())
}
