//! Whole code points across pieces of text: split UTF-8, split surrogate pairs.

use crate::error::Error;
use crate::utf8::{Errors, Utf8Decoder};

/// The high half of a surrogate pair that waits for its low half.
pub type Held = Option<u16>;

/// Appends UTF-16-ish code units to a text, joining surrogate pairs.
///
/// A high half at the end stays in `held`; a caller that needs the result at once calls [`Self::finish`].
#[derive(Debug)]
pub struct Joiner<'a> {
    /// The half that waits.
    pub held: &'a mut Held,
    /// The buffer for whole characters.
    pub out: &'a mut String,
}

impl Joiner<'_> {
    /// Appends one code unit (or a whole code point). Returns how many halves were left alone.
    pub fn push(&mut self, code: u32) -> usize {
        if let (Some(high), 0xDC00..=0xDFFF) = (*self.held, code) {
            *self.held = None;
            let code = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (code - 0xDC00);
            self.out.extend(char::from_u32(code));
            return 0;
        }
        let alone = self.finish();
        match char::from_u32(code) {
            Some(character) => self.out.push(character),
            None if code < 0xDC00 => *self.held = u16::try_from(code).ok(),
            None => {
                self.out.push(char::REPLACEMENT_CHARACTER);
                return alone + 1;
            }
        }
        alone
    }

    /// Appends text without any half.
    pub fn push_str(&mut self, text: &str) {
        if !text.is_empty() {
            self.finish();
            self.out.push_str(text);
        }
    }

    /// The half that waits stays alone: U+FFFD stands for it. Returns how many there were.
    pub fn finish(&mut self) -> usize {
        if self.held.take().is_some() {
            self.out.push(char::REPLACEMENT_CHARACTER);
            return 1;
        }
        0
    }
}

/// Assembles text from pieces that end anywhere: in a UTF-8 sequence, in a surrogate pair.
///
/// One instance takes bytes or characters, not both; the glue sees to that.
#[derive(Debug)]
pub struct TextAssembler {
    errors: Errors,
    utf8: Utf8Decoder,
    held: Held,
    /// How many characters were decided.
    characters: u64,
}

impl TextAssembler {
    /// An assembler at the start of a text.
    pub fn new(errors: Errors) -> Self {
        Self {
            errors,
            utf8: Utf8Decoder::new(errors),
            held: None,
            characters: 0,
        }
    }

    /// Takes bytes; returns the longest text that later bytes cannot change, and the error met behind it.
    pub fn feed_bytes(&mut self, piece: &[u8]) -> (String, Option<Error>) {
        let (text, invalid) = self.utf8.feed(piece);
        (
            text,
            invalid.map(|at| Error::InvalidUtf8 {
                offset: at.offset,
                frame: at.bytes,
            }),
        )
    }

    /// Takes code points, halves of surrogate pairs among them.
    pub fn feed_codes(&mut self, piece: impl Iterator<Item = u32>) -> (String, Option<Error>) {
        let mut out = String::new();
        for code in piece {
            // Under `ignore` and `strict` a lone half must not reach the text: look before.
            let length = out.len();
            let waiting = usize::from(self.held.is_some());
            let alone = Joiner {
                held: &mut self.held,
                out: &mut out,
            }
            .push(code);
            if alone > 0 {
                match self.errors {
                    Errors::Replace => {}
                    Errors::Ignore => without_lone(&mut out, length, alone),
                    Errors::Strict => {
                        out.truncate(length);
                        let offset = self.characters - waiting as u64;
                        return (out, Some(Error::UnpairedSurrogate { offset }));
                    }
                }
            }
            self.characters += 1;
        }
        (out, None)
    }

    /// Ends the text: what waited stays alone.
    pub fn close(&mut self) -> (String, Option<Error>) {
        let (mut text, invalid) = self.utf8.close();
        if self.held.take().is_some() {
            match self.errors {
                Errors::Replace => text.push(char::REPLACEMENT_CHARACTER),
                Errors::Ignore => {}
                Errors::Strict => {
                    let offset = self.characters - 1;
                    return (text, Some(Error::UnpairedSurrogate { offset }));
                }
            }
        }
        (
            text,
            invalid.map(|at| Error::InvalidUtf8 {
                offset: at.offset,
                frame: at.bytes,
            }),
        )
    }
}

/// Takes the first `alone` characters behind `length` out again: U+FFFD, each of three bytes.
fn without_lone(out: &mut String, length: usize, alone: usize) {
    let width = char::REPLACEMENT_CHARACTER.len_utf8() * alone;
    out.replace_range(length..length + width, "");
}
