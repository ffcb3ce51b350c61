//! The framing of a body: where it ends, and which bytes of the data belong to it.

use super::chunked::{Chunked, hand_out_up_to};
use super::error::Error;
use super::head::Head;
use super::limits::Limits;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, each behind its size.
    Chunked,
    /// Everything until the connection closes.
    UntilClose,
}

impl Framing {
    /// How the body behind `head` is framed, in the words of RFC 9112, section 6.3; `is_head` where
    /// the request's method was HEAD. Ambiguous headers are refused even where no body follows.
    pub fn of(head: &Head, is_head: bool) -> Result<Self, Error> {
        let declared = declared(head)?;
        // "Any response to a HEAD request and any response with a 1xx (Informational), 204 (No
        // Content), or 304 (Not Modified) status code is always terminated by the first empty line
        // after the header fields, regardless of the header fields present in the message".
        if is_head || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Self::None);
        }
        Ok(declared)
    }
}

/// The framing that the headers declare.
fn declared(head: &Head) -> Result<Framing, Error> {
    let length = content_length(head)?;
    let mut codings = head.values("transfer-encoding");
    let Some(coding) = codings.next() else {
        // "Otherwise, this is a response message without a declared message body length, so the
        // message body length is determined by the number of octets received prior to the server
        // closing the connection."
        return Ok(length.map_or(Framing::UntilClose, Framing::Length));
    };
    // "Such a message might indicate an attempt to perform request smuggling or response splitting
    // and ought to be handled as an error."
    if length.is_some() {
        return Err(Error::LengthAndEncoding);
    }
    // "MUST treat the message as if the framing is faulty".
    if head.is_http10() {
        return Err(Error::TransferEncodingIn10);
    }
    // We ask for no other coding, so a list of them is wrong even where `chunked` is its last.
    if codings.next().is_some() || !coding.eq_ignore_ascii_case("chunked") {
        return Err(Error::TransferEncoding);
    }
    Ok(Framing::Chunked)
}

/// The content-length. Repeated in one header or in several, it has to be the same text each time:
/// "unless all instances of the field have the same value or a list of identical values".
fn content_length(head: &Head) -> Result<Option<u64>, Error> {
    let values = head.values("content-length");
    let mut values = values
        .flat_map(|value| value.split(','))
        .map(|each| each.trim_matches([' ', '\t']));
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || values.any(|other| other != first) {
        return Err(Error::ContentLength);
    }
    // All digits: a number that does not parse is 2**64 or more.
    first.parse().map(Some).map_err(|_| Error::ContentLength)
}

/// A body as it arrives.
#[derive(Debug)]
pub(super) enum BodyReader {
    /// A body of known length, and how much of it has not come.
    Length { left: u64, length: u64 },
    /// A body in chunks.
    Chunked(Chunked),
    /// A body that ends with the connection.
    UntilClose,
}

impl BodyReader {
    /// A body framed as `framing` says.
    pub fn new(framing: Framing, limits: &Limits) -> Self {
        match framing {
            Framing::None => Self::Length { left: 0, length: 0 },
            Framing::Length(length) => Self::Length {
                left: length,
                length,
            },
            Framing::Chunked => Self::Chunked(Chunked::new(limits)),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Hands out the bytes of `data` that belong to the body, and moves `data` on behind its end.
    #[inline]
    pub fn feed<'d>(
        &mut self,
        data: &mut &'d [u8],
        body: &mut impl FnMut(&'d [u8]),
    ) -> Result<(), Error> {
        match self {
            Self::Chunked(chunked) => return chunked.feed(data, body),
            Self::Length { left, .. } => hand_out_up_to(left, data, body),
            Self::UntilClose => {
                let mut endless = u64::MAX;
                hand_out_up_to(&mut endless, data, body);
            }
        }
        Ok(())
    }

    /// Whether the end has come.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Length { left, .. } => *left == 0,
            Self::Chunked(chunked) => chunked.has_ended(),
            Self::UntilClose => false,
        }
    }

    /// The error for a connection that ends here; `None` if that is the body's end.
    pub fn close(&self) -> Option<Error> {
        match *self {
            Self::Length { left: 0, .. } | Self::UntilClose => None,
            Self::Length {
                left: missing,
                length,
            } => Some(Error::ClosedInBody { missing, length }),
            Self::Chunked(_) => Some(Error::ClosedInChunks),
        }
    }
}
