//! Errors of a server: one enum.

use std::borrow::Cow;
use std::fmt;

/// How much of an invalid response an error quotes, in bytes.
pub const QUOTE_SIZE: usize = 64;

/// An error that makes a connection unusable. No message quotes a header's value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The response does not begin like one; its first line, cut at [`QUOTE_SIZE`] bytes.
    NotHttp(Vec<u8>),
    /// The first line is not a status line; cut at [`QUOTE_SIZE`] bytes.
    StatusLine(Vec<u8>),
    /// Status 101, which the request did not ask for.
    SwitchedProtocols,
    /// A line of the head is not a header: a name that is not a token, a control character, a bare CR, a
    /// folded line before the first header or in one that frames the body.
    Header,
    /// The head, interim ones included, grew past the limit.
    HeadTooLarge(usize),
    /// The head has more headers than the limit.
    TooManyHeaders(usize),
    /// A content-length that is not a number below 2**64, or several that differ.
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
        let message: Cow<'static, str> = match self {
            Self::NotHttp(start) => {
                let start = start.escape_ascii();
                format!("the server does not speak HTTP/1.1, it said \"{start}\"").into()
            }
            Self::StatusLine(line) => {
                let line = line.escape_ascii();
                format!("the response has an invalid status line: \"{line}\"").into()
            }
            Self::HeadTooLarge(limit) => {
                format!("the response head grew past {limit} bytes").into()
            }
            Self::TooManyHeaders(limit) => {
                format!("the response head has more than {limit} headers").into()
            }
            Self::ChunkLine(byte) => {
                format!("the line with a chunk's size holds the byte 0x{byte:02x}").into()
            }
            Self::ChunkLineTooLong(limit) => {
                format!("the line with a chunk's size grew past {limit} bytes").into()
            }
            Self::ChunkEnd(byte) => {
                format!("a chunk's data is followed by the byte 0x{byte:02x} instead of its end")
                    .into()
            }
            Self::TooManyTrailers(limit) => {
                format!("the response has more than {limit} trailers").into()
            }
            Self::TrailersTooLarge(limit) => {
                format!("the trailers of the response grew past {limit} bytes").into()
            }
            Self::ClosedInBody { missing, length } => format!(
                "the connection closed before the body's end ({missing} of {length} bytes missing)"
            )
            .into(),
            Self::SwitchedProtocols => "the server switched protocols, unasked (status 101)".into(),
            Self::Header => "the response head has an invalid header line".into(),
            Self::ContentLength => "the response has an invalid or ambiguous content-length".into(),
            Self::TransferEncoding => {
                "the response has a transfer-encoding other than \"chunked\"".into()
            }
            Self::TransferEncodingIn10 => {
                "the response is HTTP/1.0 and has a transfer-encoding".into()
            }
            Self::LengthAndEncoding => {
                "the response has both a content-length and a transfer-encoding".into()
            }
            Self::ChunkSizeTooLong => "a chunk's size has more than 16 digits".into(),
            Self::Trailers => "the response has an invalid trailer line".into(),
            Self::Unasked => "the server spoke before it was asked".into(),
            Self::ClosedBeforeResponse => "the connection closed before the response began".into(),
            Self::ClosedInHead => "the connection closed inside the response head".into(),
            Self::ClosedInChunks => {
                "the connection closed before the body's end (its last chunk is missing)".into()
            }
        };
        f.write_str(&message)
    }
}

impl std::error::Error for Error {}
