//! Gemini's generated content.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::family::{Family, Source};
use super::message::{Function, PartKind, ToolCall, arguments, array, members_of, some};
use super::payload::{Beside, Choice, Payload};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of generated content.
#[derive(Debug, Default)]
pub struct Gemini {
    /// How many tool calls each choice has had.
    calls: BTreeMap<u32, u32>,
    /// The model's name in the last payload that had more than text, if one came; empty where it had none.
    model: Option<String>,
}

/// The members of a payload that are not its candidates.
#[derive(Debug, Default)]
struct Members<'p> {
    has_candidates: bool,
    has_feedback: bool,
    block_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
    id: Option<Raw<'p>>,
    model: Option<Raw<'p>>,
    errors: ErrorMembers<'p>,
    /// How many candidates there are.
    count: u32,
    /// There is more in it than text and what stays the same in a stream.
    says_more: bool,
}

impl Family for Gemini {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        members_of(reader, |reader, name| members.member(reader, name, payload))?;
        payload.usage = members.usage.map(Into::into);
        payload.set_info("id", members.id);
        payload.set_info("model", members.model);
        payload.beside = self.beside(&members);
        if let (true, Some(reason)) = (payload.choices.is_empty(), some(members.block_reason)) {
            let reason = format!("blocked:{}", reason.whole());
            payload.first().finish_reason = Some(Cow::Owned(reason));
        }
        for choice in &mut payload.choices {
            choice.message.settle_parts();
            // A call like it is the next one.
            payload.teaches &= choice.message.tool_calls.is_empty();
            for call in &mut choice.message.tool_calls {
                let count = self.calls.entry(choice.index).or_default();
                call.index = Some(*count);
                *count = count.saturating_add(1);
            }
        }
        let known = members.has_candidates || members.usage.is_some() || members.has_feedback;
        payload.error = members.errors.error(reader.text(), known, false);
        Ok(())
    }

    fn usual_role(&self) -> &'static str {
        "model"
    }
}

impl Gemini {
    /// What a payload says beside its text, to a reader that knows the one before.
    fn beside(&mut self, members: &Members<'_>) -> Beside {
        let model = members.model.map(Raw::whole).unwrap_or_default();
        if self.model.as_deref() != Some(&*model) {
            self.model = Some(model.into_owned());
            return Beside::Block;
        }
        if members.says_more || members.count != 1 {
            Beside::More
        } else {
            Beside::Nothing
        }
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
                (self.count, self.has_candidates) = (0, reader.peek() == b'[');
                array(reader, |reader| {
                    self.candidate(reader, payload)?;
                    self.count = self.count.saturating_add(1);
                    Ok(())
                })?;
                return Ok(());
            }
            "responseId" => self.id = payload.wanted_string(reader, "id")?,
            "modelVersion" => self.model = reader.string_or_skip()?,
            "createTime" => reader.skip_noting()?,
            _ => {
                self.says_more = true;
                return self.other_member(reader, name);
            }
        }
        Ok(())
    }

    /// Reads a member that an ordinary payload does not have.
    fn other_member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "promptFeedback" => {
                self.block_reason = None;
                self.has_feedback = members_of(reader, |reader, name| match name {
                    "blockReason" => reader.string_or_skip().map(|text| self.block_reason = text),
                    _ => reader.skip_noting(),
                })?;
            }
            "usageMetadata" => self.usage = reader.object_noting()?,
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// Reads a candidate.
    fn candidate(&mut self, reader: &mut Reader<'p>, payload: &mut Payload<'p>) -> Result<()> {
        let position = self.count;
        let has_one_choice = payload.has_one_choice();
        if reader.peek() != b'{' || (has_one_choice && !payload.choices.is_empty()) {
            self.says_more = true;
            return reader.skip();
        }
        payload.choices.push(Choice {
            index: if has_one_choice { 0 } else { position },
            ..Choice::default()
        });
        let Some(choice) = payload.choices.last_mut() else {
            return Ok(());
        };
        let mut has_content = false;
        reader.members(|reader, name| {
            match name {
                "index" if !has_one_choice => {
                    choice.index = reader.index_or_skip()?.unwrap_or(position);
                }
                "index" => reader.skip_noting()?,
                "content" => has_content = self.content(reader, choice)?,
                "finishReason" => {
                    self.says_more = true;
                    choice.finish_reason = reader.string_or_skip()?.map(Raw::whole);
                }
                _ => {
                    self.says_more = true;
                    reader.skip_noting()?;
                }
            }
            Ok(())
        })?;
        self.says_more |= !has_content;
        Ok(())
    }

    /// Reads the `content` of a candidate; returns whether it has one part.
    fn content(&mut self, reader: &mut Reader<'p>, choice: &mut Choice<'p>) -> Result<bool> {
        choice.message = super::message::Message::default();
        let mut count = 0_usize;
        members_of(reader, |reader, name| {
            match name {
                "role" => choice.message.role = reader.string_or_skip()?,
                "parts" => {
                    count = 0;
                    array(reader, |reader| {
                        count += 1;
                        self.part(reader, choice)
                    })?;
                }
                _ => {
                    self.says_more = true;
                    reader.skip_noting()?;
                }
            }
            Ok(())
        })?;
        Ok(count == 1)
    }

    /// Reads a part of a content.
    fn part(&mut self, reader: &mut Reader<'p>, choice: &mut Choice<'p>) -> Result<()> {
        let (mut text, mut is_thought, mut call) = (None, false, None);
        let mut has_text = false;
        members_of(reader, |reader, name| {
            match name {
                "text" => (text, has_text) = (reader.string_or_skip()?, true),
                "thought" => {
                    is_thought = reader.bool_or_skip()? == Some(true);
                    self.says_more = true;
                }
                "functionCall" => {
                    call = function_call(reader)?;
                    self.says_more = true;
                }
                _ => {
                    self.says_more = true;
                    reader.skip_noting()?;
                }
            }
            Ok(())
        })?;
        self.says_more |= !has_text;
        let kind = if is_thought {
            PartKind::Thinking
        } else {
            PartKind::Text
        };
        choice.message.push_part(kind, text);
        let call = call.filter(|call| !call.is_empty());
        choice.message.tool_calls.extend(call);
        Ok(())
    }
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
            "args" => function.arguments = arguments(reader)?,
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
