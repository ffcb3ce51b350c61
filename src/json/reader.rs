//! A reader that validates the whole document and returns only the requested parts.
//!
//! RFC 8259, strictly but for the numbers `NaN`, `Infinity` and `-Infinity`, which servers write, at
//! most [`MAX_DEPTH`] levels deep. No value is built: strings come out as
//! [`Raw`], everything else as the slice it was.

use smallvec::SmallVec;

use super::scan::{Token, number_end, string_end};
use super::string::Raw;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: u32 = 128;

/// So many of the scalars that say nothing are noted: a document with more is compared with no other.
const MAX_NOTED: usize = 64;

/// The document is not valid JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidJson;

type Result<T> = std::result::Result<T, InvalidJson>;

/// Whether `text` is one JSON document.
///
/// ```
/// assert!(millstream::json::is_valid(r#" {"a": [1, "\ud800"]} "#));
/// assert!(!millstream::json::is_valid("[1,]"));
/// ```
pub fn is_valid(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

/// Walks through one document.
#[derive(Debug)]
pub struct Reader<'p> {
    text: &'p str,
    at: usize,
    depth: u32,
    /// The scalars that [`Self::skip_noting`] passed over.
    skipped: SmallVec<[Token; 8]>,
}

impl<'p> Reader<'p> {
    /// A reader at the start of `text`.
    pub fn new(text: &'p str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            skipped: SmallVec::new(),
        }
    }

    /// The document.
    pub fn text(&self) -> &'p str {
        self.text
    }

    /// The strings and numbers that [`Self::skip_noting`] passed over, in order.
    pub fn skipped_scalars(&self) -> &[Token] {
        &self.skipped
    }

    /// The first byte of the next value, white space before it passed over; 0, which starts no
    /// value, at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        match self.byte() {
            byte if byte > b' ' => byte,
            _ => self.pass_space(),
        }
    }

    /// Nothing but white space may follow the document.
    pub fn end(&mut self) -> Result<()> {
        self.peek();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(InvalidJson)
        }
    }

    /// Reads an object, handing each member's name to `member`, which must read its value.
    #[inline]
    pub fn members(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        self.open()?;
        if self.peek() == b'}' {
            self.close();
            return Ok(());
        }
        loop {
            if self.peek() != b'"' {
                return Err(InvalidJson);
            }
            let key = self.string()?;
            if self.peek() != b':' {
                return Err(InvalidJson);
            }
            self.at += 1;
            match key.plain() {
                Some(name) => member(self, name)?,
                None => member(self, &key.whole())?,
            }
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.close();
                    return Ok(());
                }
                _ => return Err(InvalidJson),
            }
        }
    }

    /// Reads an array, calling `element` before each of its elements, which it must read.
    #[inline]
    pub fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.open()?;
        if self.peek() == b']' {
            self.close();
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.close();
                    return Ok(());
                }
                _ => return Err(InvalidJson),
            }
        }
    }

    /// Reads a value; returns it if it is a string.
    pub fn string_or_skip(&mut self) -> Result<Option<Raw<'p>>> {
        if self.peek() == b'"' {
            return self.string().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// Reads a value; returns its text if it is an object.
    pub fn object_or_skip(&mut self) -> Result<Option<&'p str>> {
        let is_object = self.peek() == b'{';
        let text = self.value()?;
        Ok(is_object.then_some(text))
    }

    /// Reads a value; returns its text if it is an object, whose strings and numbers are noted.
    pub fn object_noting(&mut self) -> Result<Option<&'p str>> {
        let is_object = self.peek() == b'{';
        let start = self.at;
        self.skip_noting()?;
        let text = self.text.get(start..self.at).ok_or(InvalidJson)?;
        Ok(is_object.then_some(text))
    }

    /// Reads a value; returns it if it is written in digits alone and fits.
    pub fn index_or_skip(&mut self) -> Result<Option<u32>> {
        let text = self.value()?;
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        Ok(if is_digits { text.parse().ok() } else { None })
    }

    /// Reads a value; returns it if it is `true` or `false`.
    pub fn bool_or_skip(&mut self) -> Result<Option<bool>> {
        Ok(match self.value()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    /// Reads a value; returns its text if it is a number, which is noted as one that says nothing.
    pub fn number_or_skip(&mut self) -> Result<Option<&'p str>> {
        let is_number = matches!(self.peek(), b'-' | b'0'..=b'9' | b'N' | b'I');
        let start = self.at;
        self.skip_noting()?;
        let text = self.text.get(start..self.at).ok_or(InvalidJson)?;
        Ok(is_number.then_some(text))
    }

    /// Reads a value; returns its text.
    pub fn value(&mut self) -> Result<&'p str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or(InvalidJson)
    }

    /// Reads a value that says nothing here, and notes the strings and numbers in it.
    pub fn skip_noting(&mut self) -> Result<()> {
        let first = self.peek();
        let start = self.at;
        match first {
            b'{' => return self.members(|reader, _| reader.skip_noting()),
            b'[' => return self.elements(Self::skip_noting),
            _ => self.skip()?,
        }
        let is_scalar = matches!(first, b'"' | b'-' | b'0'..=b'9' | b'N' | b'I');
        if is_scalar && self.skipped.len() < MAX_NOTED {
            self.skipped.push(Token {
                start,
                end: self.at,
                is_string: first == b'"',
            });
        }
        Ok(())
    }

    /// Reads a value and forgets it.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek() {
            b'"' => self.string().map(drop),
            b'{' => self.members(|reader, _| reader.skip()),
            b'[' => self.elements(Self::skip),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' | b'N' | b'I' => self.number(),
            _ => Err(InvalidJson),
        }
    }

    #[cold]
    fn pass_space(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| is_space(**byte)).count();
        self.byte()
    }

    fn open(&mut self) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(InvalidJson);
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(InvalidJson);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        self.at = number_end(self.text.as_bytes(), self.at).ok_or(InvalidJson)?;
        Ok(())
    }

    #[inline]
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Reads a string; the reader stands at its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Raw<'p>> {
        let start = self.at + 1;
        let end = string_end(self.text.as_bytes(), start).ok_or(InvalidJson)?;
        self.at = end.at + 1;
        let text = self.text.get(start..end.at).ok_or(InvalidJson)?;
        Ok(Raw::new(text, end.is_escaped, start - 1))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
