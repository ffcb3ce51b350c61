//! The fields between two blank lines, in the words of the WHATWG specification.

use memchr::memchr;

use crate::error::{FRAME_SIZE, cut};
use crate::lines::{KEPT_CAPACITY, Line, Lines};
use crate::utf8;

/// One block of lines, as it stood when a blank line dispatched it.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The data buffer without its last LF; `None` where the block had no `data` field.
    pub data: Option<&'a [u8]>,
    /// The event type buffer.
    pub event: &'a [u8],
    /// The last valid `id` of the block.
    pub id: Option<&'a [u8]>,
    /// The last valid `retry` of the block.
    pub retry: Option<u64>,
    /// The values of fields named `error`, joined like data (llama.cpp's way to report one).
    pub error: Option<&'a [u8]>,
    /// The stream's offset of the first data value.
    pub offset: u64,
    /// What stood before the data in the stream; empty where that is not known.
    pub head: &'a [u8],
    /// The data lies in a buffer that [`Frames::take_data`](crate::frames::Frames::take_data) hands over: it is large, and not the read's.
    pub is_large: bool,
}

/// Data in a buffer of its own, which need not be copied.
#[derive(Debug)]
pub struct Large {
    buffer: Vec<u8>,
    /// Where in the buffer the data starts.
    start: usize,
    /// It goes on where the data taken by [`Frames::take_begun`](crate::frames::Frames::take_begun) ends.
    pub is_rest: bool,
}

impl Large {
    /// The data.
    pub fn data(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Appends what `buffer` holds from `start` on.
    fn append(&mut self, buffer: Vec<u8>, start: usize) {
        if self.data().is_empty() {
            (self.buffer, self.start) = (buffer, start);
        } else {
            self.buffer.extend_from_slice(&buffer[start..]);
        }
    }
}

/// Says whether a line that begins with a brace is an error, whole JSON in no field.
pub type IsError = fn(&[u8]) -> bool;

/// A part of the data that is taken before the end is at least one of so many of what was taken before.
const SHARE: usize = 64;

/// A `data` line longer than this is taken over instead of copied, in bytes.
const TAKEN_OVER: usize = 4096;

/// The block under construction.
#[derive(Debug, Default)]
pub struct Block {
    /// The data buffer, from `data_start` on: a long line is taken over with its field name.
    data: Vec<u8>,
    data_start: usize,
    has_data: bool,
    data_offset: u64,
    event: Vec<u8>,
    id: Option<Vec<u8>>,
    pub retry: Option<u64>,
    error: Option<Vec<u8>>,
    /// A field was seen, known or not.
    pub has_begun: bool,
    /// How many bytes were taken by [`Self::take_begun`]; those of the current line with its field name.
    taken: usize,
    /// The first of them that were data.
    head: Vec<u8>,
    /// Where the beginning of the current line was taken: how many bytes of it are not data.
    not_data: Option<usize>,
}

impl Block {
    /// The bytes of the values held.
    pub fn size(&self) -> usize {
        let id = self.id.as_ref().map_or(0, Vec::len);
        let error = self.error.as_ref().map_or(0, Vec::len);
        self.taken + self.data().len() + self.event.len() + id + error
    }

    pub fn data(&self) -> &[u8] {
        &self.data[self.data_start..]
    }

    /// The stream's offset of the first data value, if there is one.
    pub fn data_offset(&self) -> Option<u64> {
        self.has_data.then_some(self.data_offset)
    }

    /// The first bytes of the data: what an error quotes.
    pub fn head(&self) -> Vec<u8> {
        let mut head = self.head.clone();
        head.extend(cut(self.data()));
        cut(&head)
    }

    /// Where the value starts in a line worth taking over with the buffer that holds it: a long
    /// one, and the first `data` line of its block.
    pub fn data_start_in(&self, line: &Line<'_>) -> Option<usize> {
        let is_worth_it = line.is_carried && line.bytes.len() > TAKEN_OVER && !self.has_data;
        let value = line.bytes.strip_prefix(b"data:").filter(|_| is_worth_it)?;
        Some(if value.starts_with(b" ") { 6 } else { 5 })
    }

    /// Whether the beginning of the current line was taken: the rest of it is data.
    pub fn is_in_value(&self) -> bool {
        self.not_data.is_some()
    }

    /// Appends the rest of a line whose beginning was taken.
    pub fn end_value(&mut self, rest: &[u8]) {
        self.data.extend_from_slice(rest);
        self.taken -= self.not_data.take().unwrap_or_default();
    }

