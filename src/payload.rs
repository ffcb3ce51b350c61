//! Frames → deltas: the state of a decoder's stream.

use crate::delta::choices::{Choices, Settled};
use crate::delta::known::RecentPayloads;
use crate::delta::openai::{Payload, Shape};
use crate::delta::output::Output;
use crate::delta::sink::{Delta, INFO_MEMBERS, ResponseInfo, Sink};
use crate::error::{Error, cut};
use crate::format::{Ended, Format};
use crate::frames::Frame;
use crate::json::{self, Raw, Reader};
use crate::seen::{Foreign, Seen, json_lines};
use crate::utf8;

/// Frames → deltas: the state of a decoder's stream.
#[derive(Debug)]
pub(crate) struct Payloads {
    pub format: Format,
    known: RecentPayloads,
    /// Payloads are compared with known ones before they are read.
    pub compares: bool,
    pub choices: Choices,
    pub output: Output,
    pub usage: Option<String>,
    pub error: Option<String>,
    pub seen: Seen,
    /// Only the first choice of a payload counts, as choice 0.
    pub has_one_choice: bool,
    /// The description of the response is reported to the sink.
    reports_info: bool,
    info: ResponseInfo,
    pub ended: Option<Ended>,
    pub failure: Option<Error>,
}

impl Payloads {
    /// A stream that has not begun; of choice 0's text, the first `max_text` bytes are kept.
    pub fn new(format: Format, joins: bool, max_text: usize) -> Self {
        Self {
            format,
            known: RecentPayloads::default(),
            compares: true,
            choices: Choices::new(joins),
            output: Output::new(max_text),
            usage: None,
            error: None,
            seen: Seen::default(),
            has_one_choice: false,
            reports_info: false,
            info: ResponseInfo::default(),
            ended: None,
            failure: None,
        }
    }

    /// Takes in a dispatched frame: its data, then an error of llama.cpp's kind.
    pub fn read_frame(&mut self, frame: &Frame<'_>, sink: &mut impl Sink) {
        if let Some(data) = frame.data {
            self.seen.frames += 1;
            if !self.choices.have_begun() {
                self.seen.look(frame.event, data, frame.offset);
            }
            if frame.event == b"error" {
                self.provider_error(&error_text(data), sink);
            } else {
                self.read_data(data, frame.offset, sink);
            }
        }
        if let (Some(error), None, None) = (frame.error, self.ended, &self.failure) {
            self.provider_error(&error_text(error), sink);
        }
    }

    /// Reports the description of the response to the sink from now on.
    #[inline]
    pub fn report_info(&mut self) {
        if !self.reports_info {
            self.reports_info = true;
            // Payloads were compared without regard to the description.
            self.known = RecentPayloads::default();
        }
    }

    /// Takes in the frame of ordinary traffic that `data` begins with, if its payload is like a known
    /// one, and returns its length: a `data` line, at most `max_size` long, and a blank one. The
    /// line's end is not searched first: a known payload has no line end in it.
    #[inline]
    pub fn known_frame(
        &mut self,
        data: &[u8],
        max_size: usize,
        sink: &mut impl Sink,
    ) -> Option<usize> {
        let payload = data.strip_prefix(b"data: ")?;
        let (increment, length) = self.known.read(payload)?;
        let line = b"data: ".len() + length;
        let ends = match &payload[length..] {
            [b'\n', b'\n', ..] => 2,
            [b'\r', b'\n', b'\r', b'\n', ..] => 4,
            _ => return None,
        };
        if line > max_size {
            return None;
        }
        self.seen.frames += 1;
        sink.begin_payload(&payload[..length]);
        self.choices
            .take_increment(&increment, &mut self.output, sink);
        sink.end_payload();
        Some(line + ends)
    }

