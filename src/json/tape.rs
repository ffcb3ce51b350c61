//! A document in the order of its text, as tokens: the reader appends to them, values are built from them.

use super::numbers::{LEAST_DIGITS, MAX_DIGITS, Scalar, read_number};

/// As much room stays for the text behind one that was dropped, in bytes.
const KEPT_ROOM: usize = 256;

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Null,
    False,
    True,
    Number,
    String,
    /// The name of an object's member; its value follows.
    Key,
    Array,
    Object,
    /// The end of the array or object that was opened last.
    End,
}

#[derive(Clone, Copy, Debug)]
struct TapeToken {
    kind: TokenKind,
    /// Where its text ends; it starts where that of the token before it ends.
    end: usize,
}

/// A document as far as it is known, as tokens in the order of its text.
///
/// Only the last token ever changes, and it only grows. The end may lack tokens that have not arrived:
/// ends of containers, or the value of a key, which then does not count.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    tokens: Vec<TapeToken>,
    /// The texts of strings, keys and numbers, one after the other.
    text: String,
    /// The last token is a number that may go on.
    grows: bool,
}

/// Builds values of another kind from a document.
pub trait Build {
    /// The values built.
    type Value;
    /// The error of building one.
    type Error;

    /// From how many characters on an integer is a float. It is asked for integers of
    /// [`LEAST_DIGITS`](super::LEAST_DIGITS) and more.
    fn max_digits(&self) -> Result<usize, Self::Error> {
        Ok(MAX_DIGITS)
    }

    /// A value that holds no others.
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Self::Value, Self::Error>;

    /// An array of values built before.
    fn array(&mut self, elements: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;

    /// An object of values built before. A name may come twice: the last one counts.
    fn object(&mut self, members: Vec<(&str, Self::Value)>) -> Result<Self::Value, Self::Error>;
}

impl Tape {
    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Builds the value that begins at the token `at`, as far as it is known; 0 is the document.
    ///
    /// The calls nest as deep as the document, which the reader limits.
    pub fn build<B: Build>(&self, at: usize, builder: &mut B) -> Result<B::Value, B::Error> {
        self.value(&mut { at }, builder)
    }

    /// A piece of the texts.
    pub fn text(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn push(&mut self, kind: TokenKind) {
        let end = self.text.len();
        self.tokens.push(TapeToken { kind, end });
    }

    /// Where the text of the last token is written; [`Self::extend`] makes it count.
    pub(super) fn writer(&mut self) -> &mut String {
        &mut self.text
    }

    /// Counts the text written so far to the last token; `grows` says that it is a number that may
    /// go on.
    pub(super) fn extend(&mut self, grows: bool) {
        if let Some(last) = self.tokens.last_mut() {
            last.end = self.text.len();
        }
        self.grows = grows;
    }

    /// Drops everything but that the last token may go on.
    pub(super) fn forget(&mut self) {
        self.tokens.drain(..self.tokens.len().saturating_sub(1));
        self.text.clear();
        self.text.shrink_to(KEPT_ROOM);
        if let Some(last) = self.tokens.last_mut() {
            last.end = 0;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Where the text of the token `at` starts.
    pub(super) fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.end(before))
    }

    /// Where the text of the token `at` ends.
    pub(super) fn end(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, |token| token.end)
    }

    /// Whether the token `at` is a number that may go on.
    pub(super) fn grows(&self, at: usize) -> bool {
        self.grows && at + 1 == self.tokens.len()
    }

    pub(super) fn string(&self, at: usize) -> &str {
        self.text(self.start(at), self.end(at))
    }

    fn value<B: Build>(&self, at: &mut usize, builder: &mut B) -> Result<B::Value, B::Error> {
        let place = *at;
        *at += 1;
        let scalar = match self.kind(place) {
            Some(TokenKind::Array) => return self.array(at, builder),
            Some(TokenKind::Object) => return self.object(at, builder),
            Some(TokenKind::False) => Scalar::Bool(false),
            Some(TokenKind::True) => Scalar::Bool(true),
            Some(TokenKind::Number) => {
                let text = self.string(place);
                let max_digits = if text.len() < LEAST_DIGITS {
                    LEAST_DIGITS
                } else {
                    builder.max_digits()?
                };
                read_number(text, self.grows(place), max_digits)
            }
            Some(TokenKind::String) => Scalar::String(self.string(place)),
            Some(TokenKind::Null | TokenKind::Key | TokenKind::End) | None => Scalar::Null,
        };
        builder.scalar(scalar)
    }

    fn array<B: Build>(&self, at: &mut usize, builder: &mut B) -> Result<B::Value, B::Error> {
        let mut elements = Vec::new();
        while self.kind(*at).is_some_and(|kind| kind != TokenKind::End) {
            elements.push(self.value(at, builder)?);
        }
        *at += 1;
        builder.array(elements)
    }

    fn object<B: Build>(&self, at: &mut usize, builder: &mut B) -> Result<B::Value, B::Error> {
        let mut members = Vec::new();
        while self.kind(*at) == Some(TokenKind::Key) && *at + 1 < self.len() {
            let key = self.string(*at);
            *at += 1;
            members.push((key, self.value(at, builder)?));
        }
        // The end, or a key without its value, behind which nothing is.
        *at += 1;
        builder.object(members)
    }
}
