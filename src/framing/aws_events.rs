//! AWS's binary event stream, `application/vnd.amazon.eventstream`: a payload a message, with checksums.
//!
//! A message is its length and that of its headers, a checksum of both, the headers, the payload, and a checksum of all
//! before.

use super::carry::Carry;
use super::checksum::crc32;
use super::{NextPart, Parts, Sent, Tail};
use crate::error::{Error, Unit, cut};
use crate::json::{self, Reader};
use crate::utf8;

/// Two lengths and their checksum, and the checksum at the end.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// Cuts a body into its messages.
#[derive(Debug)]
pub struct AwsEvents {
    /// The start of a message whose end has not arrived.
    carry: Carry,
    /// The stream's offset of the message that the next byte belongs to.
    offset: u64,
    max_size: usize,
}

/// The headers of a message that count, where they are strings.
#[derive(Debug, Default)]
struct Headers<'m> {
    message_type: Option<&'m [u8]>,
    event_type: Option<&'m [u8]>,
    exception_type: Option<&'m [u8]>,
    error_code: Option<&'m [u8]>,
    error_message: Option<&'m [u8]>,
}

impl AwsEvents {
    /// Messages of at most `max_size` bytes, the first of which starts at `offset` in the stream.
    pub fn new(max_size: usize, offset: u64) -> Self {
        Self {
            carry: Carry::default(),
            offset,
            max_size,
        }
    }

    /// Moves bytes to the carry until it has `size`; returns whether it has.
    fn fill(&mut self, data: &mut &[u8], size: usize) -> bool {
        let missing = size.saturating_sub(self.carry.len()).min(data.len());
        let (start, rest) = data.split_at(missing);
        self.carry.extend_from_slice(start);
        *data = rest;
        self.carry.len() >= size
    }

    /// The length of the message that begins with `prelude`.
    fn length<'a>(&self, prelude: &[u8]) -> Result<usize, NextPart<'a>> {
        let number = |at: usize| number(prelude, at);
        if number(8) != u64::from(crc32(&prelude[..8])) {
            let reason = "the checksum of its prelude is wrong";
            return Err(invalid(reason, prelude, self.offset));
        }
        let (length, headers) = (number(0), number(4));
        if length < 16 || headers > length - 16 {
            let reason = format!("its length is {length}");
            return Err(invalid(&reason, prelude, self.offset));
        }
        match usize::try_from(length) {
            Ok(length) if length <= self.max_size => Ok(length),
            _ => Err(NextPart::Failed(Error::EventTooLarge {
                limit: self.max_size,
                offset: self.offset,
                frame: prelude.to_vec(),
            })),
        }
    }
}

impl Parts for AwsEvents {
    const TAIL: Tail = Tail::Any;

    fn at_start(&self) -> bool {
        // A message is checked before it is read.
        false
    }

    fn skip(&mut self, length: usize) {
        self.offset += length as u64;
    }

    fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> NextPart<'s> {
        self.carry.forget_read();
        let whole = match data.get(..PRELUDE).filter(|_| self.carry.is_empty()) {
            Some(prelude) => match self.length(prelude) {
                Ok(length) => data.split_at_checked(length),
                Err(failed) => return failed,
            },
            None => None,
        };
        let start = self.offset;
        if let Some((message, rest)) = whole {
            *data = rest;
            self.offset += message.len() as u64;
            return read(message, start);
        }
        if !self.fill(data, PRELUDE) {
            return NextPart::More;
        }
        let length = match self.length(&self.carry[..PRELUDE]) {
            Ok(length) => length,
            Err(failed) => return failed,
        };
        if !self.fill(data, length) {
            return NextPart::More;
        }
        self.carry.is_read = true;
        self.offset += length as u64;
        read(&self.carry, start)
    }
}

