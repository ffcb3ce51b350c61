//! Bytes → lines, as the WHATWG event-stream format cuts them.
//!
//! Lines are cut on bytes and decoded whole: CR, LF and the colon never occur inside a UTF-8
//! sequence, so the result is that of decoding first. Every byte is looked at once: the rest
//! of a read waits in `carry`, already searched.

use memchr::memchr2;

/// "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
const BOM: &[u8; 3] = b"\xEF\xBB\xBF";

/// A buffer larger than this is given back to the allocator once it is read, in bytes.
pub(crate) const KEPT_CAPACITY: usize = 128 * 1024;

/// A line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The stream's offset of its first byte.
    pub offset: u64,
    /// It lies in the reader's own buffer, which can be had by [`Lines::swap_carry`].
    pub is_carried: bool,
}

/// The result of [`Lines::next`].
#[derive(Debug, PartialEq, Eq)]
pub enum NextLine<'a> {
    /// A whole line.
    Line(Line<'a>),
    /// A line that does not fit: its first `room + 1` bytes.
    TooLarge(&'a [u8]),
    /// The data is used up.
    More,
}

/// Cuts a stream of bytes into lines.
///
/// ```
/// use millstream::lines::{Line, Lines, NextLine};
///
/// let mut lines = Lines::default();
/// let mut data: &[u8] = b"data: a\r";
/// let line = Line { bytes: b"data: a", offset: 0, is_carried: false };
/// assert_eq!(lines.next(&mut data, 100), NextLine::Line(line));
/// let mut data: &[u8] = b"\nx";
/// assert_eq!(lines.next(&mut data, 100), NextLine::More);
/// assert_eq!(lines.unfinished(), b"x");
/// ```
#[derive(Debug, Default)]
pub struct Lines {
    /// The start of a line whose end has not arrived.
    carry: Vec<u8>,
    /// `carry` was handed out and is to be cleared.
    is_read: bool,
    /// The last byte was a CR: an LF that follows belongs to the same line end.
    skip_lf: bool,
    /// How many bytes of a leading BOM were seen; 4 once the question is settled.
    bom: u8,
    /// The stream's offset of the next byte to come.
    offset: u64,
    /// The stream's offset of the current line's first byte.
    line_offset: u64,
}

impl Lines {
    /// Takes the next line from `data`, which is moved on past it.
    ///
    /// `room` is the longest line allowed, in bytes. "Lines must be separated by either a U+000D
    /// CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair, a single U+000A LINE FEED (LF)
    /// character, or a single U+000D CARRIAGE RETURN (CR) character": a CR ends its line at once,
    /// without waiting for the LF that may follow.
    #[inline]
    pub fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8], room: usize) -> NextLine<'s> {
        self.forget_read();
        if self.skip_lf || self.bom < 4 {
            self.settle(data);
        }
        if data.is_empty() {
            return NextLine::More;
        }
        let Some(end) = memchr2(b'\n', b'\r', data) else {
            return self.carry_over(data, room);
        };
        if self.carry.len() + end > room {
            return self.too_long(data, room);
        }
        let (line, rest) = (&data[..end], &data[end..]);
        let ending = 1 + usize::from(rest.starts_with(b"\r\n"));
        self.skip_lf = rest == b"\r";
        *data = &rest[ending..];
        let offset = self.line_offset;
        self.advance(end + ending);
        if self.carry.is_empty() {
            return NextLine::Line(Line {
                bytes: line,
                offset,
                is_carried: false,
            });
        }
        self.carry.extend_from_slice(line);
        self.is_read = true;
        NextLine::Line(Line {
            bytes: &self.carry,
            offset,
            is_carried: true,
        })
    }

    /// Whether the stream stands at the start of a line, with nothing to settle first.
    pub fn at_start(&self) -> bool {
        (self.carry.is_empty() || self.is_read) && !self.skip_lf && self.bom == 4
    }

    /// Notes that `count` bytes, whole lines of them, were read past this reader.
    ///
    /// Only where [`Self::at_start`] holds.
    pub fn skip(&mut self, count: usize) {
        self.forget_read();
        self.advance(count);
    }

    /// Swaps the buffer that holds the line handed out last with `buffer`: spares a long line a
    /// copy.
    pub fn swap_carry(&mut self, buffer: &mut Vec<u8>) {
        std::mem::swap(&mut self.carry, buffer);
    }

    /// The stream's offset of the line that the next byte belongs to.
    pub fn line_offset(&self) -> u64 {
        self.line_offset
    }

    /// The bytes of a line without an end.
    pub fn unfinished(&mut self) -> &[u8] {
        self.forget_read();
        if self.bom < 3 {
            self.no_bom();
        }
        &self.carry
    }

    /// Takes the bytes of a line without an end.
    pub fn take_unfinished(&mut self) -> Vec<u8> {
        self.unfinished();
        std::mem::take(&mut self.carry)
    }

    /// How many bytes the buffer holds.
    #[inline]
    pub fn held(&self) -> usize {
        self.carry.len()
    }

    /// The bytes of a line without an end, as far as they are settled.
    pub fn carried(&mut self) -> &[u8] {
        self.forget_read();
        &self.carry
    }

    /// Takes the first `end` bytes of what [`Self::carried`] returns, in their buffer. The rest of the line comes
    /// as a line of its own, with the offset of the whole one; its `room` does not include what was taken.
    pub fn take_carried(&mut self, end: usize) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.carry.capacity());
        rest.extend_from_slice(&self.carry[end..]);
        self.carry.truncate(end);
        std::mem::replace(&mut self.carry, rest)
    }

    fn advance(&mut self, count: usize) {
        self.offset += count as u64;
        self.line_offset = self.offset;
    }

    #[inline]
    fn forget_read(&mut self) {
        if self.is_read {
            self.carry.clear();
            self.carry.shrink_to(KEPT_CAPACITY);
            self.is_read = false;
        }
    }

    /// Passes over the LF of a CRLF that was split, and over the BOM.
    fn settle(&mut self, data: &mut &[u8]) {
        if let (true, Some((first, rest))) = (self.skip_lf, data.split_first()) {
            self.skip_lf = false;
            if *first == b'\n' {
                *data = rest;
                self.offset += 1;
                self.line_offset = self.offset;
            }
        }
        while self.bom < 3 {
            let Some((first, rest)) = data.split_first() else {
                return;
            };
            if *first != BOM[usize::from(self.bom)] {
                return self.no_bom();
            }
            *data = rest;
            self.offset += 1;
            self.bom += 1;
        }
        if self.bom == 3 {
            self.line_offset = self.offset;
            self.bom = 4;
        }
    }

    /// The beginning of a BOM is the start of the first line.
    fn no_bom(&mut self) {
        self.carry.extend_from_slice(&BOM[..usize::from(self.bom)]);
        self.bom = 4;
    }

    fn carry_over(&mut self, data: &mut &[u8], room: usize) -> NextLine<'_> {
        if self.carry.len() + data.len() > room {
            return self.too_long(data, room);
        }
        if let [byte] = data {
            // Reads of one byte are many, and a push is cheaper than a copy.
            self.carry.push(*byte);
        } else {
            let (length, size) = (self.carry.len(), self.carry.len() + data.len());
            if self.carry.capacity() < size {
                // Twice as much keeps the time linear; more than the room is never needed.
                let capacity = size.max(2 * length).min(room.saturating_add(1));
                self.carry.reserve_exact(capacity - length);
            }
            self.carry.extend_from_slice(data);
        }
        self.offset += data.len() as u64;
        *data = &[];
        NextLine::More
    }

    fn too_long(&mut self, data: &[u8], room: usize) -> NextLine<'_> {
        let count = (room + 1).saturating_sub(self.carry.len());
        self.carry.extend_from_slice(&data[..count.min(data.len())]);
        self.carry.truncate(room + 1);
        NextLine::TooLarge(&self.carry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for read in reads {
            let mut data = *read;
            while let NextLine::Line(line) = lines.next(&mut data, usize::MAX - 1) {
                found.push(line.bytes.to_vec());
            }
        }
        found.push(lines.unfinished().to_vec());
        found
    }

    #[test]
    fn every_split_gives_the_same_lines() {
        let text = b"\xEF\xBB\xBFa\r\nb\rc\n\r\n\n\rd\xEF\xBB\xBFe\r";
        let whole = lines(&[text]);
        assert_eq!(whole.len(), 8);
        for i in 0..=text.len() {
            assert_eq!(lines(&[&text[..i], &text[i..]]), whole, "split at {i}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes), whole);
    }

    #[test]
    fn what_only_began_like_a_bom_is_content() {
        assert_eq!(
            lines(&[b"\xEF", b"\xBBx\n"]),
            [b"\xEF\xBBx".to_vec(), vec![]]
        );
        assert_eq!(lines(&[b"\xEF\xBB"]), [b"\xEF\xBB".to_vec()]);
        assert_eq!(lines(&[b"\xEF\xBB\xBF"]), [b"".to_vec()]);
    }

    #[test]
    fn a_long_line_is_cut_where_the_room_ends() {
        let mut lines = Lines::default();
        let mut data: &[u8] = b"ab";
        assert_eq!(lines.next(&mut data, 3), NextLine::More);
        let mut data: &[u8] = b"cdef\n";
        assert_eq!(lines.next(&mut data, 3), NextLine::TooLarge(b"abcd"));
    }
}