    /// The data of a frame: a payload like a known one, nothing, the end mark, or a payload to read.
    fn read_data(&mut self, data: &[u8], offset: u64, sink: &mut impl Sink) {
        let trimmed = trim(data);
        if let Some((increment, length)) = self.known.read(trimmed)
            && length == trimmed.len()
        {
            sink.begin_payload(trimmed);
            self.choices
                .take_increment(&increment, &mut self.output, sink);
            return sink.end_payload();
        }
        match trimmed {
            b"" => {}
            b"[DONE]" => self.end(Ended::Done, sink),
            _ => {
                let text = utf8::decode(trimmed);
                let mut reader = Reader::new(&text);
                let mut payload = Payload::new(self.has_one_choice, self.wanted());
                if payload.read(&mut reader, self.format.shape(false)).is_err() {
                    let frame = cut(data);
                    return self.fail(Error::FrameNotJson { offset, frame }, sink);
                }
                let Some(settled) = self.settle(&payload, data, offset, sink) else {
                    return;
                };
                if self.report_news(&payload, sink) {
                    // A known payload reports nothing: it is known under one description only.
                    self.known = RecentPayloads::default();
                }
                if self.compares {
                    self.known.learn(&text, &payload, &reader);
                }
                sink.begin_payload(trimmed);
                self.hand_out(&payload, settled, sink);
                sink.end_payload();
            }
        }
    }

    /// A frame whose blank line is missing counts if it is whole in itself.
    pub fn read_unfinished(&mut self, frame: &Frame<'_>, sink: &mut impl Sink) {
        let is_error = frame.event == b"error";
        let is_json = |data: &[u8]| json::is_valid(&utf8::decode(trim(data)));
        let is_mark = |data: &[u8]| trim(data) == b"[DONE]" && !is_error;
        let data = frame.data.filter(|data| is_mark(data) || is_json(data));
        let error = frame.error.filter(|error| is_json(error));
        self.read_frame(
            &Frame {
                data,
                error,
                ..*frame
            },
            sink,
        );
    }

    /// Takes in a body that is one document: an error, or a completion that did not stream. In a body that
    /// is not valid JSON, a line that is an error counts.
    pub fn read_body(&mut self, data: &[u8], offset: u64, sink: &mut impl Sink) {
        let text = utf8::decode(data);
        let mut payload = Payload::new(self.has_one_choice, self.wanted());
        let mut reader = Reader::new(&text);
        if payload.read(&mut reader, self.format.shape(true)).is_err() {
            let mut lines = data.split(|byte| *byte == b'\n');
            if let Some(line) = lines.find(|line| line.starts_with(b"{") && is_error(line)) {
                return self.provider_error(&error_text(line), sink);
            }
            let frame = cut(data);
            let error = match json_lines(data) {
                None => Error::BodyNotJson { offset, frame },
                Some(found) => Error::OtherFormat {
                    offset,
                    frame,
                    found,
                    expected: self.format.name(),
                },
            };
            return self.fail(error, sink);
        }
        self.seen.frames += 1;
        self.seen.look(b"", data, offset);
        if let Some(settled) = self.settle(&payload, data, offset, sink) {
            self.report_news(&payload, sink);
            sink.begin_payload(trim(data));
            self.hand_out(&payload, settled, sink);
            sink.end_payload();
        }
    }

