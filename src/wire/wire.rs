//! The interface of all wires, and the parts that a wire may not have.

use std::fmt::{self, Debug};

use super::answer::Answer;
use crate::delta::Delta;

/// The error that ends an answer.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The message, for a client to see.
    pub message: &'a str,
    /// The kind of error.
    pub kind: &'a str,
    /// A code, if it has one.
    pub code: Option<&'a str>,
    /// The status that it would have had before the answer began.
    pub status: u64,
}

/// A source that an answer cites.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Its title, or nothing.
    pub title: &'a str,
    /// Its id, or nothing.
    pub id: &'a str,
}

/// A part of an answer that some wires do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A source that the answer cites.
    Sources,
    /// A JSON value that is neither text nor a message.
    Data,
    /// A record that replaces records, which were not sent.
    Snapshots,
    /// The same, after other parts than text and reasoning.
    SnapshotsOfMore,
}

impl Part {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Data => "data",
            Self::Snapshots => "snapshots",
            Self::SnapshotsOfMore => "snapshots of more than text",
        }
    }
}

/// The wire cannot carry that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported(pub Part);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the wire cannot carry {}", self.0.name())
    }
}

impl std::error::Error for Unsupported {}

/// A wire. Each method appends records to `out`; strings are not empty.
///
/// The writer passes choices over that are not to be written, remembers finish reasons and usage, and does not call
/// the methods of the parts that the wire lacks.
pub trait Wire: Debug + Send {
    /// The parts that the wire cannot carry. Nothing replaces lost tool calls or data.
    fn lacks(&self) -> &'static [Part];

    /// Writes the records before the first delta.
    fn start(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let _ = (answer, out);
    }

    /// Writes a piece of choice 0's text: the most frequent call.
    fn text(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str);

    /// Writes a delta.
    fn delta(&mut self, answer: &mut Answer, out: &mut Vec<u8>, delta: &Delta<'_>);

    /// Writes a tool's result; a wire without results of tools leaves it out.
    fn tool_result(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        let _ = (answer, out, id, text);
    }

    /// Writes a source that the answer cites.
    fn source(&mut self, answer: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        let _ = (answer, out, source);
    }

    /// Writes a JSON value that is neither text nor a message; `document` is compact.
    fn data(&mut self, answer: &mut Answer, out: &mut Vec<u8>, document: &[u8]) {
        let _ = (answer, out, document);
    }

    /// Writes the record that replaces `dropped` records, which were not sent; `text` is all text so far.
    fn snapshot(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str, dropped: u64) {
        let _ = (answer, out, text, dropped);
    }

    /// Writes the end of an answer that failed.
    fn fail(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>);

    /// Writes the end of an answer that is complete.
    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>);
}
