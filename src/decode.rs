//! `StreamDecoder`: the bytes of a provider's stream in, deltas out.

use crate::body::{BOM, Body};
use crate::delta::Sink;
use crate::delta::sent_error::is_error;
use crate::error::{Error, FRAME_SIZE, cut};
use crate::frames::{Frames, NextFrame};
use crate::framing::{NextPart, Parts, Sent, Tail};
use crate::json::is_valid;
use crate::payload::Payloads;
use crate::seen::{Missing, Seen};
use crate::utf8;

pub use crate::format::{Ended, Format};

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
/// let mut decoder = StreamDecoder::new(Format::OPENAI_COMPLETIONS, true, 1 << 24);
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
    payloads: Payloads,
}

impl StreamDecoder {
    /// A decoder at the start of a stream; `joins` says whether split surrogate pairs are joined.
    pub fn new(format: Format, joins: bool, max_event_size: usize) -> Self {
        Self {
            body: Body::Unknown { bom: 0 },
            frames: Frames::new(max_event_size, Some(is_error)),
            sniffed: 0,
            max_event_size,
            payloads: Payloads::new(format, joins, max_event_size),
        }
    }

    /// Reads every payload whole from now on, instead of comparing it with those before: slower,
    /// with the same result. Tests compare the two.
    #[must_use]
    pub fn without_comparison(mut self) -> Self {
        self.payloads.compares = false;
        self
    }

    /// Takes the first choice of a payload for choice 0 whatever its index, and passes over further
    /// choices of that payload: one choice was asked for.
    #[must_use]
    pub fn of_one_choice(mut self) -> Self {
        self.payloads.has_one_choice = true;
        self
    }

    /// Reports the description of the response to the sink from now on.
    #[inline]
    pub fn report_info(&mut self) {
        self.payloads.report_info();
    }

    /// Hands everything that `data` completes to `sink`.
    pub fn feed(&mut self, data: &[u8], sink: &mut impl Sink) {
        if self.is_done() {
            return;
        }
        self.payloads.seen.take_head(data);
        match self.body {
            Body::Events => self.events(data, sink),
            Body::Unknown { .. } => self.begin(data, sink),
            _ => self.take(data, sink),
        }
    }

    /// Takes in a piece of a body whose kind is not known yet.
    #[inline(never)]
    fn begin(&mut self, data: &[u8], sink: &mut impl Sink) {
        let framing = self.payloads.format.framing();
        let size = self.max_event_size;
        let space = self.body.sniff(data, self.sniffed, framing, size);
        self.sniffed += space as u64;
        let (space, rest) = data.split_at(space);
        self.events(space, sink);
        if !self.is_done() {
            self.take(rest, sink);
        }
    }

    /// Takes in a piece of a body of a known kind.
    #[inline(never)]
    fn take(&mut self, data: &[u8], sink: &mut impl Sink) {
        let (payloads, limit) = (&mut self.payloads, self.max_event_size);
        match &mut self.body {
            Body::Unknown { .. } => {}
            Body::Events => self.events(data, sink),
            Body::Lines(lines) => take_parts(lines, payloads, limit, data, sink),
            Body::Array(array) => take_parts(array, payloads, limit, data, sink),
            Body::Messages(messages) => take_parts(messages, payloads, limit, data, sink),
            Body::Document { text, offset } => {
                if let Err(error) = keep(text, data, limit, *offset) {
                    self.payloads.fail(error, sink);
                }
            }
            Body::DocumentOrLines { text, offset } => {
                let Some(end) = memchr::memchr(b'\n', data) else {
                    if data.ends_with(b"\r") && text.len() + data.len() == limit + 1 {
                        // It may belong to the end of a line.
                        text.extend_from_slice(data);
                    } else if let Err(error) = keep(text, data, limit, *offset) {
                        self.payloads.fail(error, sink);
                    }
                    return;
                };
                // The limit is checked once it is known whether it is that of a line or of the document.
                let (line, rest) = data.split_at(end + 1);
                text.extend_from_slice(line);
                self.decide(sink);
                if !self.is_done() {
                    self.take(rest, sink);
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
                    self.payloads.fail(error, sink);
                }
            }
        }
    }

    /// Decides what a body is that may be a document or lines, once that can be known.
    fn decide(&mut self, sink: &mut impl Sink) {
        if let Some(first) = self.body.decide(self.max_event_size) {
            self.take(&first, sink);
        }
    }

    /// Ends the stream.
    pub fn close(&mut self, sink: &mut impl Sink) {
        if self.is_done() {
            return;
        }
        match std::mem::replace(&mut self.body, Body::Events) {
            Body::Unknown { .. } | Body::Events => {
                self.payloads.seen.missing = self.missing();
                match self.frames.close(true) {
                    Err(error) => self.payloads.fail(error, sink),
                    Ok(Some(frame)) => self.payloads.read_unfinished(&frame, sink),
                    Ok(None) => {}
                }
            }
            Body::Document { mut text, offset } | Body::DocumentOrLines { mut text, offset } => {
                let more = text.split_off(text.len().min(self.max_event_size));
                match keep(&mut text, &more, self.max_event_size, offset) {
                    Err(error) => self.payloads.fail(error, sink),
                    Ok(()) => self.payloads.read_body(&text, offset, sink),
                }
            }
            Body::Lines(mut lines) => {
                let is_whole = |line: &Sent<'_>| is_valid(&utf8::decode(line.data));
                match lines.close() {
                    Ok(line) => {
                        if let Some(line) = line.filter(is_whole) {
                            self.payloads.read(&line, sink);
                        }
                    }
                    Err(error) => self.payloads.fail(error, sink),
                }
            }
            // What is unfinished in them is no part.
            Body::Array(_) | Body::Messages(_) => {}
            Body::Markup { text, offset } => {
                self.payloads.fail(
                    Error::NotAStream {
                        offset,
                        frame: text,
                    },
                    sink,
                );
            }
        }
        if !self.is_done() {
            self.payloads.end_of_bytes(sink);
        }
    }

