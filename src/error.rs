//! The errors of the core: one enum, with offsets.

use std::fmt;

/// How much of the failing frame an error keeps, in bytes.
pub const FRAME_SIZE: usize = 512;

/// The limits on what is kept of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Choices.
    Choices,
    /// Tool calls of one choice.
    ToolCalls,
    /// Bytes in the id or the name of a tool call.
    ToolCallSize,
}

/// The parts of a body that hold one payload each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A frame of an event stream.
    Frame,
    /// A line.
    Line,
    /// An element of an array.
    Element,
    /// A message of AWS's binary event stream.
    Message,
}

/// An error of the core. Offsets count bytes from the start of the stream to the start of the
/// failing frame's first data value; `frame` is that frame's data, cut at [`FRAME_SIZE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An event, or a body that is read at its end, grew past the limit.
    EventTooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// Where the frame's data starts.
        offset: u64,
        /// The data so far.
        frame: Vec<u8>,
    },
    /// A payload is not valid JSON.
    PayloadNotJson {
        /// The part of the body that holds it.
        unit: Unit,
        /// Where the frame's data starts.
        offset: u64,
        /// The data.
        frame: Vec<u8>,
    },
    /// A message of AWS's binary event stream is not valid, or the envelope of a payload.
    InvalidPart {
        /// The part of the body.
        unit: Unit,
        /// Where it starts.
        offset: u64,
        /// Its bytes, as far as they have arrived.
        frame: Vec<u8>,
        /// What is wrong with it.
        reason: String,
    },
    /// A payload exceeds a [`Limit`].
    LimitPassed {
        /// The limit.
        limit: Limit,
        /// Where the frame's data starts.
        offset: u64,
        /// The data.
        frame: Vec<u8>,
    },
    /// The body is one document, but not valid JSON.
    BodyNotJson {
        /// Where the document starts.
        offset: u64,
        /// The document.
        frame: Vec<u8>,
    },
    /// The body starts like HTML.
    NotAStream {
        /// Where the document starts.
        offset: u64,
        /// Its first bytes.
        frame: Vec<u8>,
    },
    /// A frame, or a body of JSON lines, is of another format.
    OtherFormat {
        /// Where the frame's data starts.
        offset: u64,
        /// The data.
        frame: Vec<u8>,
        /// The format.
        found: &'static str,
        /// The decoder's format.
        expected: &'static str,
    },
    /// Bytes that are not valid UTF-8, under `errors="strict"`.
    InvalidUtf8 {
        /// Where the invalid bytes start.
        offset: u64,
        /// The maximal invalid subpart.
        frame: Vec<u8>,
    },
    /// The text is not a valid JSON document; the offset counts characters.
    TextNotJson {
        /// The first character that does not fit.
        offset: u64,
    },
    /// The document nests too deeply; the offset counts characters.
    JsonTooDeep {
        /// The bracket.
        offset: u64,
    },
    /// Half a surrogate pair alone, under `errors="strict"`; the offset counts characters.
    UnpairedSurrogate {
        /// The character.
        offset: u64,
    },
}

impl Error {
    /// The offset, in bytes (in a text in characters).
    pub fn offset(&self) -> u64 {
        match self {
            Self::EventTooLarge { offset, .. }
            | Self::PayloadNotJson { offset, .. }
            | Self::InvalidPart { offset, .. }
            | Self::LimitPassed { offset, .. }
            | Self::BodyNotJson { offset, .. }
            | Self::NotAStream { offset, .. }
            | Self::OtherFormat { offset, .. }
            | Self::InvalidUtf8 { offset, .. }
            | Self::TextNotJson { offset }
            | Self::JsonTooDeep { offset }
            | Self::UnpairedSurrogate { offset } => *offset,
        }
    }

    /// The failing frame's data, where a frame is at fault.
    pub fn frame(&self) -> Option<&[u8]> {
        match self {
            Self::EventTooLarge { frame, .. }
            | Self::PayloadNotJson { frame, .. }
            | Self::InvalidPart { frame, .. }
            | Self::LimitPassed { frame, .. }
            | Self::BodyNotJson { frame, .. }
            | Self::NotAStream { frame, .. }
            | Self::OtherFormat { frame, .. }
            | Self::InvalidUtf8 { frame, .. } => Some(frame),
            Self::TextNotJson { .. }
            | Self::JsonTooDeep { .. }
            | Self::UnpairedSurrogate { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventTooLarge { limit, .. } => {
                write!(f, "an event grew past max_event_size={limit} bytes")
            }
            Self::PayloadNotJson { unit, offset, .. } => {
                write!(f, "invalid JSON in the {} at byte {offset}", unit.name())
            }
            Self::InvalidPart {
                unit,
                offset,
                reason,
                ..
            } => {
                let unit = unit.name();
                write!(f, "the {unit} at byte {offset} is not valid: {reason}")
            }
            Self::LimitPassed { limit, .. } => limit.fmt(f),
            Self::BodyNotJson { .. } => f.write_str("invalid JSON in the body"),
            Self::NotAStream { .. } => f.write_str("the body is HTML or XML, not an event stream"),
            Self::OtherFormat {
                found, expected, ..
            } => write!(f, "the stream's format is {found}, not {expected}"),
            Self::InvalidUtf8 { offset, .. } => write!(f, "invalid UTF-8 at byte {offset}"),
            Self::TextNotJson { offset } => write!(f, "invalid JSON at character {offset}"),
            Self::JsonTooDeep { offset } => {
                write!(f, "JSON nested too deeply at character {offset}")
            }
            Self::UnpairedSurrogate { offset } => {
                write!(f, "unpaired surrogate at character {offset}")
            }
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Line => "line",
            Self::Element => "element",
            Self::Message => "message",
        }
    }
}

impl Limit {
    /// How many there may be.
    pub const fn most(self) -> usize {
        match self {
            Self::Choices | Self::ToolCalls => 1024,
            Self::ToolCallSize => 65536,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.most();
        match self {
            Self::Choices => write!(f, "the stream has more than {most} choices"),
            Self::ToolCalls => write!(f, "a choice has more than {most} tool calls"),
            Self::ToolCallSize => write!(
                f,
                "the id or the name of a tool call grew past {most} bytes"
            ),
        }
    }
}

impl std::error::Error for Error {}

/// The first [`FRAME_SIZE`] bytes of `data`.
pub(crate) fn cut(data: &[u8]) -> Vec<u8> {
    data[..data.len().min(FRAME_SIZE)].to_vec()
}
