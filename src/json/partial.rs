//! Documents that arrive piece by piece: a reader that stops and goes on anywhere.

use std::sync::Arc;

use super::changes::{Change, Cursor};
use super::numbers::Part;
use super::reader::MAX_DEPTH;
use super::scan::plain_length;
use super::tape::{Kind, Tape};
use crate::error::Error;
use crate::text::{Held, Joiner};

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value.
    Value,
    /// The first element of an array, or its end.
    FirstElement,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key.
    Key,
    /// What stands between a key and its value.
    Colon,
    /// What stands behind a value: a comma, the container's end, or nothing behind the document.
    After,
    /// The rest of a string.
    Text,
    /// What follows a backslash.
    Escape,
    /// So many more digits of `\uXXXX`, and what the ones before them said.
    Unicode(u8, u32),
    /// The rest of a number.
    Number(Part),
    /// The rest of a literal.
    Literal(Kind, &'static [u8]),
}

/// Why a byte does not fit.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Invalid,
    TooDeep,
}

type Fits = Result<(), Wrong>;

/// Reads a document that arrives piece by piece.
///
/// What is known of it is at hand at any time: [`Self::tape`] is the document, [`Self::changes`]
/// what has changed in it. Feeding takes time linear in the text, whatever the pieces.
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
    /// Shared with who builds a value of it at this moment, if anybody does.
    tape: Arc<Tape>,
    cursor: Cursor,
    reader: Reader,
    /// How many characters were read.
    characters: u64,
}

impl JsonAssembler {
    /// An assembler at the start of a document; `strict` refuses control characters in strings, as
    /// RFC 8259 does.
    pub fn new(strict: bool) -> Self {
        let reader = Reader {
            state: State::Value,
            open: 0,
            depth: 0,
            is_key: false,
            is_strict: strict,
            held: None,
        };
        Self {
            tape: Arc::default(),
            cursor: Cursor::default(),
            reader,
            characters: 0,
        }
    }

    /// Reads on. Returns what is wrong with the text, after which nothing more may be fed.
    pub fn feed(&mut self, text: &str) -> Option<Error> {
        let tape = Arc::make_mut(&mut self.tape);
        let (at, fits) = self.reader.read(tape, text);
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
        if self.reader.depth == 0 {
            self.reader.end_number(Arc::make_mut(&mut self.tape));
        }
    }

