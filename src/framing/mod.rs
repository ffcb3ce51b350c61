//! How payloads stand in a body that is not server-sent events: lines, elements of an array, binary messages.

pub mod aws_events;
mod carry;
mod checksum;
pub mod json_array;
pub mod json_lines;

use std::borrow::Cow;

use crate::error::{Error, Unit};

/// A payload as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent<'d> {
    /// The part of the body that holds it.
    pub unit: Unit,
    /// The name of its event.
    pub event: &'d [u8],
    /// The payload.
    pub data: &'d [u8],
    /// The stream's offset, for an error.
    pub offset: u64,
    /// What stood before it in the stream; empty where that is not known.
    pub head: &'d [u8],
}

/// The next part of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum NextPart<'a> {
    /// One with a payload.
    Payload(Sent<'a>),
    /// One with an error of the provider, as JSON text.
    ProviderError {
        /// The name of its event.
        event: &'a [u8],
        /// The error.
        error: String,
        /// The stream's offset.
        offset: u64,
    },
    /// One that says nothing.
    Nothing,
    /// The data is used up.
    More,
    /// The body ends here, whatever comes behind it.
    End,
    /// It is not valid, or too large.
    Failed(Error),
}

/// What follows a payload in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// The line's end, and a blank line.
    BlankLine,
    /// The line's end.
    LineEnd,
    /// Anything.
    Any,
}

/// Cuts a body into its parts.
pub trait Parts {
    /// What follows a payload.
    const TAIL: Tail;

    /// Whether the next byte may be the first one of a payload.
    fn at_start(&self) -> bool;

    /// Notes that `length` bytes, whole parts of them, were read past this reader.
    ///
    /// Only where [`Self::at_start`] holds.
    fn skip(&mut self, length: usize);

    /// Takes the next part from `data`, which is moved on past it.
    fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> NextPart<'s>;
}

impl<'d> Sent<'d> {
    /// The bytes that stand before a payload like this in the stream.
    pub fn whole_head(&self) -> Cow<'d, [u8]> {
        match self.unit {
            Unit::Frame if !self.head.is_empty() => Cow::Borrowed(self.head),
            Unit::Frame if self.event.is_empty() => Cow::Borrowed(b"data: "),
            Unit::Frame => Cow::Owned([b"event: ", self.event, b"\ndata: "].concat()),
            _ => Cow::Borrowed(b""),
        }
    }
}

impl Tail {
    /// The length of the tail that `rest` begins with; `None` if it does not.
    #[inline]
    pub fn length(self, rest: &[u8]) -> Option<usize> {
        match (self, rest) {
            (Self::BlankLine, [b'\n', b'\n', ..]) | (Self::LineEnd, [b'\r', b'\n', ..]) => Some(2),
            (Self::BlankLine, [b'\r', b'\n', b'\r', b'\n', ..]) => Some(4),
            (Self::LineEnd, [b'\n', ..]) => Some(1),
            (Self::Any, _) => Some(0),
            _ => None,
        }
    }
}
