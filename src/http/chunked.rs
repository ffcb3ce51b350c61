//! The chunked coding, read strictly: RFC 9112, section 7.1.

use super::error::Error;
use super::limits::Limits;
use super::section::{NextSection, Section};

/// How long the line with a chunk's size may be, its extensions included, in bytes. No server we
/// know of sends extensions at all.
const LINE_SIZE: usize = 4096;

/// "chunk-size = 1*HEXDIG": as many digits as 64 bits have.
const MAX_DIGITS: u8 = 16;

/// As many digits as are read at once where the whole chunk is there.
const MAX_FAST_DIGITS: usize = 7;

/// Where in a chunk the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkState {
    /// Before its size.
    Start,
    /// Behind so many digits of its size.
    Size(u8),
    /// In the white space behind its size.
    Space,
    /// In its extensions.
    Extension,
    /// Behind the CR of its line.
    LineFeed,
    /// In its data.
    Data,
    /// Behind its data.
    DataCr,
    /// Behind the CR that follows its data.
    DataLf,
    /// Behind the last chunk.
    Trailers,
    /// Behind the body.
    Ended,
}

/// Reads a body in chunks.
#[derive(Debug)]
pub(super) struct Chunked {
    state: ChunkState,
    /// The number of bytes missing of the chunk's data, or its size as far as it is read.
    left: u64,
    /// How much of the line with its size was read.
    line_size: usize,
    trailers: Section,
    trailer_size: usize,
    trailer_count: usize,
}

impl Chunked {
    /// A reader at the start of a body.
    pub fn new(limits: &Limits) -> Self {
        Self {
            state: ChunkState::Start,
            left: 0,
            line_size: 0,
            trailers: Section::of_trailers(),
            trailer_size: limits.trailer_size,
            trailer_count: limits.header_count,
        }
    }

    /// Whether the end has come.
    pub fn has_ended(&self) -> bool {
        self.state == ChunkState::Ended
    }

    /// Hands out the data of the chunks in `data`, and moves `data` on behind the body.
    pub fn feed<'d>(
        &mut self,
        data: &mut &'d [u8],
        body: &mut impl FnMut(&'d [u8]),
    ) -> Result<(), Error> {
        while let Some(&byte) = data.first() {
            match self.state {
                ChunkState::Start => {
                    if let Some(piece) = whole_chunk(data) {
                        body(piece);
                    } else {
                        (self.left, self.line_size) = (0, 0);
                        self.state = ChunkState::Size(0);
                    }
                }
                ChunkState::Data => {
                    hand_out_up_to(&mut self.left, data, body);
                    if self.left == 0 {
                        self.state = ChunkState::DataCr;
                    }
                }
                ChunkState::Trailers => self.read_trailers(data)?,
                ChunkState::Ended => break,
                _ => {
                    self.state = self.next(byte)?;
                    *data = &data[1..];
                }
            }
        }
        Ok(())
    }

    /// Reads one byte of the framing around the data.
    fn next(&mut self, byte: u8) -> Result<ChunkState, Error> {
        match (self.state, byte) {
            (ChunkState::DataCr, b'\r') => return Ok(ChunkState::DataLf),
            (ChunkState::DataLf, b'\n') => return Ok(ChunkState::Start),
            // h11 once took any two bytes for this CRLF, and so another body than its peers
            // (CVE-2025-43859).
            (ChunkState::DataCr | ChunkState::DataLf, _) => return Err(Error::ChunkEnd(byte)),
            _ => {}
        }
        self.line_size += 1;
        if self.line_size > LINE_SIZE {
            return Err(Error::ChunkLineTooLong(LINE_SIZE));
        }
        match (self.state, byte) {
            (ChunkState::Size(count), _) if byte.is_ascii_hexdigit() => self.digit(count, byte),
            (ChunkState::Size(0), _) => Err(Error::ChunkLine(byte)),
            // Some servers pad their sizes with spaces.
            (ChunkState::Size(_) | ChunkState::Space, b' ' | b'\t') => Ok(ChunkState::Space),
            // "A recipient MUST ignore unrecognized chunk extensions."
            (ChunkState::Size(_) | ChunkState::Space, b';')
            | (ChunkState::Extension, b'\t' | b' '..=b'~' | 0x80..) => Ok(ChunkState::Extension),
            (ChunkState::Size(_) | ChunkState::Space | ChunkState::Extension, b'\r') => {
                Ok(ChunkState::LineFeed)
            }
            (ChunkState::LineFeed, b'\n') if self.left == 0 => Ok(ChunkState::Trailers),
            (ChunkState::LineFeed, b'\n') => Ok(ChunkState::Data),
            _ => Err(Error::ChunkLine(byte)),
        }
    }

