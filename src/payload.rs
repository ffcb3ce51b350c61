//! Frames → deltas: the state of a decoder's stream.

use crate::delta::choices::{Choices, Settled};
use crate::delta::family::{Family, Source};
use crate::delta::known::{RecentPayloads, Sample};
use crate::delta::output::Output;
use crate::delta::payload::{Beside, Payload};
use crate::delta::sent_error::{error_text, trim};
use crate::delta::sink::{Delta, INFO_MEMBERS, ResponseInfo, Sink};
use crate::error::{Error, Unit, cut};
use crate::format::{Ended, Format, Framing};
use crate::frames::Frame;
use crate::framing::{Sent, Tail};
use crate::json::{Raw, Reader};
use crate::seen::Seen;
use crate::utf8;

/// Frames → deltas: the state of a decoder's stream.
#[derive(Debug)]
pub(crate) struct Payloads {
    pub format: Format,
    pub family: Box<dyn Family>,
    known: RecentPayloads,
    /// Payloads are compared with known ones before they are read.
    pub compares: bool,
    pub choices: Choices,
    pub output: Output,
    pub error: Option<String>,
    pub seen: Seen,
    /// Only the first choice of a payload counts, as choice 0.
    pub has_one_choice: bool,
    /// Each payload is a whole body.
    reads_bodies: bool,
    /// The description of the response, where it is reported to the sink.
    info: Option<ResponseInfo>,
    pub ended: Option<Ended>,
    pub failure: Option<Error>,
}

impl Payloads {
    /// A stream that has not begun; of choice 0's text, the first `max_text` bytes are kept.
    pub fn new(format: Format, joins: bool, max_text: usize) -> Self {
        Self {
            format,
            family: format.family(),
            known: RecentPayloads::default(),
            compares: true,
            choices: Choices::new(joins),
            output: Output::new(max_text),
            error: None,
            seen: Seen::default(),
            has_one_choice: false,
            reads_bodies: false,
            info: None,
            ended: None,
            failure: None,
        }
    }