    /// The document as far as it is known; holding it makes the next [`Self::feed`] copy it.
    pub fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }

    /// Whether the document is whole.
    pub fn is_complete(&self) -> bool {
        self.reader.depth == 0 && self.reader.state == State::After
    }

    /// Whether the text so far is a document, if nothing follows.
    pub(crate) fn could_end(&self) -> bool {
        let may_end = matches!(self.reader.state, State::Number(part) if part.is_whole());
        self.is_complete() || (may_end && self.reader.depth == 0)
    }

    /// Drops what is known of the document: whoever reads on wants to know its end alone.
    pub(crate) fn forget(&mut self) {
        Arc::make_mut(&mut self.tape).forget();
    }

    /// What has changed since the last call; without `appends` a string that grew is told whole, and an
    /// integer of `max_digits` characters and more is compared as a float.
    ///
    /// Takes time linear in the text fed since, and in the paths it returns.
    pub fn changes(&mut self, appends: bool, max_digits: usize) -> Vec<Change> {
        self.cursor.changes(&self.tape, appends, max_digits)
    }

    /// A half stands for itself in a string, and is wrong anywhere else.
    fn feed_half(&mut self, code: u32) -> Option<Error> {
        let tape = Arc::make_mut(&mut self.tape);
        if self.reader.state != State::Text {
            // As any other character, it ends a number before it is wrong.
            self.reader.end_number(tape);
            return Some(self.error(Wrong::Invalid));
        }
        self.reader.joiner(tape).push(code);
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

/// The state machine.
#[derive(Debug)]
struct Reader {
    state: State,
    /// The containers that are open, the innermost one in the lowest bit: 1 for an object.
    open: u128,
    depth: u32,
    /// The string that is read is a key.
    is_key: bool,
    is_strict: bool,
    held: Held,
}

impl Reader {
    /// Reads on; returns where it stopped, and why.
    fn read(&mut self, tape: &mut Tape, text: &str) -> (usize, Fits) {
        let mut at = 0;
        let mut fits = Ok(());
        while let Some(byte) = text.as_bytes().get(at) {
            fits = match self.state {
                State::Text => {
                    at = self.plain(tape, text, at);
                    let Some(byte) = text.as_bytes().get(at) else {
                        break;
                    };
                    self.special(tape, *byte)
                }
                State::Number(part) => match part.next(*byte) {
                    Some(next) => {
                        self.digit(tape, part, next, *byte);
                        Ok(())
                    }
                    // The byte that ends a number is not its own.
                    None if self.end_number(tape) => continue,
                    None => Err(Wrong::Invalid),
                },
                State::Escape => self.escape(tape, *byte),
                State::Unicode(left, code) => self.hex_digit(tape, left, code, *byte),
                State::Literal(kind, rest) => self.letter(tape, kind, rest, *byte),
                _ => self.mark(tape, *byte),
            };
            if fits.is_err() {
                break;
            }
            at += 1;
        }
        match self.state {
            State::Text | State::Escape | State::Unicode(..) => tape.extend(false),
            State::Number(part) if part != Part::Minus => tape.extend(true),
            _ => {}
        }
        (at, fits)
    }

    // Between the tokens.

    fn mark(&mut self, tape: &mut Tape, byte: u8) -> Fits {
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return Ok(());
        }
        let in_object = self.depth > 0 && self.open & 1 == 1;
        let in_array = self.depth > 0 && !in_object;
        match (self.state, byte) {
            (State::FirstElement, b']') | (State::FirstKey, b'}') => self.shut(tape),
            (State::After, b'}') if in_object => self.shut(tape),
            (State::After, b']') if in_array => self.shut(tape),
            (State::After, b',') if in_object => self.state = State::Key,
            (State::After, b',') if in_array => self.state = State::Value,
            (State::FirstKey | State::Key, b'"') => self.begin_string(tape, Kind::Key),
            (State::Colon, b':') => self.state = State::Value,
            (State::Value | State::FirstElement, _) => return self.begin(tape, byte),
            _ => return Err(Wrong::Invalid),
        }
        Ok(())
    }

    fn begin(&mut self, tape: &mut Tape, byte: u8) -> Fits {
        self.state = match byte {
            b'{' => return self.enter(tape, Kind::Object, State::FirstKey),
            b'[' => return self.enter(tape, Kind::Array, State::FirstElement),
            b'"' => {
                self.begin_string(tape, Kind::String);
                return Ok(());
            }
            b't' => State::Literal(Kind::True, b"rue"),
            b'f' => State::Literal(Kind::False, b"alse"),
            b'n' => State::Literal(Kind::Null, b"ull"),
            _ => {
                let part = Part::first(byte).ok_or(Wrong::Invalid)?;
                if part != Part::Minus {
                    tape.push(Kind::Number);
                    tape.writer().push(char::from(byte));
                }
                State::Number(part)
            }
        };
        Ok(())
    }

    fn enter(&mut self, tape: &mut Tape, kind: Kind, state: State) -> Fits {
        if self.depth == MAX_DEPTH {
            return Err(Wrong::TooDeep);
        }
        tape.push(kind);
        self.open = self.open << 1 | u128::from(kind == Kind::Object);
        self.depth += 1;
        self.state = state;
        Ok(())
    }

    fn shut(&mut self, tape: &mut Tape) {
        tape.push(Kind::End);
        self.open >>= 1;
        self.depth -= 1;
        self.state = State::After;
    }

    // In a literal or a number.

    fn letter(&mut self, tape: &mut Tape, kind: Kind, rest: &'static [u8], byte: u8) -> Fits {
        match rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.state = State::Literal(kind, rest);
                if rest.is_empty() {
                    tape.push(kind);
                    self.state = State::After;
                }
                Ok(())
            }
            _ => Err(Wrong::Invalid),
        }
    }

    /// A byte of a number. A minus sign alone says nothing: it is written with the first digit.
    fn digit(&mut self, tape: &mut Tape, part: Part, next: Part, byte: u8) {
        if part == Part::Minus {
            tape.push(Kind::Number);
            tape.writer().push('-');
        }
        tape.writer().push(char::from(byte));
        self.state = State::Number(next);
    }

    /// Ends the number, if one is read and may end here.
    fn end_number(&mut self, tape: &mut Tape) -> bool {
        let ends = matches!(self.state, State::Number(part) if part.is_whole());
        if ends {
            tape.extend(false);
            self.state = State::After;
        }
        ends
    }

    // In a string.

    fn begin_string(&mut self, tape: &mut Tape, kind: Kind) {
        tape.push(kind);
        self.is_key = kind == Kind::Key;
        self.state = State::Text;
    }

    fn joiner<'a>(&'a mut self, tape: &'a mut Tape) -> Joiner<'a> {
        Joiner {
            held: &mut self.held,
            out: tape.writer(),
        }
    }

    /// Reads what stands for itself; returns where that ends.
    fn plain(&mut self, tape: &mut Tape, text: &str, at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let length = plain_length(rest.as_bytes());
        let plain = rest.get(..length).unwrap_or(rest);
        self.joiner(tape).push_str(plain);
        at + plain.len()
    }

    /// Reads a quote, a backslash, or a control character.
    fn special(&mut self, tape: &mut Tape, byte: u8) -> Fits {
        match byte {
            b'"' => {
                self.joiner(tape).finish();
                tape.extend(false);
                self.state = if self.is_key {
                    State::Colon
                } else {
                    State::After
                };
            }
            b'\\' => self.state = State::Escape,
            _ if self.is_strict => return Err(Wrong::Invalid),
            _ => {
                self.joiner(tape).push(u32::from(byte));
            }
        }
        Ok(())
    }

    fn escape(&mut self, tape: &mut Tape, byte: u8) -> Fits {
        let code = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'u' => {
                self.state = State::Unicode(4, 0);
                return Ok(());
            }
            _ => return Err(Wrong::Invalid),
        };
        self.joiner(tape).push(u32::from(code));
        self.state = State::Text;
        Ok(())
    }

    fn hex_digit(&mut self, tape: &mut Tape, left: u8, code: u32, byte: u8) -> Fits {
        let digit = char::from(byte).to_digit(16).ok_or(Wrong::Invalid)?;
        let code = code << 4 | digit;
        self.state = State::Unicode(left - 1, code);
        if left == 1 {
            self.joiner(tape).push(code);
            self.state = State::Text;
        }
        Ok(())
    }
}
