//! Lines → frames, in the words of the WHATWG specification, for the event parser and the stream
//! decoder.

use memchr::memchr2;

use crate::block::Block;
pub use crate::block::{Frame, IsError, Large};
use crate::error::Error;
use crate::lines::{Line, Lines, NextLine};

/// The result of [`Frames::next`].
#[derive(Debug)]
pub enum NextFrame<'a> {
    /// A dispatched block.
    Frame(Frame<'a>),
    /// The data is used up.
    More,
    /// The block grew past its limit.
    TooLarge(Error),
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
    pub fn at_start(&mut self) -> bool {
        self.forget_read();
        !self.block.has_begun && self.lines.at_start()
    }

    /// Skips `length` bytes, whole blocks, that the caller has read itself.
    #[inline]
    pub fn skip(&mut self, length: usize) {
        self.lines.skip(length);
    }

    /// Takes the next frame from `data`, which is moved on past it.
    pub fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> NextFrame<'s> {
        self.forget_read();
        if let Some(frame) = self.whole_frame(data) {
            return NextFrame::Frame(frame);
        }
        loop {
            let room = self.max_size - self.block.size();
            match self.lines.next(data, room) {
                NextLine::More => return NextFrame::More,
                NextLine::TooLarge(start) => {
                    let start = start.to_vec();
                    return NextFrame::TooLarge(self.too_large(&start));
                }
                // A blank line without a block before it dispatches nothing.
                NextLine::Line(Line { bytes: b"", .. }) if !self.block.has_begun => {}
                NextLine::Line(line) if self.block.is_in_value() => {
                    self.block.end_value(line.bytes);
                }
                NextLine::Line(Line { bytes: b"", .. }) => {
                    self.is_read = true;
                    return NextFrame::Frame(self.block.frame());
                }
                NextLine::Line(line) => match self.block.data_start_in(&line) {
                    None => {
                        self.block.line(line.bytes, line.offset, self.is_error);
                        self.retry = self.block.retry.or(self.retry);
                    }
                    Some(start) => {
                        let offset = line.offset + start as u64;
                        self.block.take_over(start, offset, &mut self.lines);
                    }
                },
            }
        }
    }

    /// Hands over the buffer with the data of the frame handed out last, and where in it the data starts.
    ///
    /// Only where [`Frame::is_large`] holds: such a buffer is not kept for the next block, and who takes
    /// it spares a copy.
    pub fn take_data(&mut self) -> Large {
        self.block.take_data()
    }

    /// At least as many bytes as [`Self::take_begun`] could take.
    #[inline]
    pub fn held(&self) -> usize {
        self.lines.held() + self.block.data().len()
    }

    /// Takes the beginning of the unfinished block's data, if more than `held` bytes of it are here.
    ///
    /// It ends with a whole character. Its frame is large, and has the rest alone.
    pub fn take_begun(&mut self, held: usize) -> Option<Large> {
        self.forget_read();
        self.block.take_begun(&mut self.lines, held)
    }

    /// The block as it stands at the end of the stream; `takes_line` takes an unfinished line as
    /// finished, instead of leaving it out.
    ///
    /// # Errors
    ///
    /// The beginning of a BOM turns out to be a line, and one that does not fit.
    pub fn close(&mut self, takes_line: bool) -> Result<Option<Frame<'_>>, Error> {
        self.forget_read();
        let offset = self.lines.line_offset();
        let line = self.lines.take_unfinished();
        let room = self.max_size - self.block.size();
        if line.len() > room {
            return Err(self.too_large(&line[..=room]));
        }
        if self.block.is_in_value() {
            self.block.end_value(&line);
        } else if takes_line && !line.is_empty() {
            self.block.line(&line, offset, self.is_error);
            self.retry = self.block.retry.or(self.retry);
        }
        Ok(self.block.has_begun.then(|| self.block.frame()))
    }

    /// The frame of ordinary traffic: one `data` line, perhaps behind an `event` line, and a blank one, whole in
    /// this read. It is handed out where it lies, which saves a search per line and a copy.
    fn whole_frame<'d>(&mut self, data: &mut &'d [u8]) -> Option<Frame<'d>> {
        let (event, value) = match data.strip_prefix(b"data:") {
            Some(value) => (&b""[..], value),
            None => event_line(data)?,
        };
        if !self.at_start() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', value)?;
        let (value, rest) = (&value[..end], &value[end..]);
        let ending = ending(rest)?;
        let (start, ends) = data.split_at(data.len() - rest.len());
        // A frame that comes close to the limit is measured line by line.
        if start.len() > self.max_size {
            return None;
        }
        let text = value.strip_prefix(b" ").unwrap_or(value);
        let head = &start[..start.len() - text.len()];
        let offset = self.lines.line_offset() + head.len() as u64;
        self.lines.skip(start.len() + ending);
        *data = &ends[ending..];
        Some(Frame {
            data: Some(text),
            event,
            id: None,
            retry: None,
            error: None,
            offset,
            head,
            is_large: false,
        })
    }

    /// Reads `data` if it is one frame of ordinary traffic, a `data` line and a blank one, and returns its value.
    #[inline]
    pub fn only_data<'d>(&mut self, data: &'d [u8]) -> Option<&'d [u8]> {
        let rest = data.strip_prefix(b"data:")?;
        let value = rest
            .strip_suffix(b"\n\n")
            .or_else(|| rest.strip_suffix(b"\r\n\r\n"))?;
        let is_whole = self.at_start() && value.len() + 5 <= self.max_size;
        if !is_whole || memchr2(b'\n', b'\r', value).is_some() {
            return None;
        }
        self.lines.skip(data.len());
        Some(value.strip_prefix(b" ").unwrap_or(value))
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
        if self.block.is_in_value() {
            self.block.end_value(start);
        } else if start.starts_with(b"data:") {
            self.block.line(start, offset, None);
        }
        let offset = self.block.data_offset().unwrap_or(offset);
        Error::EventTooLarge {
            limit: self.max_size,
            offset,
            frame: self.block.head(),
        }
    }
}

/// The value of the `event` line that `data` begins with, and the `data` line behind it, without its field name.
fn event_line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = data.strip_prefix(b"event:")?;
    let end = memchr2(b'\n', b'\r', value)?;
    let (event, rest) = value.split_at(end);
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    let rest = rest.strip_prefix(b"\n")?;
    let event = event.strip_prefix(b" ").unwrap_or(event);
    Some((event, rest.strip_prefix(b"data:")?))
}

/// The length of the line's end and the blank line that `rest` begins with.
fn ending(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\n', b'\n', ..] => Some(2),
        [b'\r', b'\n', b'\r', b'\n', ..] => Some(4),
        _ => None,
    }
}
