//! The changes of a document that grows, as operations like those of JSON Patch (RFC 6902).

use std::fmt::Write as _;

use super::numbers::{LEAST_DIGITS, equal, read_number};
use super::tape::{Tape, TokenKind};

/// The kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A member of an object, or the next element of an array, has arrived.
    Add,
    /// The document has begun, a number says something else, or a string that grew is reported whole.
    Replace,
    /// A string has grown.
    Append,
}

impl Operation {
    /// Its name in a patch.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Append => "append",
        }
    }
}

/// The value of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeValue {
    /// The value at this token of the tape.
    Value(usize),
    /// The text of the tape from one position to another.
    Text(usize, usize),
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of change.
    pub operation: Operation,
    /// Where: a JSON Pointer (RFC 6901).
    pub path: String,
    /// The new value, or the text to append.
    pub value: ChangeValue,
}

/// A container that is open where the cursor stands.
#[derive(Clone, Copy, Debug)]
enum Level {
    /// An array, and how many of its elements were reported.
    Array(usize),
    /// An object, and the token of the last key that was reported.
    Object(usize),
}

/// The position up to which a tape has been reported.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The tokens before this one were reported; the last of them may have grown since.
    at: usize,
    /// How much of the text had been reported.
    text: usize,
    /// The last token reported was a number that might go on.
    grew: bool,
    open: Vec<Level>,
}

impl Cursor {
    /// Returns the changes since the last call; `appends` says how a string that grew is reported, and
    /// `max_digits` from how many characters on an integer is a float.
    pub(super) fn changes(&mut self, tape: &Tape, appends: bool, max_digits: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        changes.extend(self.change_last(tape, appends, max_digits));
        while let Some(kind) = tape.kind(self.at) {
            match kind {
                TokenKind::Key if self.at + 1 == tape.len() => break,
                TokenKind::Key | TokenKind::End => self.skip(tape),
                _ => self.add_value(tape, &mut changes),
            }
        }
        if let Some(last) = self.at.checked_sub(1) {
            self.text = tape.end(last);
            self.grew = tape.grows(last);
        }
        changes
    }

    /// Whether the last token reported is a number long enough for an integer to be a float.
    pub(super) fn reported_long_number(&self, tape: &Tape) -> bool {
        let last = self.at.saturating_sub(1);
        self.grew && tape.end(last) - tape.start(last) >= LEAST_DIGITS
    }

    /// The change of the last token reported: a string that grew, or a number whose value changed.
    fn change_last(&mut self, tape: &Tape, appends: bool, max_digits: usize) -> Option<Change> {
        let last = self.at.checked_sub(1)?;
        let (start, end) = (tape.start(last), tape.end(last));
        let (operation, value) = match tape.kind(last) {
            Some(TokenKind::String) if end > self.text && appends => {
                (Operation::Append, ChangeValue::Text(self.text, end))
            }
            Some(TokenKind::String) if end > self.text => {
                (Operation::Replace, ChangeValue::Value(last))
            }
            Some(TokenKind::Number) if self.grew => {
                let then = read_number(tape.text(start, self.text), true, max_digits);
                if equal(
                    then,
                    read_number(tape.string(last), tape.grows(last), max_digits),
                ) {
                    return None;
                }
                (Operation::Replace, ChangeValue::Value(last))
            }
            _ => return None,
        };
        Some(Change {
            operation,
            path: self.path(tape),
            value,
        })
    }

    /// The change for a new value, with everything in it.
    fn add_value(&mut self, tape: &Tape, changes: &mut Vec<Change>) {
        let (place, depth) = (self.at, self.open.len());
        let operation = if depth == 0 {
            Operation::Replace
        } else {
            Operation::Add
        };
        if let Some(Level::Array(count)) = self.open.last_mut() {
            *count += 1;
        }
        let path = self.path(tape);
        changes.push(Change {
            operation,
            path,
            value: ChangeValue::Value(place),
        });
        self.begin(tape);
        while self.open.len() > depth && self.at < tape.len() {
            if tape.kind(self.at) == Some(TokenKind::Key) && self.at + 1 == tape.len() {
                break;
            }
            self.skip(tape);
        }
    }

    /// Passes over a token, whatever it is.
    fn skip(&mut self, tape: &Tape) {
        match (tape.kind(self.at), self.open.last_mut()) {
            (Some(TokenKind::Key), Some(Level::Object(key))) => *key = self.at,
            (Some(TokenKind::End), _) => {
                self.open.pop();
            }
            (_, Some(Level::Array(count))) => {
                *count += 1;
                return self.begin(tape);
            }
            _ => return self.begin(tape),
        }
        self.at += 1;
    }

    /// Passes over the first token of a value.
    fn begin(&mut self, tape: &Tape) {
        match tape.kind(self.at) {
            Some(TokenKind::Array) => self.open.push(Level::Array(0)),
            Some(TokenKind::Object) => self.open.push(Level::Object(0)),
            _ => {}
        }
        self.at += 1;
    }

    /// The path of the value reported last.
    fn path(&self, tape: &Tape) -> String {
        let mut path = String::new();
        for level in &self.open {
            path.push('/');
            match level {
                Level::Array(count) => {
                    // Writing to a string does not fail.
                    let _ = write!(path, "{}", count.saturating_sub(1));
                }
                Level::Object(key) => write_key(&mut path, tape.string(*key)),
            }
        }
        path
    }
}

/// "the characters '~' (%x7E) and '/' (%x2F) [...] need to be encoded as '~0' and '~1'"
fn write_key(path: &mut String, key: &str) {
    for character in key.chars() {
        match character {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            other => path.push(other),
        }
    }
}
