//! Lines → frames, in the words of the WHATWG specification: what the event parser and the stream
//! decoder share.

use crate::error::{Error, cut};
use crate::lines::{KEPT_CAPACITY, Line, Lines, Step};
use memchr::{memchr, memchr2};

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
    /// The data lies in a buffer that [`Frames::take_data`] hands over: it is large, and not the read's.
    pub is_large: bool,
}

/// What [`Frames::next`] found.
#[derive(Debug)]
pub enum Next<'a> {
    /// A dispatched block.
    Frame(Frame<'a>),
    /// The data is used up.
    More,
    /// The block grew past its limit.
    Failed(Error),
}

/// Says whether a line that begins with a brace is an error, whole JSON in no field.
pub type IsError = fn(&[u8]) -> bool;

/// A `data` line longer than this is taken over instead of copied, in bytes.
const TAKEN_OVER: usize = 4096;

/// The block under construction.
#[derive(Debug, Default)]
struct Block {
    /// The data buffer, from `data_start` on: a long line is taken over with its field name.
    data: Vec<u8>,
    data_start: usize,
    has_data: bool,
    data_offset: u64,
    event: Vec<u8>,
    id: Option<Vec<u8>>,
    retry: Option<u64>,
    error: Option<Vec<u8>>,
    /// A field was seen, known or not.
    has_begun: bool,
}

impl Block {
    /// The bytes of the values held.
    fn size(&self) -> usize {
        let id = self.id.as_ref().map_or(0, Vec::len);
        let error = self.error.as_ref().map_or(0, Vec::len);
        self.data().len() + self.event.len() + id + error
    }

    fn data(&self) -> &[u8] {
        &self.data[self.data_start..]
    }

    /// Where the value starts in a line worth taking over with the buffer that holds it: a long
    /// one, and the first `data` line of its block.
    fn data_start_in(&self, line: &Line<'_>) -> Option<usize> {
        let is_worth_it = line.is_carried && line.bytes.len() > TAKEN_OVER && !self.has_data;
        let value = line.bytes.strip_prefix(b"data:").filter(|_| is_worth_it)?;
        Some(if value.starts_with(b" ") { 6 } else { 5 })
    }

    /// Takes the line in the buffer of `lines` over as the data.
    fn take_over(&mut self, start: usize, lines: &mut Lines) {
        lines.swap_carry(&mut self.data);
        self.data_start = start;
        self.has_data = true;
        self.has_begun = true;
    }

    /// "Process the field": the line, which is not empty, stands at `offset` in the stream.
    fn line(&mut self, line: &[u8], offset: u64, is_error: Option<IsError>) {
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

    fn frame(&self) -> Frame<'_> {
        Frame {
            data: self.has_data.then(|| self.data()),
            event: &self.event,
            id: self.id.as_deref(),
            retry: self.retry,
            error: self.error.as_deref(),
            offset: self.data_offset,
            is_large: self.data.len() > KEPT_CAPACITY,
        }
    }