    /// Takes the data so far, that of the current line in `lines` too, as far as later bytes cannot
    /// change how it decodes; only if that is more than `held` bytes.
    ///
    /// It is no small part of what was taken before, so putting the parts together takes linear time
    /// even where all that is there has to move for each.
    pub fn take_begun(&mut self, lines: &mut Lines, held: usize) -> Option<Large> {
        let offset = lines.line_offset();
        let line = lines.carried();
        let in_line = self
            .value_start(line)
            .map(|start| (start, utf8::unfinished(line)));
        let size = self.data().len() + in_line.map_or(0, |(start, end)| end - start);
        if size <= held.max(self.taken / SHARE) {
            return None;
        }
        let mut begun = self.take_data();
        self.taken += begun.data().len();
        if let Some((mut start, end)) = in_line {
            let mut line = lines.take_carried(end);
            self.taken += end;
            if !self.is_in_value() {
                if self.has_data {
                    start -= 1;
                    line[start] = b'\n';
                } else {
                    self.data_offset = offset + start as u64;
                }
                self.not_data = Some(start);
                self.has_data = true;
                self.has_begun = true;
            }
            begun.append(line, start);
        }
        let room = FRAME_SIZE - self.head.len();
        self.head.extend(begun.data().iter().take(room));
        Some(begun)
    }

    /// Where in the unfinished `line` its value starts, if it is data.
    fn value_start(&self, line: &[u8]) -> Option<usize> {
        if self.is_in_value() {
            return Some(0);
        }
        match line.strip_prefix(b"data:")? {
            [] => None,
            [b' ', ..] => Some(6),
            _ => Some(5),
        }
    }

    /// Takes the data buffer.
    pub fn take_data(&mut self) -> Large {
        Large {
            is_rest: self.taken > 0,
            buffer: std::mem::take(&mut self.data),
            start: std::mem::take(&mut self.data_start),
        }
    }

    /// Takes the line in the buffer of `lines` over as the data, which starts at `offset` in the stream.
    pub fn take_over(&mut self, start: usize, offset: u64, lines: &mut Lines) {
        lines.swap_carry(&mut self.data);
        self.data_offset = offset;
        self.data_start = start;
        self.has_data = true;
        self.has_begun = true;
    }

    /// "Process the field": the line, which is not empty, stands at `offset` in the stream.
    pub fn line(&mut self, line: &[u8], offset: u64, is_error: Option<IsError>) {
        // "If the line starts with a U+003A COLON character (:): Ignore the line."
        let Some((name, value)) = field(line) else {
            return;
        };
        self.has_begun = true;
        match name {
            // "Append the field value to the data buffer, then append a single U+000A LINE FEED."
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                } else {
                    self.has_data = true;
                    self.data_offset = offset + (line.len() - value.len()) as u64;
                }
                self.data.extend_from_slice(value);
            }
            // "Set the event type buffer to field value."
            b"event" => {
                self.event.clear();
                self.event.extend_from_slice(value);
            }
            // "If the field value does not contain U+0000 NULL, then set the last event ID buffer
            // to the field value. Otherwise, ignore the field."
            b"id" if memchr(0, value).is_none() => self.id = Some(value.to_vec()),
            // "If the field value consists of only ASCII digits, then interpret the field value as
            // an integer in base ten, and set the event stream's reconnection time to it."
            b"retry" => self.retry = reconnection_time(value).or(self.retry),
            b"error" if is_error.is_some() => append_line(&mut self.error, value),
            // An error that a server writes as it is, in no field at all.
            _ if line.starts_with(b"{") && self.error.is_none() => {
                self.error = is_error
                    .filter(|is_error| is_error(line))
                    .map(|_| line.to_vec());
            }
            // "Otherwise: The field is ignored."
            _ => {}
        }
    }

    pub fn frame(&self) -> Frame<'_> {
        Frame {
            data: self.has_data.then(|| self.data()),
            event: &self.event,
            id: self.id.as_deref(),
            retry: self.retry,
            error: self.error.as_deref(),
            offset: self.data_offset,
            head: b"",
            is_large: self.data.len() > KEPT_CAPACITY || self.taken > 0,
        }
    }

    pub fn clear(&mut self) {
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        data.shrink_to(KEPT_CAPACITY);
        *self = Self {
            data,
            ..Self::default()
        };
    }
}

/// The name and the value of a line; `None` for a comment.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    match memchr(b':', line) {
        Some(0) => None,
        // "If value starts with a U+0020 SPACE character, remove it from value."
        Some(colon) => {
            let value = &line[colon + 1..];
            Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
        }
        // "Use the whole line as the field name, and the empty string as the field value."
        None => Some((line, b"")),
    }
}

fn append_line(buffer: &mut Option<Vec<u8>>, value: &[u8]) {
    match buffer {
        None => *buffer = Some(value.to_vec()),
        Some(lines) => {
            lines.push(b'\n');
            lines.extend_from_slice(value);
        }
    }
}

fn reconnection_time(value: &[u8]) -> Option<u64> {
    let is_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()
        .filter(|_| is_digits)?
        .parse()
        .ok()
}
