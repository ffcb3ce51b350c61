//! The provider's errors that come in no payload of the format: events, fields and lines that report one.

use std::borrow::Cow;

use super::family::{Family, Source};
use super::openai::{OpenAiChat, OpenAiCompletions};
use super::payload::Payload;
use crate::json::{self, Reader};
use crate::utf8;

/// Whether `line`, which begins with a brace, is a whole JSON object that has an error.
pub(crate) fn is_error(line: &[u8]) -> bool {
    let text = utf8::decode(trim(line));
    read_error(&text, &mut OpenAiChat).is_some()
}

/// The error that an `error` event or field reports, as JSON text: the object it holds or is, a
/// string, or whatever it says as a string.
pub(crate) fn error_text(data: &[u8]) -> String {
    let text = utf8::decode(trim(data));
    if let (Some(b'{' | b'"'), true) = (text.as_bytes().first(), json::is_valid(&text)) {
        let inner = read_error(&text, &mut OpenAiCompletions);
        return inner.unwrap_or_else(|| text.into_owned());
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    json::write_string(&mut quoted, &text);
    utf8::decode(&quoted).into_owned()
}

/// The error in a payload, as JSON text; `None` where there is none, and where `text` is not valid.
fn read_error(text: &str, family: &mut dyn Family) -> Option<String> {
    let mut payload = Payload::default();
    let mut reader = Reader::new(text);
    let read = family.read_document(&mut reader, Source::default(), &mut payload);
    read.ok()?;
    payload.error.map(Cow::into_owned)
}

/// Without the white space of JSON around it.
pub(crate) fn trim(mut data: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = data {
        data = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = data {
        data = rest;
    }
    data
}
