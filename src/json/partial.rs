//! Documents that arrive piece by piece: a reader that stops and goes on anywhere.

mod machine;

use std::sync::Arc;

use self::machine::{Expected, Machine, Wrong};
use super::changes::{Change, Cursor};
use super::tape::Tape;
use crate::error::Error;

/// Reads a document that arrives piece by piece.
///
/// At any time [`Self::tape`] is the document so far, and [`Self::changes`] returns what is new in it.
/// Feeding takes time linear in the text, whatever the pieces.
///
/// ```
/// let mut json = millstream::json::JsonAssembler::new(true);
/// json.feed(r#"{"a": [1, 2"#);
/// assert!(!json.is_complete());
/// json.feed("]}");
/// assert!(json.is_complete());
/// ```
#[derive(Debug)]
pub struct JsonAssembler {
    /// Shared with a caller that is building a value of it at this moment.
    tape: Arc<Tape>,
    cursor: Cursor,
    machine: Machine,
    /// How many characters were read.
    characters: u64,
}

impl JsonAssembler {
    /// An assembler at the start of a document; `strict` refuses control characters in strings, as
    /// RFC 8259 does.
    pub fn new(strict: bool) -> Self {
        Self {
            tape: Arc::default(),
            cursor: Cursor::default(),
            machine: Machine::new(strict),
            characters: 0,
        }
    }

    /// Reads on. Returns the error in the text, after which nothing more may be fed.
    pub fn feed(&mut self, text: &str) -> Option<Error> {
        let tape = Arc::make_mut(&mut self.tape);
        let (at, fits) = self.machine.read(tape, text);
        self.characters += text.get(..at).unwrap_or(text).chars().count() as u64;
        fits.err().map(|wrong| self.error(wrong))
    }

    /// Reads on in text with halves of surrogate pairs among its characters.
    pub fn feed_codes(&mut self, text: impl Iterator<Item = u32>) -> Option<Error> {
        let mut whole = String::new();
        for code in text {
            let Some(character) = char::from_u32(code) else {
                let error = self.feed(&whole).or_else(|| self.feed_half(code));
                if error.is_some() {
                    return error;
                }
                whole.clear();
                continue;
            };
            whole.push(character);
        }
        self.feed(&whole)
    }

    /// The text ends here: a number that is the whole document ends with it.
    pub fn close(&mut self) {
        if self.machine.depth == 0 {
            self.machine.end_number(Arc::make_mut(&mut self.tape));
        }
    }

    /// The document as far as it is known; holding it makes the next [`Self::feed`] copy it.
    pub fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }

    /// Whether the document is whole.
    pub fn is_complete(&self) -> bool {
        self.machine.depth == 0 && self.machine.expected == Expected::After
    }

    /// Whether the text so far is a document, if nothing follows.
    pub(crate) fn could_end(&self) -> bool {
        let may_end = matches!(self.machine.expected, Expected::Number(part) if part.is_whole());
        self.is_complete() || (may_end && self.machine.depth == 0)
    }

    /// Drops the tokens so far: the caller only needs to know where the document ends.
    pub(crate) fn forget(&mut self) {
        Arc::make_mut(&mut self.tape).forget();
    }

    /// Whether [`Self::changes`] makes use of its `max_digits` now.
    pub fn needs_max_digits(&self) -> bool {
        self.cursor.reported_long_number(&self.tape)
    }

    /// The changes since the last call. Without `appends` a string that grew is reported whole. An integer
    /// of `max_digits` characters and more is compared as a float.
    ///
    /// Takes time linear in the text fed since, and in the paths it returns.
    pub fn changes(&mut self, appends: bool, max_digits: usize) -> Vec<Change> {
        self.cursor.changes(&self.tape, appends, max_digits)
    }

    /// A half stands for itself in a string, and is wrong anywhere else.
    fn feed_half(&mut self, code: u32) -> Option<Error> {
        let tape = Arc::make_mut(&mut self.tape);
        if self.machine.expected != Expected::Text {
            // As any other character, it ends a number before it is wrong.
            self.machine.end_number(tape);
            return Some(self.error(Wrong::Invalid));
        }
        self.machine.joiner(tape).push(code);
        tape.extend(false);
        self.characters += 1;
        None
    }

    fn error(&self, wrong: Wrong) -> Error {
        let offset = self.characters;
        match wrong {
            Wrong::Invalid => Error::TextNotJson { offset },
            Wrong::TooDeep => Error::JsonTooDeep { offset },
        }
    }
}
