//! Ollama's chat and generate.

use super::family::{Family, Source};
use super::message::{ToolCall, array, members_of, tool_call};
use super::payload::{Beside, Payload};
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
    /// `message`, where it is an object.
    message: Option<Message<'p>>,
    /// `response`, where it is a string, and `thinking` beside it.
    response: Option<Raw<'p>>,
    thinking: Option<Raw<'p>>,
    /// Whether `message` and `response` are there, whatever they are.
    is_there: [bool; 2],
    has_logprobs: bool,
    is_done: Option<bool>,
    done_reason: Option<Raw<'p>>,
    counts: [Option<&'p str>; 2],
    errors: ErrorMembers<'p>,
}

/// The content of a `message`.
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
        let mut members = Members::read(reader, payload)?;
        let [_, has_response] = members.is_there;
        let known = members.message.is_some() || (members.is_done.is_some() && !has_response);
        if known {
            let mut message = members.message.take().unwrap_or_default();
            for call in &mut message.tool_calls {
                call.index = Some(self.calls);
                self.calls = self.calls.saturating_add(1);
            }
            // A call like it is the next one.
            payload.teaches = message.tool_calls.is_empty();
            let choice = payload.first();
            choice.message.role = message.role;
            choice.message.set_text(message.text);
            choice.message.set_reasoning(message.thinking);
            choice.message.tool_calls = message.tool_calls;
        }
        members.settle(reader.text(), known, payload);
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
        let members = Members::read(reader, payload)?;
        let [has_message, _] = members.is_there;
        let known = members.response.is_some() || (members.is_done.is_some() && !has_message);
        if known {
            let choice = payload.first();
            choice.message.set_text(members.response);
            choice.message.set_reasoning(members.thinking);
        }
        members.settle(reader.text(), known, payload);
        Ok(())
    }
}

impl<'p> Members<'p> {
    fn read(reader: &mut Reader<'p>, payload: &mut Payload<'p>) -> Result<Self> {
        let mut members = Self::default();
        members_of(reader, |reader, name| members.member(reader, name, payload))?;
        Ok(members)
    }

    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "message" => {
                let mut message = Message::default();
                let is_object = members_of(reader, |reader, name| message.member(reader, name))?;
                self.message = is_object.then_some(message);
                self.is_there[0] = true;
            }
            "response" => {
                self.response = reader.string_or_skip()?;
                self.is_there[1] = true;
            }
            "thinking" => self.thinking = reader.string_or_skip()?,
            "logprobs" => {
                self.has_logprobs = reader.peek() != b'n';
                reader.skip_noting()?;
            }
            "done" => self.is_done = reader.bool_or_skip()?,
            "done_reason" => self.done_reason = reader.string_or_skip()?,
            "prompt_eval_count" => self.counts[0] = reader.number_or_skip()?,
            "eval_count" => self.counts[1] = reader.number_or_skip()?,
            "model" => payload.info_member(reader, name)?,
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// Fills `payload`, which is `known` or not, beside its content; `text` is its text.
    fn settle(self, text: &'p str, known: bool, payload: &mut Payload<'p>) {
        if known && self.is_done == Some(true) {
            payload.first().finish_reason = self.done_reason.map(Raw::whole);
            payload.usage = counts(&["prompt_eval_count", "eval_count"], self.counts);
            payload.ends = true;
        }
        if self.has_logprobs {
            payload.beside = Beside::More;
        }
        payload.error = self.errors.error(text, known, false);
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
                    let call = tool_call(reader)?.filter(|call| !call.is_empty());
                    self.tool_calls.extend(call);
                    Ok(())
                })?;
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}
