//! The state machine over a document's bytes: what may come next, and what each byte adds to the tape.

use crate::json::numbers::NumberPart;
use crate::json::reader::MAX_DEPTH;
use crate::json::scan::plain_length;
use crate::json::tape::{Tape, TokenKind};
use crate::text::{Held, Joiner};

/// The state: what the next byte may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A value.
    Value,
    /// The first element of an array, or its end.
    FirstElement,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key.
    Key,
    /// The colon between a key and its value.
    Colon,
    /// The byte behind a value: a comma, the container's end, or nothing behind the document.
    After,
    /// The rest of a string.
    Text,
    /// The character behind a backslash.
    Escape,
    /// The number of missing digits of `\uXXXX`, and the value of those before them.
    Unicode(u8, u32),
    /// The rest of a number.
    Number(NumberPart),
    /// The rest of a literal.
    Literal(TokenKind, &'static [u8]),
}

/// Why a byte does not fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wrong {
    Invalid,
    TooDeep,
}

type Fits = Result<(), Wrong>;

/// The state machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) expected: Expected,
    /// The containers that are open, the innermost one in the lowest bit: 1 for an object.
    open: u128,
    pub(super) depth: u32,
    /// The string that is read is a key.
    is_key: bool,
    is_strict: bool,
    held: Held,
}

impl Machine {
    /// A machine at the start of a document; a strict one refuses control characters in strings.
    pub(super) fn new(is_strict: bool) -> Self {
        Self {
            expected: Expected::Value,
            open: 0,
            depth: 0,
            is_key: false,
            is_strict,
            held: None,
        }
    }