    fn clear(&mut self) {
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

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub struct Frames {
    lines: Lines,
    block: Block,
    max_size: usize,
    /// The block was handed out and is to be cleared.
    is_read: bool,
    /// Fields named `error` are kept, and lines of which this says that they are one.
    is_error: Option<IsError>,
    retry: Option<u64>,
}

impl Frames {
    /// Frames of at most `max_size` bytes; `is_error` for the dialects that have a field `error`, and
    /// errors in lines without a field.
    pub fn new(max_size: usize, is_error: Option<IsError>) -> Self {
        Self {
            lines: Lines::default(),
            block: Block::default(),
            max_size,
            is_read: false,
            is_error,
            retry: None,
        }
    }

    /// The reconnection time of the stream, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// Whether a block has begun, or a line, that no blank line has ended.
    pub fn is_unfinished(&mut self) -> bool {
        self.forget_read();
        self.block.has_begun || !self.lines.unfinished().is_empty()
    }

    /// The stream's offset of the line that the next byte belongs to.
    pub fn line_offset(&self) -> u64 {
        self.lines.line_offset()
    }

    /// Whether the next byte is the first one of a block.
    #[inline]
    pub fn is_between(&mut self) -> bool {
        self.forget_read();
        !self.block.has_begun && self.lines.at_start()
    }

    /// Passes over `length` bytes, whole blocks, that somebody else has read.
    #[inline]
    pub fn skip(&mut self, length: usize) {
        self.lines.skip(length);
    }

    /// Takes the next frame from `data`, which is moved on past it.
    pub fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> Next<'s> {
        self.forget_read();
        if let Some(frame) = self.whole_frame(data) {
            return Next::Frame(frame);
        }
        loop {
            let room = self.max_size - self.block.size();
            match self.lines.next(data, room) {
                Step::More => return Next::More,
                Step::TooLong(start) => {
                    let start = start.to_vec();
                    return Next::Failed(self.too_large(&start));
                }
                // A blank line without a block before it dispatches nothing.
                Step::Line(Line { bytes: b"", .. }) if !self.block.has_begun => {}
                Step::Line(Line { bytes: b"", .. }) => {
                    self.is_read = true;
                    return Next::Frame(self.block.frame());
                }
                Step::Line(line) => match self.block.data_start_in(&line) {
                    None => {
                        self.block.line(line.bytes, line.offset, self.is_error);
                        self.retry = self.block.retry.or(self.retry);
                    }
                    Some(start) => {
                        self.block.data_offset = line.offset + start as u64;
                        self.block.take_over(start, &mut self.lines);
                    }
                },
            }
        }
    }

    /// Hands over the buffer with the data of the frame handed out last, and where in it the data starts.
    ///
    /// Only where [`Frame::is_large`] holds: such a buffer is not kept for the next block, and who takes
    /// it spares a copy.
    pub fn take_data(&mut self) -> (Vec<u8>, usize) {
        (
            std::mem::take(&mut self.block.data),
            std::mem::take(&mut self.block.data_start),
        )
    }

    /// The block as it stands at the end of the stream; `takes_line` takes an unfinished line as
    /// finished, instead of leaving it out.
    ///
    /// # Errors
    ///
    /// What looked like a BOM is a line after all, and one that does not fit.
    pub fn close(&mut self, takes_line: bool) -> Result<Option<Frame<'_>>, Error> {
        self.forget_read();
        let offset = self.lines.line_offset();
        let line = self.lines.take_unfinished();
        let room = self.max_size - self.block.size();
        if line.len() > room {
            return Err(self.too_large(&line[..=room]));
        }
        if takes_line && !line.is_empty() {
            self.block.line(&line, offset, self.is_error);
            self.retry = self.block.retry.or(self.retry);
        }
        Ok(self.block.has_begun.then(|| self.block.frame()))
    }

    /// The frame of ordinary traffic: one `data` line and a blank one, whole in this read. It is
    /// handed out where it lies, which saves a search per line and a copy.
    fn whole_frame<'d>(&mut self, data: &mut &'d [u8]) -> Option<Frame<'d>> {
        let value = data.strip_prefix(b"data:")?;
        if !self.is_between() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', value)?;
        let (value, rest) = (&value[..end], &value[end..]);
        let rest = rest
            .strip_prefix(b"\n\n")
            .or_else(|| rest.strip_prefix(b"\r\n\r\n"))?;
        if value.len() + 5 > self.max_size {
            return None;
        }
        let text = value.strip_prefix(b" ").unwrap_or(value);
        let offset = self.lines.line_offset() + 5 + (value.len() - text.len()) as u64;
        self.lines.skip(data.len() - rest.len());
        *data = rest;
        Some(Frame {
            data: Some(text),
            event: b"",
            id: None,
            retry: None,
            error: None,
            offset,
            is_large: false,
        })
    }

    #[inline]
    fn forget_read(&mut self) {
        if self.is_read {
            self.block.clear();
            self.is_read = false;
        }
    }

    /// The error for a block whose current line starts with `start`, one byte more than fits.
    fn too_large(&mut self, start: &[u8]) -> Error {
        let offset = self.lines.line_offset();
        if start.starts_with(b"data:") {
            self.block.line(start, offset, None);
        }
        let offset = if self.block.has_data {
            self.block.data_offset
        } else {
            offset
        };
        Error::EventTooLarge {
            limit: self.max_size,
            offset,
            frame: cut(self.block.data()),
        }
    }
}
