//! The provider's errors, and those that are not called one: objects without choices and usage that say what failed.
//!
//! `_provider_errors.py` has the same rules, for whole answers and for the other half.

use std::borrow::Cow;

use super::sink::Text;
use crate::json::{InvalidJson, Raw, Reader};

/// The members of an object that make it an error; of equal names the last counts.
#[derive(Debug, Default)]
struct Signs {
    /// `error_message`, `error_type` and `detail`, where they have words.
    words: [bool; 3],
    has_object: bool,
    has_message: bool,
    /// `code`, `status`, `type` and `success`, where they say that something failed.
    failures: [bool; 4],
}

/// Whether `text`, a valid payload without choices and usage, is an error that is not called one.
pub(super) fn is_unnamed(text: &str) -> bool {
    let mut signs = Signs::default();
    let mut reader = Reader::new(text);
    if reader.peek() != b'{'
        || reader
            .members(|reader, name| signs.member(reader, name))
            .is_err()
    {
        return false;
    }
    signs.words.contains(&true)
        || (!signs.has_object && signs.has_message && signs.failures.contains(&true))
}

impl Signs {
    fn member(&mut self, reader: &mut Reader<'_>, name: &str) -> Result<(), InvalidJson> {
        match name {
            "error_message" => self.words[0] = has_text(reader)?,
            "error_type" => self.words[1] = has_text(reader)?,
            "detail" => self.words[2] = has_detail(reader)?,
            "object" => self.has_object = has_text(reader)?,
            "message" => self.has_message = has_text(reader)?,
            "code" => self.failures[0] = is_code_of_failure(reader)?,
            "status" => self.failures[1] = is_status_of_failure(reader)?,
            "type" => {
                self.failures[2] = reader.string_or_skip()?.is_some_and(|raw| {
                    let kind = raw.whole();
                    let end = kind.len().checked_sub(5).and_then(|at| kind.get(at..));
                    end.is_some_and(|end| end.eq_ignore_ascii_case("error"))
                });
            }
            "success" => self.failures[3] = reader.value()? == "false",
            _ => reader.skip()?,
        }
        Ok(())
    }
}

/// The members of a payload that report an error, in every format.
#[derive(Debug, Default)]
pub(super) struct ErrorMembers<'p> {
    pub error: Option<&'p str>,
    pub is_error: bool,
}

impl<'p> ErrorMembers<'p> {
    /// Reads the member called `name`, if it is one of them; returns whether it is.
    pub fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<bool, InvalidJson> {
        match name {
            "error" => self.error = error_or_skip(reader)?,
            "object" => {
                let object = reader.string_or_skip()?;
                self.is_error = object.is_some_and(|object| object.whole() == "error");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The error of a payload, whose text is `text`: one that is called so, or all of it. A payload that is not
    /// `known` to its family may be an error that is not called one; `is_error` says that it is of that type.
    pub fn error(self, text: &'p str, known: bool, is_error: bool) -> Option<Text<'p>> {
        let reports = |error: &&str| !known || !is_empty_object(error);
        let error = self.error.filter(reports).or_else(|| {
            let is_error = is_error || self.is_error || (!known && is_unnamed(text));
            is_error.then(|| text.trim_ascii())
        });
        error.map(Cow::Borrowed)
    }
}

/// Whether an error is `{}`.
pub(super) fn is_empty_object(text: &str) -> bool {
    let inside = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Reads a value; an object, and a string that is not empty, may be an error.
pub(super) fn error_or_skip<'p>(reader: &mut Reader<'p>) -> Result<Option<&'p str>, InvalidJson> {
    let first = reader.peek();
    let text = reader.value()?;
    Ok(match first {
        b'{' => Some(text),
        b'"' if text.len() > 2 => Some(text),
        _ => None,
    })
}

fn has_text(reader: &mut Reader<'_>) -> Result<bool, InvalidJson> {
    Ok(reader.string_or_skip()?.is_some_and(|raw| !raw.is_empty()))
}

/// Reads `detail`: a text, or a list in which an object has a text `msg`.
fn has_detail(reader: &mut Reader<'_>) -> Result<bool, InvalidJson> {
    if reader.peek() != b'[' {
        return has_text(reader);
    }
    let mut has_words = false;
    reader.elements(|reader| {
        if reader.peek() != b'{' {
            return reader.skip();
        }
        let mut has_message = false;
        reader.members(|reader, name| match name {
            "msg" => has_text(reader).map(|has| has_message = has),
            _ => reader.skip(),
        })?;
        has_words |= has_message;
        Ok(())
    })?;
    Ok(has_words)
}

/// Reads `code`: a number from 400 on or below 0, or a text that does not say that all is well.
fn is_code_of_failure(reader: &mut Reader<'_>) -> Result<bool, InvalidJson> {
    match number_or_text(reader)? {
        NumberOrText::Number(code) if code < 0.0 => Ok(true),
        NumberOrText::Number(code) => Ok(code >= 400.0),
        NumberOrText::Text(code) => {
            Ok(!code.is_empty() && !is_one_of(code, &["ok", "success", "0", "200"]))
        }
        NumberOrText::Other => Ok(false),
    }
}

/// Reads `status`: a number from 400 on, or one of two words.
fn is_status_of_failure(reader: &mut Reader<'_>) -> Result<bool, InvalidJson> {
    match number_or_text(reader)? {
        NumberOrText::Number(status) => Ok(status >= 400.0),
        NumberOrText::Text(status) => Ok(is_one_of(status, &["error", "failed"])),
        NumberOrText::Other => Ok(false),
    }
}

enum NumberOrText<'p> {
    Number(f64),
    Text(Raw<'p>),
    Other,
}

fn number_or_text<'p>(reader: &mut Reader<'p>) -> Result<NumberOrText<'p>, InvalidJson> {
    Ok(match reader.peek() {
        b'"' => reader
            .string_or_skip()?
            .map_or(NumberOrText::Other, NumberOrText::Text),
        b'-' | b'0'..=b'9' | b'N' | b'I' => reader
            .value()?
            .parse()
            .map_or(NumberOrText::Other, NumberOrText::Number),
        _ => {
            reader.skip()?;
            NumberOrText::Other
        }
    })
}

/// Whether `text` is one of `words`, in letters of any case.
fn is_one_of(text: Raw<'_>, words: &[&str]) -> bool {
    let text = text.whole();
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}