    /// The members of a payload that describe its response and may be news.
    fn wanted(&self) -> &'static [&'static str] {
        match &self.info[0] {
            _ if !self.reports_info => &[],
            None => &INFO_MEMBERS,
            Some(_) => &INFO_MEMBERS[1..],
        }
    }

    /// Reports the description of the response, where `payload` changes it; returns whether it does.
    fn report_news(&mut self, payload: &Payload<'_>, sink: &mut impl Sink) -> bool {
        let mut is_news = false;
        for (known, raw) in std::iter::zip(&mut self.info, payload.info()) {
            if let Some(text) = raw.map(Raw::whole)
                && known.as_deref() != Some(&*text)
            {
                *known = Some(text.into_owned());
                is_news = true;
            }
        }
        if is_news {
            sink.response_info(&self.info);
        }
        is_news
    }

    /// Finds the output of the choices of `payload`, before any of it is handed out. A payload that
    /// passes a limit hands out nothing but the failure.
    fn settle<'p>(
        &mut self,
        payload: &Payload<'p>,
        data: &[u8],
        offset: u64,
        sink: &mut impl Sink,
    ) -> Option<Settled<'p>> {
        let settled = self.choices.settle(&payload.choices);
        let limit = match settled {
            Ok(settled) => return Some(settled),
            Err(limit) => limit,
        };
        let frame = cut(data);
        let error = Error::LimitPassed {
            limit,
            offset,
            frame,
        };
        self.fail(error, sink);
        None
    }

    fn hand_out<'p>(&mut self, payload: &Payload<'p>, settled: Settled<'p>, sink: &mut impl Sink) {
        self.choices
            .take(&payload.choices, settled, &mut self.output, sink);
        if let Some(usage) = payload.usage() {
            self.usage = Some(usage.to_owned());
            let delta = Delta {
                usage: Some(usage),
                ..Delta::default()
            };
            self.output.hand_out(&delta, sink);
        }
        if let Some(error) = payload.error() {
            self.provider_error(error, sink);
        }
    }

    fn provider_error(&mut self, error: &str, sink: &mut impl Sink) {
        self.seen.head.clear();
        self.end(Ended::Error, sink);
        self.error = Some(error.to_owned());
        let delta = Delta {
            error: Some(error),
            ..Delta::default()
        };
        self.output.hand_out(&delta, sink);
    }

    /// The bytes ended: every choice that had begun is finished, or the stream is truncated, or it is
    /// one of another format.
    pub fn end_of_bytes(&mut self, sink: &mut impl Sink) {
        let foreign = self.seen.foreign.take();
        match foreign.filter(|_| !self.choices.have_begun()) {
            Some(Foreign {
                found,
                offset,
                frame,
            }) => {
                let expected = self.format.name();
                let error = Error::OtherFormat {
                    offset,
                    frame,
                    found,
                    expected,
                };
                self.fail(error, sink);
            }
            None if self.choices.are_finished() => self.end(Ended::Eof, sink),
            None => self.end(Ended::Truncated, sink),
        }
    }

    /// Ends the stream, after handing out held halves.
    pub fn end(&mut self, ended: Ended, sink: &mut impl Sink) {
        self.choices.flush(&mut self.output, sink);
        self.ended = Some(ended);
    }

    /// Fails, after handing out held halves.
    pub fn fail(&mut self, error: Error, sink: &mut impl Sink) {
        self.choices.flush(&mut self.output, sink);
        self.seen.head.clear();
        self.failure = Some(error);
    }
}

/// Without the white space of JSON around it.
fn trim(mut data: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = data {
        data = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = data {
        data = rest;
    }
    data
}

/// Whether `line`, which begins with a brace, is a whole JSON object that has an error.
pub(crate) fn is_error(line: &[u8]) -> bool {
    let text = utf8::decode(trim(line));
    let mut payload = Payload::default();
    let is_read = payload.read(&mut Reader::new(&text), Shape::Chat).is_ok();
    is_read && payload.error().is_some()
}

/// The error that an `error` event or field reports, as JSON text: the object it holds or is, a
/// string, or whatever it says as a string.
fn error_text(data: &[u8]) -> String {
    let text = utf8::decode(trim(data));
    if let (Some(b'{' | b'"'), true) = (text.as_bytes().first(), json::is_valid(&text)) {
        let mut payload = Payload::default();
        let inner = payload
            .read(&mut Reader::new(&text), Shape::Completions)
            .ok();
        return inner
            .and_then(|()| payload.error())
            .unwrap_or(&text)
            .to_owned();
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    json::write_string(&mut quoted, &text);
    utf8::decode(&quoted).into_owned()
}
