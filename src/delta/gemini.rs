//! Gemini's generated content.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::family::{Family, Source};
use super::message::{Arguments, Function, PartKind, ToolCall, array, object, some};
use super::payload::{Beside, Choice, Payload};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of generated content: how many tool calls each choice has had.
#[derive(Debug, Default)]
pub struct Gemini {
    calls: BTreeMap<u32, u32>,
}

/// The members of a payload that are not its candidates.
#[derive(Debug, Default)]
struct Members<'p> {
    has_candidates: bool,
    block_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
    errors: ErrorMembers<'p>,
}

impl Family for Gemini {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        object(reader, |reader, name| members.member(reader, name, payload))?;
        reader.end()?;
        payload.usage = members.usage.map(Into::into);
        let block_reason = some(members.block_reason);
        let known = members.has_candidates || members.usage.is_some() || block_reason.is_some();
        if let (true, Some(reason)) = (payload.choices.is_empty(), block_reason) {
            let reason = format!("blocked:{}", reason.whole());
            payload.first().finish_reason = Some(Cow::Owned(reason));
        }
        for choice in &mut payload.choices {
            choice.message.settle_parts();
            for call in &mut choice.message.tool_calls {
                let count = self.calls.entry(choice.index).or_default();
                call.index = Some(*count);
                *count = count.saturating_add(1);
            }
        }
        let error = members.errors.error(payload, reader.text(), known);
        payload.error = error.map(Into::into);
        Ok(())
    }

    fn usual_role(&self) -> &'static str {
        "model"
    }
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "candidates" => {
                payload.choices.clear();
                self.has_candidates = reader.peek() == b'[';
                let mut position = 0;
                array(reader, |reader| {
                    candidate(reader, position, payload)?;
                    position += 1;
                    Ok(())
                })?;
            }
            "promptFeedback" => {
                self.block_reason = None;
                object(reader, |reader, name| match name {
                    "blockReason" => reader.string_or_skip().map(|text| self.block_reason = text),
                    _ => reader.skip_noting(),
                })?;
            }
            "usageMetadata" => self.usage = reader.object_or_skip()?,
            "responseId" => payload.info_member(reader, "id")?,
            "modelVersion" => payload.info_member(reader, "model")?,
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

/// Reads a candidate, which stands at this position.
fn candidate<'p>(reader: &mut Reader<'p>, position: u32, payload: &mut Payload<'p>) -> Result<()> {
    if reader.peek() != b'{' || (payload.has_one_choice() && !payload.choices.is_empty()) {
        return reader.skip();
    }
    let mut index = position;
    let mut choice = Choice::default();
    let mut beside = Beside::Nothing;
    reader.members(|reader, name| {
        match name {
            "index" => index = reader.index_or_skip()?.unwrap_or(position),
            "finishReason" => choice.finish_reason = reader.string_or_skip()?.map(Raw::whole),
            "content" => content(reader, &mut choice, &mut beside)?,
            "safetyRatings" => reader.skip_noting()?,
            _ => {
                beside = Beside::More;
                reader.skip_noting()?;
            }
        }
        Ok(())
    })?;
    choice.index = if payload.has_one_choice() { 0 } else { index };
    if choice.index == 0 && beside != Beside::Nothing {
        payload.beside = beside;
    }
    payload.choices.push(choice);
    Ok(())
}

/// Reads the `content` of a candidate.
fn content<'p>(
    reader: &mut Reader<'p>,
    choice: &mut Choice<'p>,
    beside: &mut Beside,
) -> Result<()> {
    choice.message = super::message::Message::default();
    object(reader, |reader, name| {
        match name {
            "role" => choice.message.role = reader.string_or_skip()?,
            "parts" => array(reader, |reader| part(reader, choice, beside))?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })
}

/// Reads a part of a content.
fn part<'p>(reader: &mut Reader<'p>, choice: &mut Choice<'p>, beside: &mut Beside) -> Result<()> {
    let (mut text, mut is_thought, mut call) = (None, false, None);
    object(reader, |reader, name| {
        match name {
            "text" => text = reader.string_or_skip()?,
            "thought" => is_thought = reader.value()? == "true",
            "functionCall" => call = function_call(reader)?,
            _ => {
                *beside = Beside::More;
                reader.skip_noting()?;
            }
        }
        Ok(())
    })?;
    let kind = if is_thought {
        PartKind::Thinking
    } else {
        PartKind::Text
    };
    choice.message.push_part(kind, text);
    choice.message.tool_calls.extend(call);
    Ok(())
}

/// Reads a `functionCall`.
fn function_call<'p>(reader: &mut Reader<'p>) -> Result<Option<ToolCall<'p>>> {
    if reader.peek() != b'{' {
        reader.skip()?;
        return Ok(None);
    }
    let (mut id, mut function) = (None, Function::default());
    reader.members(|reader, name| {
        match name {
            "id" => id = reader.string_or_skip()?,
            "name" => function.name = reader.string_or_skip()?,
            "args" => function.arguments = reader.object_or_skip()?.map(Arguments::Json),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let index = None;
    Ok(Some(ToolCall {
        index,
        id,
        function,
    }))
}
