//! UTF-8, incrementally: U+FFFD per maximal subpart, and never later than it can be known.

use std::borrow::Cow;

/// How to handle bytes that are not valid UTF-8, and half a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// One U+FFFD per maximal subpart.
    Replace,
    /// Leave them out.
    Ignore,
    /// Stop.
    Strict,
}

/// Decodes `bytes` as the Encoding Standard does; borrows where they are valid.
///
/// ```
/// assert_eq!(millstream::utf8::decode(b"a\xF0\x9F\x98z"), "a\u{FFFD}z");
/// ```
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Where the unfinished sequence at the end of `bytes` starts: `bytes.len()` if there is none.
///
/// A sequence is unfinished only while every byte of it can still be right: `ED A0` can't, so
/// it is decided with its second byte.
pub(crate) fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for start in tail..bytes.len() {
        if let Err(error) = std::str::from_utf8(&bytes[start..])
            && error.valid_up_to() == 0
            && error.error_len().is_none()
        {
            return start;
        }
    }
    bytes.len()
}

/// Decodes UTF-8 that arrives in pieces; holds three bytes at most.
#[derive(Debug)]
pub struct Utf8Decoder {
    errors: Errors,
    held: Vec<u8>,
    /// The stream's offset of the first held byte.
    offset: u64,
}

/// The bytes that stopped a strict decoder, and their offset in the stream.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidUtf8 {
    /// The maximal invalid subpart.
    pub bytes: Vec<u8>,
    /// Its offset.
    pub offset: u64,
}

impl Utf8Decoder {
    /// A decoder at the start of a stream.
    pub fn new(errors: Errors) -> Self {
        Self {
            errors,
            held: Vec::new(),
            offset: 0,
        }
    }

    /// Returns the longest text that later bytes cannot change, and what stopped a strict decoder.
    pub fn feed(&mut self, data: &[u8]) -> (String, Option<InvalidUtf8>) {
        let joined;
        let data = if self.held.is_empty() {
            data
        } else {
            self.held.extend_from_slice(data);
            joined = std::mem::take(&mut self.held);
            &joined
        };
        let end = unfinished(data);
        let result = self.decide(&data[..end]);
        self.held = data[end..].to_vec();
        self.offset += end as u64;
        result
    }

    /// Decides the held bytes: the stream has ended.
    pub fn close(&mut self) -> (String, Option<InvalidUtf8>) {
        let held = std::mem::take(&mut self.held);
        self.decide(&held)
    }

    fn decide(&self, bytes: &[u8]) -> (String, Option<InvalidUtf8>) {
        let mut text = String::with_capacity(bytes.len());
        let mut offset = self.offset;
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            offset += chunk.valid().len() as u64;
            let invalid = chunk.invalid();
            match self.errors {
                _ if invalid.is_empty() => {}
                Errors::Replace => text.push(char::REPLACEMENT_CHARACTER),
                Errors::Ignore => {}
                Errors::Strict => {
                    return (
                        text,
                        Some(InvalidUtf8 {
                            bytes: invalid.to_vec(),
                            offset,
                        }),
                    );
                }
            }
            offset += invalid.len() as u64;
        }
        (text, None)
    }
}
