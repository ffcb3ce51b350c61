//! Compare instead of parse: a document that differs from a known one in a few strings and numbers.
//!
//! The payloads of one stream are equal but for some tokens. A [`Skeleton`] remembers a document
//! that the reader has validated, as literal runs between *holes*, where a string or a number may
//! differ. A document whose runs are equal byte for byte is valid if its holes hold a valid string
//! or number, and it says the same but for them: one comparison per run instead of a walk.
//!
//! Nothing is accepted that the reader would refuse. A hole takes a token of its own kind only; the
//! token of a hole is found with the reader's own code; and what follows a number is compared with a
//! run that cannot continue it, since it did not continue the known document's number.
//!
//! The first run may begin before the document: a stream has the same bytes before most of its documents.

use smallvec::SmallVec;

use super::scan::{Token, number_end, string_end};
use super::string::Raw;

/// Where a token may differ.
#[derive(Clone, Copy, Debug)]
struct Hole {
    token: Token,
    /// The token did differ in a document before: only then it is read instead of compared.
    is_open: bool,
}

/// An open hole, as documents are read: behind the head, and without the closed holes before it.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// Where in the text it starts and ends.
    start: usize,
    end: usize,
    is_string: bool,
    is_wanted: bool,
}

/// A document, remembered by its literal runs and its holes.
#[derive(Debug)]
pub struct Skeleton {
    /// The head, and the document.
    text: Vec<u8>,
    head: usize,
    /// Places count from the start of the document.
    holes: SmallVec<[Hole; 8]>,
    /// The open ones of them.
    gaps: SmallVec<[Gap; 4]>,
    /// Which of the holes is the string that is wanted; it is always open.
    wanted: usize,
}

impl Skeleton {
    /// Remembers `text`, a valid document, with the string `wanted` and with `tokens`, the scalars
    /// in it that say nothing, in order. It has no head.
    pub fn new(text: &str, wanted: Token, tokens: &[Token]) -> Self {
        let at = tokens.partition_point(|token| token.start < wanted.start);
        let hole = |token: &Token| Hole {
            token: *token,
            is_open: false,
        };
        let mut holes: SmallVec<[Hole; 8]> = tokens.iter().map(hole).collect();
        holes.insert(
            at,
            Hole {
                token: wanted,
                is_open: true,
            },
        );
        let mut made = Self {
            text: text.as_bytes().to_vec(),
            head: 0,
            holes,
            gaps: SmallVec::new(),
            wanted: at,
        };
        made.find_gaps();
        made
    }

    fn find_gaps(&mut self) {
        let (head, wanted) = (self.head, self.wanted);
        let open = self.holes.iter().enumerate();
        let open = open.filter(|(_, hole)| hole.is_open);
        self.gaps = open
            .map(|(at, Hole { token, .. })| Gap {
                start: head + token.start,
                end: head + token.end,
                is_string: token.is_string,
                is_wanted: at == wanted,
            })
            .collect();
    }

    /// The bytes that stand before the document.
    #[inline]
    pub fn head(&self) -> &[u8] {
        &self.text[..self.head]
    }

    /// Has `head` stand before the document.
    pub fn set_head(&mut self, head: &[u8]) {
        self.text.splice(..self.head, head.iter().copied());
        self.head = head.len();
        self.find_gaps();
    }

    /// The wanted string of the document that `bytes` begin with, and its length, if it is one like
    /// the known one.
    ///
    /// That they are UTF-8 needs no look at the runs, which are equal to valid ones, and which begin
    /// and end beside a token.
    #[inline]
    pub fn read<'p>(&self, bytes: &'p [u8]) -> Option<(Raw<'p>, usize)> {
        self.read_behind(bytes, self.head)
    }

    /// The same of a document behind the head; its length is that of both.
    #[inline]
    pub fn read_with_head<'p>(&self, bytes: &'p [u8]) -> Option<(Raw<'p>, usize)> {
        self.read_behind(bytes, 0)
    }

    /// Reads bytes that begin like the text from `from` on.
    fn read_behind<'p>(&self, bytes: &'p [u8], from: usize) -> Option<(Raw<'p>, usize)> {
        let mut wanted = None;
        let (mut from, mut at) = (from, 0);
        for gap in &self.gaps {
            let run = self.text.get(from..gap.start)?;
            let start = at + run.len();
            if bytes.get(at..start)? != run {
                return None;
            }
            from = gap.end;
            if !gap.is_string {
                at = number_end(bytes, start)?;
                continue;
            }
            if *bytes.get(start)? != b'"' {
                return None;
            }
            let end = string_end(bytes, start + 1)?;
            let inside = bytes.get(start + 1..end.at)?;
            at = end.at + 1;
            if gap.is_wanted {
                let text = simdutf8::basic::from_utf8(inside).ok()?;
                wanted = Some(Raw::new(text, end.is_escaped, start));
            } else if !end.is_ascii && !is_utf8(inside) {
                return None;
            }
        }
        let run = self.text.get(from..)?;
        let end = at + run.len();
        if bytes.get(at..end)? == run {
            Some((wanted?, end))
        } else {
            None
        }
    }

    /// Where the byte of the known document at `offset`, outside of the holes, stands in `bytes`, which begin with a
    /// document like it.
    pub fn locate(&self, bytes: &[u8], offset: usize) -> Option<usize> {
        let offset = self.head + offset;
        let (mut from, mut at) = (self.head, 0);
        for gap in self.gaps.iter().take_while(|gap| gap.start < offset) {
            let start = at + (gap.start - from);
            at = if gap.is_string {
                string_end(bytes, start + 1)?.at + 1
            } else {
                number_end(bytes, start)?
            };
            from = gap.end;
        }
        Some(at + offset.checked_sub(from)?)
    }

    /// Whether `other` is of the same make: as many tokens, of the same kinds.
    pub fn is_like(&self, other: &Self) -> bool {
        self.wanted == other.wanted
            && self.holes.len() == other.holes.len()
            && std::iter::zip(&self.holes, &other.holes)
                .all(|(mine, its)| mine.token.is_string == its.token.is_string)
    }

    /// Becomes the skeleton of `other`, which is of the same make; the holes in which the two
    /// differ are open from now on.
    pub fn learn(&mut self, other: Self) {
        let known = std::mem::replace(self, other);
        for (known_hole, hole) in std::iter::zip(&known.holes, &mut self.holes) {
            let differs =
                known.token(known_hole.token) != token(&self.text[self.head..], hole.token);
            hole.is_open |= known_hole.is_open || differs;
        }
        self.find_gaps();
    }

    fn token(&self, of: Token) -> Option<&[u8]> {
        token(&self.text[self.head..], of)
    }
}

/// Whether `bytes` are UTF-8. Most are a few of ASCII, for which a call costs more than a look.
#[inline]
fn is_utf8(bytes: &[u8]) -> bool {
    let is_short = bytes.len() < 16 && bytes.iter().all(u8::is_ascii);
    is_short || simdutf8::basic::from_utf8(bytes).is_ok()
}

fn token(text: &[u8], of: Token) -> Option<&[u8]> {
    text.get(of.start..of.end)
}