    /// "Recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing
    /// errors due to integer conversion overflows".
    fn digit(&mut self, count: u8, byte: u8) -> Result<ChunkState, Error> {
        if count == MAX_DIGITS {
            return Err(Error::ChunkSizeTooLong);
        }
        self.left = self.left << 4 | u64::from(value_of(byte).unwrap_or(0));
        Ok(ChunkState::Size(count + 1))
    }

    /// Checks the trailers and skips them.
    fn read_trailers(&mut self, data: &mut &[u8]) -> Result<(), Error> {
        // The blank line is not a trailer.
        match self
            .trailers
            .next(data, self.trailer_size.saturating_add(2))
        {
            NextSection::More => return Ok(()),
            NextSection::TooLarge => return Err(Error::TrailersTooLarge(self.trailer_size)),
            NextSection::Section(b"\r\n") => {}
            NextSection::Section(bytes) => check_trailers(bytes, self.trailer_count)?,
        }
        self.trailers = Section::of_trailers();
        self.state = ChunkState::Ended;
        Ok(())
    }
}

/// Hands out up to `left` bytes of `data`, if there are any.
#[inline]
pub(super) fn hand_out_up_to<'d>(
    left: &mut u64,
    data: &mut &'d [u8],
    body: &mut impl FnMut(&'d [u8]),
) {
    let size = usize::try_from(*left).map_or(data.len(), |left| left.min(data.len()));
    let (piece, rest) = data.split_at(size);
    *left -= size as u64;
    *data = rest;
    if !piece.is_empty() {
        body(piece);
    }
}

/// Refuses trailers that are not header lines, each ending in CRLF.
fn check_trailers(bytes: &[u8], max_count: usize) -> Result<(), Error> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    if !lines.all(|line| line.ends_with(b"\r\n")) {
        return Err(Error::Trailers);
    }
    let count = memchr::memchr_iter(b'\n', bytes).count() - 1;
    if count > max_count {
        return Err(Error::TooManyTrailers(max_count));
    }
    let mut headers = vec![httparse::EMPTY_HEADER; count];
    match httparse::parse_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete((size, _))) if size == bytes.len() => Ok(()),
        _ => Err(Error::Trailers),
    }
}

/// The chunk of ordinary traffic, neither empty nor huge and whole in this read: its data, where
/// it lies. `data` is moved on past it, or left alone where the chunk is another one.
#[inline]
fn whole_chunk<'d>(data: &mut &'d [u8]) -> Option<&'d [u8]> {
    let mut size = 0;
    let mut count = 0;
    while let Some(digit) = value_of(*data.get(count)?) {
        size = size << 4 | usize::from(digit);
        count += 1;
        if count > MAX_FAST_DIGITS {
            return None;
        }
    }
    let (piece, rest) = data[count..]
        .strip_prefix(b"\r\n")?
        .split_at_checked(size)?;
    if count == 0 || piece.is_empty() {
        return None;
    }
    *data = rest.strip_prefix(b"\r\n")?;
    Some(piece)
}

/// The value of a hexadecimal digit.
#[inline]
fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
