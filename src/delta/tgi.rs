//! The generate endpoint of Hugging Face's text-generation-inference.

use super::family::{Family, Source};
use super::message::{members_of, object, some};
use super::payload::Payload;
use super::provider_error::ErrorMembers;
use super::usage::counts;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of a generation: whether text has come, which is not repeated at the end.
#[derive(Debug, Default)]
pub struct Tgi {
    has_text: bool,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    has_token: bool,
    has_details: bool,
    text: Option<Raw<'p>>,
    is_special: bool,
    generated_text: Option<Raw<'p>>,
    finish_reason: Option<Raw<'p>>,
    counts: [Option<&'p str>; 2],
    errors: ErrorMembers<'p>,
}

impl Family for Tgi {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        object(reader, |reader, name| members.member(reader, name))?;
        let known = members.has_token || members.has_details || members.generated_text.is_some();
        if known {
            let text = if members.has_token {
                members.text.filter(|_| !members.is_special)
            } else {
                members.generated_text.filter(|_| !self.has_text)
            };
            let text = some(text);
            self.has_text |= text.is_some();
            // One like it that has text is to be noted.
            payload.teaches = text.is_some() && members.has_token;
            let choice = payload.first();
            choice.message.set_text(text);
            choice.finish_reason = members.finish_reason.map(Raw::whole);
            payload.usage = counts(&["generated_tokens", "input_length"], members.counts);
            payload.ends = members.generated_text.is_some();
        }
        payload.error = members.errors.error(reader.text(), known, false);
        Ok(())
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "token" => {
                (self.text, self.is_special) = (None, false);
                self.has_token = members_of(reader, |reader, name| {
                    match name {
                        "text" => self.text = reader.string_or_skip()?,
                        "special" => self.is_special = reader.value()? == "true",
                        _ => reader.skip_noting()?,
                    }
                    Ok(())
                })?;
            }
            "generated_text" => self.generated_text = reader.string_or_skip()?,
            "details" => {
                (self.finish_reason, self.counts) = (None, [None; 2]);
                self.has_details = members_of(reader, |reader, name| {
                    match name {
                        "finish_reason" => self.finish_reason = reader.string_or_skip()?,
                        "generated_tokens" => self.counts[0] = reader.number_or_skip()?,
                        "input_length" => self.counts[1] = reader.number_or_skip()?,
                        _ => reader.skip_noting()?,
                    }
                    Ok(())
                })?;
            }
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}