    /// Whether the stream has neither ended nor failed.
    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.failure.is_none()
    }

    /// Takes in a dispatched frame: its data, then an error of llama.cpp's kind.
    pub fn read_frame(&mut self, frame: &Frame<'_>, sink: &mut impl Sink) {
        if let Some(data) = frame.data {
            let sent = Sent {
                unit: Unit::Frame,
                event: frame.event,
                data,
                offset: frame.offset,
                head: frame.head,
            };
            if frame.event == b"error" {
                self.note(&sent);
                let error = self.family.error_text(data);
                self.provider_error(&error.unwrap_or_else(|| error_text(data)), sink);
            } else {
                self.read(&sent, sink);
            }
        }
        if let (Some(error), None, None) = (frame.error, self.ended, &self.failure) {
            self.provider_error(&error_text(error), sink);
        }
    }

    /// Reports the description of the response to the sink from now on.
    #[inline]
    pub fn report_info(&mut self) {
        if self.info.is_none() {
            self.info = Some(ResponseInfo::default());
            // Payloads were compared without regard to the description.
            self.known = RecentPayloads::default();
        }
    }

    /// Takes in the payloads that `data` begins with, each with what stands before it in the stream and the `tail`
    /// behind it, as long as they are like known ones and all before a tail has at most `max_size` bytes. Returns
    /// their length.
    pub fn read_known(
        &mut self,
        data: &[u8],
        tail: Tail,
        max_size: usize,
        sink: &mut impl Sink,
    ) -> usize {
        let mut rest = data;
        // A search at the end would compare nothing with each of them.
        while !rest.is_empty() {
            match self.read_one_known(rest, tail, max_size, sink) {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        data.len() - rest.len()
    }

    /// Takes in the first of them, and returns what follows it. The line's end is not searched first: a known payload
    /// has no line end in it.
    #[inline]
    fn read_one_known<'d>(
        &mut self,
        data: &'d [u8],
        tail: Tail,
        max_size: usize,
        sink: &mut impl Sink,
    ) -> Option<&'d [u8]> {
        let (known, piece, end) = self.known.read_with_head(data)?;
        let (frame, behind) = data.split_at_checked(end)?;
        let behind = behind.get(tail.length(behind)?..)?;
        if end > max_size {
            return None;
        }
        self.seen.frames += 1;
        let payload = frame.get(known.head_length()..)?;
        self.choices
            .take_known(known, piece, payload, &mut self.output, sink);
        Some(behind)
    }

    /// Takes in an error that a part of the body of its own reports, as JSON text.
    pub fn read_error(&mut self, event: &[u8], error: &str, offset: u64, sink: &mut impl Sink) {
        self.note(&Sent {
            unit: Unit::Message,
            event,
            data: error.as_bytes(),
            offset,
            head: b"",
        });
        self.provider_error(&error_text(error.as_bytes()), sink);
    }

    /// Takes in a payload, or one in an envelope.
    pub fn read(&mut self, sent: &Sent<'_>, sink: &mut impl Sink) {
        self.note(sent);
        if self.read_like_known(sent, sink) {
            return;
        }
        match self.family.unwrap(sent.event, sent.data) {
            Ok(None) => self.read_data(sent, sink),
            Ok(Some(enclosed)) => {
                let inner = Sent {
                    event: enclosed.event.as_bytes(),
                    data: &enclosed.data,
                    head: b"",
                    ..*sent
                };
                if !self.read_like_known(&inner, sink) {
                    self.read_data(&inner, sink);
                }
            }
            Err(reason) => {
                let error = Error::InvalidPart {
                    unit: sent.unit,
                    offset: sent.offset,
                    frame: cut(sent.data),
                    reason: reason.to_owned(),
                };
                self.fail(error, sink);
            }
        }
    }

    /// Takes in a payload if it is like a known one; returns whether it is.
    #[inline]
    fn read_like_known(&mut self, sent: &Sent<'_>, sink: &mut impl Sink) -> bool {
        let payload = trim(sent.data);
        let Some((known, piece, length)) = self.known.read(sent.event, payload) else {
            return false;
        };
        if length != payload.len() {
            return false;
        }
        self.choices
            .take_known(known, piece, payload, &mut self.output, sink);
        if !sent.head.is_empty() {
            self.known.set_head(sent.head);
        }
        true
    }

    /// Takes in a payload that is like none before: nothing, the end mark, or one to read.
    fn read_data(&mut self, sent: &Sent<'_>, sink: &mut impl Sink) {
        match trim(sent.data) {
            b"" => {}
            b"[DONE]" if sent.unit == Unit::Frame => self.end(Ended::Done, sink),
            trimmed => self.read_whole(sent, trimmed, sink),
        }
    }

    /// Reads a payload that is like none before.
    #[inline(never)]
    fn read_whole(&mut self, sent: &Sent<'_>, trimmed: &[u8], sink: &mut impl Sink) {
        let text = utf8::decode(trimmed);
        let mut reader = Reader::new(&text);
        let mut payload = Payload::new(self.has_one_choice, self.wanted());
        let source = Source {
            event: sent.event,
            // A line has no event, but an envelope in it may name one.
            is_body: self.reads_bodies && sent.event.is_empty(),
        };
        // What is not an object says nothing, in any format.
        let read = if trimmed.starts_with(b"{") {
            self.family.read_document(&mut reader, source, &mut payload)
        } else {
            reader.skip().and_then(|()| reader.end())
        };
        if read.is_err() {
            let error = Error::PayloadNotJson {
                unit: sent.unit,
                offset: sent.offset,
                frame: cut(sent.data),
            };
            return self.fail(error, sink);
        }
        let Some(settled) = self.settle(&payload, sent.data, sent.offset, sink) else {
            return;
        };
        if self.report_news(&payload, sink) || payload.beside == Beside::Block {
            // A known payload reports nothing and begins nothing: it is known in its place only.
            self.known = RecentPayloads::default();
        }
        let is_plain = self.is_plain(&payload);
        if self.compares {
            let sample = Sample {
                head: &sent.whole_head(),
                event: sent.event,
                text: &text,
                may_have_lines: sent.unit == Unit::Element,
            };
            self.known.learn(&sample, &payload, &reader, is_plain);
        }
        sink.begin_payload(trimmed, is_plain);
        self.hand_out(&payload, settled, sink);
        sink.end_payload();
    }

    /// Counts a payload, and looks at it while no choice has begun. Where the format is to be found, it may decide.
    fn note(&mut self, sent: &Sent<'_>) {
        self.seen.frames += 1;
        if !self.choices.have_begun() {
            let found = self.seen.look(sent, self.format.name());
            if self.format.is_to_be_found() {
                self.set_format(found, sent.unit == Unit::Line);
            }
        }
    }

    /// Sets the format that was found, if one was. In lines, another one's payload is a whole body.
    pub fn set_format(&mut self, found: Option<&str>, is_line: bool) {
        if let Some(format) = found.and_then(Format::from_name) {
            self.format = format;
            self.family = format.family();
            self.reads_bodies = is_line && format.framing() != Framing::Lines;
        }
    }

    /// Whether the text of choice 0 says all that `payload` says.
    pub fn is_plain(&self, payload: &Payload<'_>) -> bool {
        let usual = self.family.usual_role();
        let of_first = payload.choices.iter().filter(|choice| choice.index == 0);
        let mut roles = of_first.filter_map(|choice| choice.message.role);
        payload.beside == Beside::Nothing
            && roles.all(|role| role.is_empty() || role.whole() == usual)
    }

    /// The members of a payload that describe its response and may be news.
    pub fn wanted(&self) -> &'static [&'static str] {
        match &self.info {
            None => &[],
            Some([None, ..]) => &INFO_MEMBERS,
            Some(_) => &INFO_MEMBERS[1..],
        }
    }

    /// Reports the description of the response, where `payload` changes it; returns whether it does.
    pub fn report_news(&mut self, payload: &Payload<'_>, sink: &mut impl Sink) -> bool {
        let mut is_news = false;
        let Some(info) = &mut self.info else {
            return false;
        };
        for (known, raw) in std::iter::zip(info.iter_mut(), payload.info()) {
            if let Some(text) = raw.map(Raw::whole)
                && known.as_deref() != Some(&*text)
            {
                *known = Some(text.into_owned());
                is_news = true;
            }
        }
        if is_news {
            sink.response_info(info);
        }
        is_news
    }

    /// Finds the output of the choices of `payload`, before any of it is handed out. A payload that
    /// passes a limit hands out nothing but the failure.
    pub fn settle<'p>(
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

    pub fn hand_out<'p>(
        &mut self,
        payload: &Payload<'p>,
        settled: Settled<'p>,
        sink: &mut impl Sink,
    ) {
        self.choices
            .take(&payload.choices, settled, &mut self.output, sink);
        if let Some(usage) = payload.usage.as_deref() {
            self.output.hand_out_usage(usage, sink);
        }
        if let Some(error) = payload.error.as_deref() {
            self.provider_error(error, sink);
        }
        if payload.ends && self.ended.is_none() {
            self.end(Ended::Event, sink);
        }
    }

    /// Takes in an error of the provider, as JSON text.
    pub fn provider_error(&mut self, error: &str, sink: &mut impl Sink) {
        self.seen.head.clear();
        self.end(Ended::Error, sink);
        self.error = Some(error.to_owned());
        let delta = Delta {
            error: Some(error),
            ..Delta::default()
        };
        self.output.hand_out(&delta, sink);
    }

    /// Ends the stream, after handing out held halves.
    pub fn end(&mut self, ended: Ended, sink: &mut impl Sink) {
        self.choices.flush(&mut self.output, sink);
        if !matches!(ended, Ended::Eof | Ended::Truncated) {
            self.seen.end(ended == Ended::ArrayEnd);
        }
        self.ended = Some(ended);
    }

    /// Fails, after handing out held halves.
    pub fn fail(&mut self, error: Error, sink: &mut impl Sink) {
        self.choices.flush(&mut self.output, sink);
        self.seen.head.clear();
        self.failure = Some(error);
    }
}
