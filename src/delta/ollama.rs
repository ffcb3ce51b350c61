//! Ollama's chat and generate.

use super::family::{Family, Source};
use super::message::{ToolCall, array, object, tool_call};
use super::payload::{End, Payload};
use super::provider_error::ErrorMembers;
use super::usage::counts;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of a chat: how many tool calls have come.
#[derive(Debug, Default)]
pub struct OllamaChat {
    calls: u32,
}

/// A stream of a completion; nothing of it is kept.
#[derive(Debug, Default)]
pub struct OllamaGenerate;

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    message: Message<'p>,
    has_content: bool,
    is_done: Option<bool>,
    done_reason: Option<Raw<'p>>,
    counts: [Option<&'p str>; 2],
    errors: ErrorMembers<'p>,
}

/// The content of a `message`, or of the payload itself.
#[derive(Debug, Default)]
struct Message<'p> {
    role: Option<Raw<'p>>,
    text: Option<Raw<'p>>,
    thinking: Option<Raw<'p>>,
    tool_calls: Vec<ToolCall<'p>>,
}

impl Family for OllamaChat {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        read(reader, true, payload)?;
        for choice in &mut payload.choices {
            for call in &mut choice.message.tool_calls {
                call.index = Some(self.calls);
                self.calls = self.calls.saturating_add(1);
            }
        }
        Ok(())
    }
}

impl Family for OllamaGenerate {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        read(reader, false, payload)
    }
}

/// Reads a payload, of a chat or of a completion.
fn read<'p>(reader: &mut Reader<'p>, is_chat: bool, payload: &mut Payload<'p>) -> Result<()> {
    let mut members = Members::default();
    object(reader, |reader, name| {
        members.member(reader, name, is_chat, payload)
    })?;
    reader.end()?;
    let known = members.has_content || members.is_done.is_some();
    if known {
        let choice = payload.first();
        let message = members.message;
        choice.message.role = message.role;
        choice.message.set_text(message.text);
        choice.message.set_reasoning(message.thinking);
        choice.message.tool_calls = message.tool_calls;
        if members.is_done == Some(true) {
            choice.finish_reason = members.done_reason.map(Raw::whole);
            payload.usage = counts(&["prompt_eval_count", "eval_count"], members.counts);
            payload.end = End::Yes;
        }
    }
    let error = members.errors.error(payload, reader.text(), known);
    payload.error = error.map(Into::into);
    Ok(())
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        is_chat: bool,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "message" if is_chat => {
                self.has_content = reader.peek() == b'{';
                let mut message = Message::default();
                object(reader, |reader, name| message.member(reader, name))?;
                self.message = message;
            }
            "response" if !is_chat => {
                self.message.text = reader.string_or_skip()?;
                self.has_content = self.message.text.is_some();
            }
            "thinking" if !is_chat => self.message.thinking = reader.string_or_skip()?,
            "done" => {
                self.is_done = match reader.value()? {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                };
            }
            "done_reason" => self.done_reason = reader.string_or_skip()?,
            "prompt_eval_count" => self.counts[0] = reader.number_or_skip()?,
            "eval_count" => self.counts[1] = reader.number_or_skip()?,
            "model" => payload.info_member(reader, name)?,
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

impl<'p> Message<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "role" => self.role = reader.string_or_skip()?,
            "content" => self.text = reader.string_or_skip()?,
            "thinking" => self.thinking = reader.string_or_skip()?,
            "tool_calls" => {
                self.tool_calls.clear();
                array(reader, |reader| {
                    self.tool_calls.extend(tool_call(reader)?);
                    Ok(())
                })?;
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}
