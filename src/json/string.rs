//! JSON strings: kept as they were sent, unescaped on demand.

use std::borrow::Cow;

use super::scan::Token;
use crate::text::{Held, Joiner};

/// The inside of a JSON string, valid and as it was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw<'p> {
    text: &'p str,
    /// Twice the place of its opening quote in the document, and 1 more if it has a backslash. A flag
    /// of its own would make an `Option` of this slow to move: its bytes do not fill a word.
    place: usize,
}

impl<'p> Raw<'p> {
    /// A string without characters.
    pub const EMPTY: Self = Self { text: "", place: 0 };

    /// `text` is the inside of a valid JSON string; `is_escaped` says whether it has a backslash.
    pub(super) fn new(text: &'p str, is_escaped: bool, at: usize) -> Self {
        Self {
            text,
            place: at << 1 | usize::from(is_escaped),
        }
    }

    /// Where the string stands in its document.
    pub fn token(self) -> Token {
        let start = self.place >> 1;
        Token {
            start,
            end: start + self.text.len() + 2,
            is_string: true,
        }
    }

    /// Whether the string is `""`.
    pub fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// The string, with U+FFFD for every lone surrogate.
    pub fn whole(self) -> Cow<'p, str> {
        let mut held = None;
        let text = self.joined(&mut held);
        match held {
            None => text,
            Some(_) => Cow::Owned(text.into_owned() + "\u{FFFD}"),
        }
    }

    /// The string behind the half of a surrogate pair that `held` may hold; a half at its own end
    /// is left there.
    ///
    /// Borrows where nothing is to be read: no escapes and nothing held.
    pub fn joined(self, held: &mut Held) -> Cow<'p, str> {
        if self.is_empty() || (!self.is_escaped() && held.is_none()) {
            return Cow::Borrowed(self.text);
        }
        let mut out = String::with_capacity(self.text.len() + 3);
        unescape(
            self.text,
            &mut Joiner {
                held,
                out: &mut out,
            },
        );
        Cow::Owned(out)
    }

    /// The string, where it has no escapes to read.
    pub fn plain(self) -> Option<&'p str> {
        (!self.is_escaped()).then_some(self.text)
    }

    fn is_escaped(self) -> bool {
        self.place & 1 == 1
    }
}

fn unescape(text: &str, out: &mut Joiner<'_>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        let code = match escape {
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'u' => {
                let code = u32::from_str_radix(&rest[..4], 16).unwrap_or(0xFFFD);
                rest = &rest[4..];
                code
            }
            other => u32::from(other),
        };
        out.push(code);
    }
    out.push_str(rest);
}