/// Reads a whole message, which starts at `offset` in the stream.
fn read(message: &[u8], offset: u64) -> NextPart<'_> {
    let end = message.len() - CHECKSUM;
    if number(message, end) != u64::from(crc32(&message[..end])) {
        return invalid("its checksum is wrong", message, offset);
    }
    let size = usize::try_from(number(message, 4)).unwrap_or(usize::MAX);
    let (headers, payload) = message[PRELUDE..end].split_at(size);
    let Some(headers) = Headers::read(headers) else {
        return invalid("its headers do not fit", message, offset);
    };
    let (name, error) = match headers.message_type {
        None | Some(b"event") => {
            return NextPart::Payload(Sent {
                unit: Unit::Message,
                event: headers.event_type.unwrap_or_default(),
                data: payload,
                offset,
                head: b"",
            });
        }
        Some(b"exception") => {
            let name = headers.exception_type;
            (name, exception(name, payload))
        }
        Some(b"error") => {
            let message = headers.error_message.map(utf8::decode);
            (
                headers.error_code,
                error(headers.error_code, message.as_deref()),
            )
        }
        Some(_) => return NextPart::Nothing,
    };
    NextPart::ProviderError {
        event: name.unwrap_or_default(),
        error,
        offset,
    }
}

fn invalid<'a>(reason: &str, message: &[u8], offset: u64) -> NextPart<'a> {
    NextPart::Failed(Error::InvalidPart {
        unit: Unit::Message,
        offset,
        frame: cut(message),
        reason: reason.to_owned(),
    })
}

impl<'m> Headers<'m> {
    /// The headers of a message; `None` if they do not fit into `bytes`.
    fn read(mut bytes: &'m [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while let [length, rest @ ..] = bytes {
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (size, rest) = match kind {
                0 | 1 => (0, rest),
                2 => (1, rest),
                3 => (2, rest),
                4 => (4, rest),
                5 | 8 => (8, rest),
                6 | 7 => {
                    let (size, rest) = rest.split_first_chunk::<2>()?;
                    (usize::from(u16::from_be_bytes(*size)), rest)
                }
                9 => (16, rest),
                _ => return None,
            };
            let (value, rest) = rest.split_at_checked(size)?;
            bytes = rest;
            let value = (*kind == 7).then_some(value);
            match name {
                b":message-type" => headers.message_type = value,
                b":event-type" => headers.event_type = value,
                b":exception-type" => headers.exception_type = value,
                b":error-code" => headers.error_code = value,
                b":error-message" => headers.error_message = value,
                _ => {}
            }
        }
        Some(headers)
    }
}

/// The provider's error, as JSON text, that an exception called `name` reports.
pub(crate) fn exception(name: Option<&[u8]>, payload: &[u8]) -> String {
    error(name, Some(&message_of(payload)))
}

/// The provider's error, as JSON text, of the members that are there.
fn error(kind: Option<&[u8]>, message: Option<&str>) -> String {
    let mut text = Vec::new();
    let kind = kind.map(utf8::decode);
    for (name, value) in [("type", kind.as_deref()), ("message", message)] {
        if let Some(value) = value {
            text.push(if text.is_empty() { b'{' } else { b',' });
            json::write_string(&mut text, name);
            text.push(b':');
            json::write_string(&mut text, value);
        }
    }
    text.extend_from_slice(if text.is_empty() { b"{}" } else { b"}" });
    utf8::decode(&text).into_owned()
}

/// The message in the payload of an exception, or else its text.
fn message_of(payload: &[u8]) -> String {
    let text = utf8::decode(payload);
    let mut messages = [None; 2];
    let mut reader = Reader::new(&text);
    if reader.peek() == b'{' {
        let read = reader.members(|reader, name| {
            match name {
                "message" => messages[0] = reader.string_or_skip()?,
                "Message" => messages[1] = reader.string_or_skip()?,
                _ => reader.skip()?,
            }
            Ok(())
        });
        if read.and_then(|()| reader.end()).is_err() {
            messages = [None; 2];
        }
    }
    let message = messages
        .into_iter()
        .flatten()
        .find(|found| !found.is_empty());
    let message = message.map(|found| found.whole().into_owned());
    message.unwrap_or_else(|| text.into_owned())
}

/// The number of four bytes at `at`.
fn number(bytes: &[u8], at: usize) -> u64 {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |four| u64::from(u32::from_be_bytes(*four)))
}
