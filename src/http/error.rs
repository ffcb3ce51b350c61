//! What a server can do wrong: one enum.

use std::fmt;

/// How much of what was no response an error quotes, in bytes.
pub const QUOTE_SIZE: usize = 64;

/// What makes a connection unusable. No message quotes a header's value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The response does not begin like one; its first line, cut at [`QUOTE_SIZE`] bytes.
    NotHttp(Vec<u8>),
    /// The first line is no status line; cut at [`QUOTE_SIZE`] bytes.
    StatusLine(Vec<u8>),
    /// Status 101, which nobody asked for.
    SwitchedProtocols,
    /// A line of the head is no header: a name that is no token, a control character, a bare CR, a
    /// folded line before the first header or in one that frames the body.
    Header,
    /// The head, interim ones included, grew past the limit.
    HeadTooLarge(usize),
    /// The head has more headers than the limit.
    TooManyHeaders(usize),
    /// A content-length that is no number below 2**64, or several that differ.
    ContentLength,
    /// A transfer-encoding that is not `chunked` alone.
    TransferEncoding,
    /// A transfer-encoding in a response of HTTP/1.0, which knows none.
    TransferEncodingIn10,
    /// Both a content-length and a transfer-encoding.
    LengthAndEncoding,
    /// A byte that does not belong in the line with a chunk's size.
    ChunkLine(u8),
    /// A chunk size of more than 16 digits.
    ChunkSizeTooLong,
    /// The line with a chunk's size grew past the limit.
    ChunkLineTooLong(usize),
    /// A byte behind a chunk's data where its CRLF belongs.
    ChunkEnd(u8),
    /// The trailer section is not made of header lines that end in CRLF.
    Trailers,
    /// The body has more trailers than the limit.
    TooManyTrailers(usize),
    /// The trailer section grew past the limit.
    TrailersTooLarge(usize),
    /// Bytes that arrived before any request was sent.
    Unasked,
    /// The connection closed before the first byte of the response.
    ClosedBeforeResponse,
    /// The connection closed inside the response head, or behind an interim one.
    ClosedInHead,
    /// The connection closed inside a body of known length.
    ClosedInBody {
        /// How many bytes had not come.
        missing: u64,
        /// How many bytes the body was to have.
        length: u64,
    },
    /// The connection closed before the last chunk, or inside the trailers.
    ClosedInChunks,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            Self::NotHttp(start) => {
                let start = start.escape_ascii();
                return write!(f, "the server does not speak HTTP/1.1, it said \"{start}\"");
            }
            Self::StatusLine(line) => {
                let line = line.escape_ascii();
                return write!(f, "the response has an invalid status line: \"{line}\"");
            }
            Self::HeadTooLarge(limit) => {
                return write!(f, "the response head grew past {limit} bytes");
            }
            Self::TooManyHeaders(limit) => {
                return write!(f, "the response head has more than {limit} headers");
            }
            Self::ChunkLine(byte) => {
                return write!(
                    f,
                    "the line with a chunk's size holds the byte 0x{byte:02x}"
                );
            }
            Self::ChunkLineTooLong(limit) => {
                return write!(f, "the line with a chunk's size grew past {limit} bytes");
            }
            Self::ChunkEnd(byte) => {
                return write!(
                    f,
                    "a chunk's data is followed by the byte 0x{byte:02x} instead of its end"
                );
            }
            Self::TooManyTrailers(limit) => {
                return write!(f, "the response has more than {limit} trailers");
            }
            Self::TrailersTooLarge(limit) => {
                return write!(f, "the trailers of the response grew past {limit} bytes");
            }
            Self::ClosedInBody { missing, length } => {
                return write!(
                    f,
                    "the connection closed before the body's end ({missing} of {length} bytes missing)"
                );
            }
            other => other.message(),
        };
        f.write_str(message)
    }
}

impl Error {
    /// The messages that always read the same.
    fn message(&self) -> &'static str {
        match self {
            Self::SwitchedProtocols => "the server switched protocols, unasked (status 101)",
            Self::Header => "the response head has an invalid header line",
            Self::ContentLength => "the response has an invalid or ambiguous content-length",
            Self::TransferEncoding => "the response has a transfer-encoding other than \"chunked\"",
            Self::TransferEncodingIn10 => "the response is HTTP/1.0 and has a transfer-encoding",
            Self::LengthAndEncoding => {
                "the response has both a content-length and a transfer-encoding"
            }
            Self::ChunkSizeTooLong => "a chunk's size has more than 16 digits",
            Self::Trailers => "the response has an invalid trailer line",
            Self::Unasked => "the server spoke before it was asked",
            Self::ClosedBeforeResponse => "the connection closed before the response began",
            Self::ClosedInHead => "the connection closed inside the response head",
            Self::ClosedInChunks => {
                "the connection closed before the body's end (its last chunk is missing)"
            }
            _ => "the response is invalid",
        }
    }
}

impl std::error::Error for Error {}
