//! The end of a body: what is read then, and how the stream ended.

use crate::delta::family::Source;
use crate::delta::payload::Payload;
use crate::delta::sent_error::{error_text, is_error, trim};
use crate::delta::sink::Sink;
use crate::error::{Error, Unit, cut};
use crate::format::Ended;
use crate::frames::Frame;
use crate::framing::Sent;
use crate::json::{self, Reader};
use crate::payload::Payloads;
use crate::seen::{Foreign, format_of_body, json_lines};
use crate::utf8;

impl Payloads {
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
        if self.format.is_to_be_found() {
            self.set_format(format_of_body(&text), false);
        }
        let mut payload = Payload::new(self.has_one_choice, self.wanted());
        let mut reader = Reader::new(&text);
        let source = Source {
            is_body: true,
            ..Source::default()
        };
        let read = self.family.read_document(&mut reader, source, &mut payload);
        if read.is_err() {
            let mut lines = data.split(|byte| *byte == b'\n');
            if let Some(line) = lines.find(|line| line.starts_with(b"{") && is_error(line)) {
                return self.provider_error(&error_text(line), sink);
            }
            let frame = cut(data);
            let error = match json_lines(data, self.format.name()) {
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
        let sent = Sent {
            unit: Unit::Frame,
            event: b"",
            data,
            offset,
            head: b"",
        };
        self.seen.look(&sent, self.format.name());
        if let Some(settled) = self.settle(&payload, data, offset, sink) {
            self.report_news(&payload, sink);
            sink.begin_payload(trim(data), self.is_plain(&payload));
            self.hand_out(&payload, settled, sink);
            sink.end_payload();
        }
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
}