    /// The line ends that are missing in an event stream that ends here without a frame.
    fn missing(&mut self) -> Option<Missing> {
        let seen = &self.payloads.seen;
        if seen.frames > 0 || !self.frames.is_unfinished() {
            return None;
        }
        let start = if seen.head.starts_with(BOM) { 3 } else { 0 };
        Some(if self.frames.line_offset() == start {
            Missing::LineEnds
        } else {
            Missing::BlankLines
        })
    }

    /// What the decoder has seen of the stream.
    pub fn seen(&self) -> &Seen {
        &self.payloads.seen
    }

    /// Whether a choice has begun.
    pub fn has_choices(&self) -> bool {
        self.payloads.choices.have_begun()
    }

    /// Whether nothing more can come out: the stream ended or failed.
    pub fn is_done(&self) -> bool {
        !self.payloads.is_open()
    }

    /// How the stream ended.
    pub fn ended(&self) -> Option<Ended> {
        self.payloads.ended
    }

    /// The error that stopped the decoder.
    pub fn failure(&self) -> Option<&Error> {
        self.payloads.failure.as_ref()
    }

    /// Keeps all of choice 0's text from now on, and its log probabilities, for [`Self::kept_text`] and
    /// [`Self::kept_logprobs`].
    pub fn keep_text(&mut self) {
        self.payloads.output.keep_all();
    }

    /// Choice 0's text so far: its first bytes, as many as an event may have.
    pub fn text(&self) -> &str {
        self.payloads.output.text()
    }

    /// Choice 0's text as far as it is kept.
    pub fn kept_text(&self) -> &str {
        self.payloads.output.kept_text()
    }

    /// Choice 0's log probabilities so far, each as its JSON text, where they are kept.
    pub fn kept_logprobs(&self) -> &[String] {
        self.payloads.output.kept_logprobs()
    }

    /// Whether [`Self::text`] is all of choice 0's text so far.
    pub fn has_whole_text(&self) -> bool {
        self.payloads.output.has_whole_text()
    }

    /// How many deltas had text, reasoning, a refusal, a tool call or audio.
    pub fn contents_seen(&self) -> u64 {
        self.payloads.output.contents_seen()
    }

    /// How many deltas came out.
    pub fn deltas_seen(&self) -> u64 {
        self.payloads.output.deltas_seen
    }

    /// Choice 0's finish reason.
    pub fn finish_reason(&self) -> Option<&str> {
        self.payloads.choices.finish_reason()
    }

    /// The last usage object, as JSON text.
    pub fn usage(&self) -> Option<&str> {
        self.payloads.output.usage()
    }

    /// The provider's error, as JSON text.
    pub fn error(&self) -> Option<&str> {
        self.payloads.error.as_deref()
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.payloads.format
    }

    fn events(&mut self, data: &[u8], sink: &mut impl Sink) {
        let mut data = data;
        while !self.is_done() {
            if self.frames.at_start() {
                let size = self.max_event_size;
                let known = self.payloads.read_known(data, Tail::BlankLine, size, sink);
                self.frames.skip(known);
                data = &data[known..];
                if data.is_empty() {
                    return;
                }
            }
            match self.frames.next(&mut data) {
                NextFrame::More => return,
                NextFrame::TooLarge(error) => self.payloads.fail(error, sink),
                NextFrame::Frame(frame) => self.payloads.read_frame(&frame, sink),
            }
        }
    }
}

/// Takes in a piece of a body that is cut into `parts`.
fn take_parts<P: Parts>(
    parts: &mut P,
    payloads: &mut Payloads,
    max_size: usize,
    data: &[u8],
    sink: &mut impl Sink,
) {
    let mut data = data;
    while payloads.is_open() {
        if parts.at_start() {
            let known = payloads.read_known(data, P::TAIL, max_size, sink);
            parts.skip(known);
            data = &data[known..];
            if data.is_empty() {
                return;
            }
        }
        match parts.next(&mut data) {
            NextPart::More => return,
            NextPart::Payload(sent) => payloads.read(&sent, sink),
            NextPart::ProviderError {
                event,
                error,
                offset,
            } => payloads.read_error(event, &error, offset, sink),
            NextPart::Nothing => {}
            NextPart::End => payloads.end(Ended::ArrayEnd, sink),
            NextPart::Failed(error) => payloads.fail(error, sink),
        }
    }
}

/// Appends `data` to a document that starts at `offset` and has at most `limit` bytes.
fn keep(text: &mut Vec<u8>, data: &[u8], limit: usize, offset: u64) -> Result<(), Error> {
    let room = (limit + 1).saturating_sub(text.len());
    text.extend_from_slice(&data[..data.len().min(room)]);
    if text.len() <= limit || data.is_empty() {
        return Ok(());
    }
    Err(Error::EventTooLarge {
        limit,
        offset,
        frame: cut(text),
    })
}
