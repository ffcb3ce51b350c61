//! The generate endpoint of Hugging Face's text-generation-inference.

use super::family::{Family, Source};
use super::message::object;
use super::payload::{End, Payload};
use super::provider_error::ErrorMembers;
use super::usage::counts;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of a generation; nothing of it is kept.
#[derive(Debug, Default)]
pub struct Tgi;

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    has_token: bool,
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
        reader.end()?;
        let known = members.has_token || members.generated_text.is_some();
        if known {
            let text = if members.has_token {
                members.text.filter(|_| !members.is_special)
            } else {
                members.generated_text
            };
            let choice = payload.first();
            choice.message.set_text(text);
            choice.finish_reason = members.finish_reason.map(Raw::whole);
            payload.usage = counts(&["generated_tokens", "input_length"], members.counts);
            if members.generated_text.is_some() {
                payload.end = End::Yes;
            }
        }
        let error = members.errors.error(payload, reader.text(), known);
        payload.error = error.map(Into::into);
        Ok(())
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "token" => {
                self.has_token = reader.peek() == b'{';
                (self.text, self.is_special) = (None, false);
                object(reader, |reader, name| {
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
                object(reader, |reader, name| {
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