    /// Reads on; returns where it stopped, and why.
    pub(super) fn read(&mut self, tape: &mut Tape, text: &str) -> (usize, Fits) {
        let mut at = 0;
        let mut fits = Ok(());
        while let Some(byte) = text.as_bytes().get(at) {
            fits = match self.expected {
                Expected::Text => {
                    at = self.plain(tape, text, at);
                    let Some(byte) = text.as_bytes().get(at) else {
                        break;
                    };
                    self.special(tape, *byte)
                }
                Expected::Number(part) => match part.next(*byte) {
                    Some(next) => {
                        self.digit(tape, part, next, *byte);
                        Ok(())
                    }
                    // The byte that ends a number is not part of it.
                    None if self.end_number(tape) => continue,
                    None => Err(Wrong::Invalid),
                },
                Expected::Escape => self.escape(tape, *byte),
                Expected::Unicode(left, code) => self.hex_digit(tape, left, code, *byte),
                Expected::Literal(kind, rest) => self.letter(tape, kind, rest, *byte),
                _ => self.mark(tape, *byte),
            };
            if fits.is_err() {
                break;
            }
            at += 1;
        }
        match self.expected {
            Expected::Text | Expected::Escape | Expected::Unicode(..) => tape.extend(false),
            Expected::Number(part) if part != NumberPart::Minus => tape.extend(true),
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
        match (self.expected, byte) {
            (Expected::FirstElement, b']') | (Expected::FirstKey, b'}') => self.shut(tape),
            (Expected::After, b'}') if in_object => self.shut(tape),
            (Expected::After, b']') if in_array => self.shut(tape),
            (Expected::After, b',') if in_object => self.expected = Expected::Key,
            (Expected::After, b',') if in_array => self.expected = Expected::Value,
            (Expected::FirstKey | Expected::Key, b'"') => self.begin_string(tape, TokenKind::Key),
            (Expected::Colon, b':') => self.expected = Expected::Value,
            (Expected::Value | Expected::FirstElement, _) => return self.begin(tape, byte),
            _ => return Err(Wrong::Invalid),
        }
        Ok(())
    }

    fn begin(&mut self, tape: &mut Tape, byte: u8) -> Fits {
        self.expected = match byte {
            b'{' => return self.enter(tape, TokenKind::Object, Expected::FirstKey),
            b'[' => return self.enter(tape, TokenKind::Array, Expected::FirstElement),
            b'"' => {
                self.begin_string(tape, TokenKind::String);
                return Ok(());
            }
            b't' => Expected::Literal(TokenKind::True, b"rue"),
            b'f' => Expected::Literal(TokenKind::False, b"alse"),
            b'n' => Expected::Literal(TokenKind::Null, b"ull"),
            _ => {
                let part = NumberPart::first(byte).ok_or(Wrong::Invalid)?;
                if part != NumberPart::Minus {
                    tape.push(TokenKind::Number);
                    tape.writer().push(char::from(byte));
                }
                Expected::Number(part)
            }
        };
        Ok(())
    }

    fn enter(&mut self, tape: &mut Tape, kind: TokenKind, expected: Expected) -> Fits {
        if self.depth == MAX_DEPTH {
            return Err(Wrong::TooDeep);
        }
        tape.push(kind);
        self.open = self.open << 1 | u128::from(kind == TokenKind::Object);
        self.depth += 1;
        self.expected = expected;
        Ok(())
    }

    fn shut(&mut self, tape: &mut Tape) {
        tape.push(TokenKind::End);
        self.open >>= 1;
        self.depth -= 1;
        self.expected = Expected::After;
    }

    // In a literal or a number.

    fn letter(&mut self, tape: &mut Tape, kind: TokenKind, rest: &'static [u8], byte: u8) -> Fits {
        match rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.expected = Expected::Literal(kind, rest);
                if rest.is_empty() {
                    tape.push(kind);
                    self.expected = Expected::After;
                }
                Ok(())
            }
            _ => Err(Wrong::Invalid),
        }
    }

    /// A byte of a number. A minus sign alone says nothing: it is written with the first digit.
    fn digit(&mut self, tape: &mut Tape, part: NumberPart, next: NumberPart, byte: u8) {
        if part == NumberPart::Minus {
            tape.push(TokenKind::Number);
            tape.writer().push('-');
        }
        tape.writer().push(char::from(byte));
        self.expected = Expected::Number(next);
    }

    /// Ends the number, if one is read and may end here.
    pub(super) fn end_number(&mut self, tape: &mut Tape) -> bool {
        let ends = matches!(self.expected, Expected::Number(part) if part.is_whole());
        if ends {
            tape.extend(false);
            self.expected = Expected::After;
        }
        ends
    }

    // In a string.

    fn begin_string(&mut self, tape: &mut Tape, kind: TokenKind) {
        tape.push(kind);
        self.is_key = kind == TokenKind::Key;
        self.expected = Expected::Text;
    }

    pub(super) fn joiner<'a>(&'a mut self, tape: &'a mut Tape) -> Joiner<'a> {
        Joiner {
            held: &mut self.held,
            out: tape.writer(),
        }
    }

    /// Reads characters that need no unescaping; returns where they end.
    fn plain(&mut self, tape: &mut Tape, text: &str, at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let (length, _) = plain_length(rest.as_bytes());
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
                self.expected = if self.is_key {
                    Expected::Colon
                } else {
                    Expected::After
                };
            }
            b'\\' => self.expected = Expected::Escape,
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
                self.expected = Expected::Unicode(4, 0);
                return Ok(());
            }
            _ => return Err(Wrong::Invalid),
        };
        self.joiner(tape).push(u32::from(code));
        self.expected = Expected::Text;
        Ok(())
    }

    fn hex_digit(&mut self, tape: &mut Tape, left: u8, code: u32, byte: u8) -> Fits {
        let digit = char::from(byte).to_digit(16).ok_or(Wrong::Invalid)?;
        let code = code << 4 | digit;
        self.expected = Expected::Unicode(left - 1, code);
        if left == 1 {
            self.joiner(tape).push(code);
            self.expected = Expected::Text;
        }
        Ok(())
    }
}
