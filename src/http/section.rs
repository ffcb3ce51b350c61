//! Bytes → a section up to its blank line: a head, or trailers.
//!
//! Every byte is looked at once, however the reads fall; a section that is whole in one read is
//! handed out where it lies.

use memchr::memchr;

/// Where the search for the blank line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Inside a line.
    InLine,
    /// At the start of a line.
    LineStart,
    /// Behind a CR that is all its line has so far.
    Cr,
}

/// The result of [`Section::next`].
#[derive(Debug, PartialEq, Eq)]
pub enum NextSection<'a> {
    /// The section, its blank line included.
    Section(&'a [u8]),
    /// The data is used up.
    More,
    /// The section does not fit.
    TooLarge,
}

/// Collects the bytes up to the first blank line. Lines end in LF, behind a CR or not.
#[derive(Debug)]
pub struct Section {
    carry: Vec<u8>,
    at: At,
}

impl Section {
    /// A section that begins with a line that is not blank, whatever it is.
    pub fn of_head() -> Self {
        Self {
            carry: Vec::new(),
            at: At::InLine,
        }
    }

    /// A section that may be a blank line alone.
    pub fn of_trailers() -> Self {
        Self {
            carry: Vec::new(),
            at: At::LineStart,
        }
    }

    /// How many bytes wait for more.
    pub fn len(&self) -> usize {
        self.carry.len()
    }

    /// Takes the section from `data`, which is moved on past it; it may have `room` bytes.
    pub fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8], room: usize) -> NextSection<'s> {
        let end = self.end_in(data);
        let (mine, rest) = data.split_at(end.unwrap_or(data.len()));
        if mine.len() > room - self.carry.len() {
            return NextSection::TooLarge;
        }
        *data = rest;
        if end.is_some() && self.carry.is_empty() {
            return NextSection::Section(mine);
        }
        self.carry.extend_from_slice(mine);
        if end.is_some() {
            NextSection::Section(&self.carry)
        } else {
            NextSection::More
        }
    }

    /// Where the section ends in `data`, if it does.
    fn end_in(&mut self, data: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            match (self.at, data.get(at)?) {
                (At::InLine, _) => {
                    at += memchr(b'\n', &data[at..])?;
                    self.at = At::LineStart;
                }
                (At::LineStart | At::Cr, b'\n') => return Some(at + 1),
                (At::LineStart, b'\r') => self.at = At::Cr,
                (At::LineStart | At::Cr, _) => self.at = At::InLine,
            }
            at += 1;
        }
    }
}
