//! NDJSON: a payload a line.

use memchr::memchr;

use super::carry::Carry;
use super::{NextPart, Parts, Sent, Tail};
use crate::error::{Error, Unit, cut};

/// Cuts a body into its lines. A line ends in LF; a CR before it belongs to the end.
///
/// ```
/// use millstream::framing::json_lines::JsonLines;
/// use millstream::framing::{NextPart, Parts};
///
/// let mut lines = JsonLines::new(100, 0);
/// let mut data: &[u8] = b"{}\r\n{";
/// let NextPart::Payload(line) = lines.next(&mut data) else { panic!() };
/// assert_eq!(line.data, b"{}");
/// assert_eq!(lines.next(&mut data), NextPart::More);
/// ```
#[derive(Debug)]
pub struct JsonLines {
    /// The start of a line whose end has not arrived.
    carry: Carry,
    /// The stream's offset of the line that the next byte belongs to.
    offset: u64,
    max_size: usize,
}

impl JsonLines {
    /// Lines of at most `max_size` bytes, the first of which starts at `offset` in the stream.
    pub fn new(max_size: usize, offset: u64) -> Self {
        Self {
            carry: Carry::default(),
            offset,
            max_size,
        }
    }

    /// The last line, whose end is missing.
    ///
    /// # Errors
    ///
    /// A CR that does not fit turns out to be no part of an end.
    pub fn close(&mut self) -> Result<Option<Sent<'_>>, Error> {
        self.carry.forget_read();
        if self.carry.len() > self.max_size {
            return Err(self.too_large(b""));
        }
        Ok((!is_blank(&self.carry)).then(|| Sent {
            data: &self.carry,
            ..sent(b"", self.offset)
        }))
    }

    /// The error for a line that starts with the carry and `more`.
    fn too_large(&self, more: &[u8]) -> Error {
        let room = (self.max_size + 1).saturating_sub(self.carry.len());
        let start = [&self.carry[..], &more[..more.len().min(room)]].concat();
        Error::EventTooLarge {
            limit: self.max_size,
            offset: self.offset,
            frame: cut(&start[..start.len().min(self.max_size + 1)]),
        }
    }

    /// Whether the carry and `more` are too long for a line that goes on: a CR at the end may belong to its end.
    fn is_too_long(&self, more: &[u8]) -> bool {
        let last = more.last().or(self.carry.last());
        self.carry.len() + more.len() - usize::from(last == Some(&b'\r')) > self.max_size
    }
}

impl Parts for JsonLines {
    const TAIL: Tail = Tail::LineEnd;

    fn at_start(&self) -> bool {
        self.carry.is_empty() || self.carry.is_read
    }

    fn skip(&mut self, length: usize) {
        self.carry.forget_read();
        self.offset += length as u64;
    }

    fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> NextPart<'s> {
        self.carry.forget_read();
        loop {
            let Some(end) = memchr(b'\n', data) else {
                if !data.is_empty() && self.is_too_long(data) {
                    return NextPart::Failed(self.too_large(data));
                }
                self.carry.extend_from_slice(data);
                *data = &[];
                return NextPart::More;
            };
            let (line, rest) = data.split_at(end);
            if self.is_too_long(line) {
                return NextPart::Failed(self.too_large(line));
            }
            *data = &rest[1..];
            let offset = self.offset;
            self.offset += (self.carry.len() + line.len() + 1) as u64;
            if self.carry.is_empty() {
                if is_blank(line) {
                    continue;
                }
                return NextPart::Payload(sent(line, offset));
            }
            self.carry.extend_from_slice(line);
            if is_blank(&self.carry) {
                self.carry.clear();
                continue;
            }
            self.carry.is_read = true;
            return NextPart::Payload(sent(&self.carry, offset));
        }
    }
}

fn sent(line: &[u8], offset: u64) -> Sent<'_> {
    Sent {
        unit: Unit::Line,
        event: b"",
        data: line.strip_suffix(b"\r").unwrap_or(line),
        offset,
        head: b"",
    }
}

fn is_blank(line: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    line.iter().all(is_space)
}
