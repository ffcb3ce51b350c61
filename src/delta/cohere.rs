//! Cohere's chat, version 2.

use super::family::{Family, Source};
use super::message::{PartKind, ToolCall, error_string, members_of, positioned, tool_call};
use super::payload::{Choice, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of a chat; nothing of it is kept.
#[derive(Debug, Default)]
pub struct Cohere;

/// How the types of events begin.
const KNOWN: [&str; 4] = ["message-", "content-", "tool-", "citation-"];

/// The members of a payload, or of its `delta`.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    index: Option<u32>,
    finish_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
    message: Option<Message<'p>>,
}

/// The content of a `message`.
#[derive(Debug, Default)]
struct Message<'p> {
    role: Option<Raw<'p>>,
    /// The fields of `content`, where it is an object.
    fields: Part<'p>,
    /// The elements of `content`, where it is a list.
    parts: Vec<Part<'p>>,
    tool_plan: Option<Raw<'p>>,
    /// Each call with its position.
    tool_calls: Vec<(u32, ToolCall<'p>)>,
}

/// A part of the content.
#[derive(Clone, Copy, Debug, Default)]
struct Part<'p> {
    thinking: Option<Raw<'p>>,
    text: Option<Raw<'p>>,
}

impl Family for Cohere {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let (mut members, mut delta) = (Members::default(), None);
        let mut end_error = None;
        let mut errors = ErrorMembers::default();
        members_of(reader, |reader, name| match name {
            "delta" => {
                let mut found = Members::default();
                end_error = None;
                let is_there = members_of(reader, |reader, name| match name {
                    "error" => error_string(reader).map(|error| end_error = error),
                    _ => found.member(reader, name),
                })?;
                delta = is_there.then_some(found);
                Ok(())
            }
            "id" => payload.info_member(reader, name),
            _ if errors.member(reader, name)? => Ok(()),
            _ => members.member(reader, name),
        })?;
        let kind = source.kind(members.kind);
        let known = if source.is_body {
            body(&members, payload)
        } else {
            KNOWN.iter().any(|known| kind.starts_with(known))
        };
        if known && !source.is_body {
            if let Some(delta) = &delta {
                event(&kind, members.index.unwrap_or_default(), delta, payload);
            }
            if kind == "message-end" {
                payload.error = end_error.map(Into::into);
                payload.ends = true;
            }
        }
        let is_error = members.kind.is_some_and(|kind| kind.whole() == "error");
        let error = errors.error(reader.text(), known, is_error);
        payload.error = payload.error.take().or(error);
        Ok(())
    }
}

/// Fills `payload` from the `delta` of an event of this `kind`, which is a known one.
fn event<'p>(kind: &str, index: u32, delta: &Members<'p>, payload: &mut Payload<'p>) {
    if kind == "message-end" {
        payload.usage = delta.usage.map(Into::into);
        payload.first().finish_reason = delta.finish_reason.map(Raw::whole);
        return;
    }
    let Some(message) = &delta.message else {
        return;
    };
    let choice = payload.first();
    match kind {
        "message-start" => choice.message.role = message.role,
        "content-start" | "content-delta" => {
            choice.message.set_reasoning(message.fields.thinking);
            choice.message.set_text(message.fields.text);
        }
        "tool-plan-delta" => choice.message.set_reasoning(message.tool_plan),
        "tool-call-start" | "tool-call-delta" => {
            let calls = message.tool_calls.iter().map(|(_, call)| ToolCall {
                index: Some(index),
                ..*call
            });
            choice.message.tool_calls = calls.collect();
        }
        _ => {}
    }
}

/// Fills `payload` from a whole answer; returns whether it is one.
fn body<'p>(members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
    let Some(message) = &members.message else {
        return false;
    };
    payload.usage = members.usage.map(Into::into);
    let choice: &mut Choice<'p> = payload.first();
    choice.place = Place::Body;
    choice.finish_reason = members.finish_reason.map(Raw::whole);
    choice.message.role = message.role;
    choice.message.set_reasoning(message.tool_plan);
    for part in &message.parts {
        choice.message.push_part(PartKind::Thinking, part.thinking);
        choice.message.push_part(PartKind::Text, part.text);
    }
    let calls = message.tool_calls.iter().map(|(position, call)| ToolCall {
        index: Some(*position),
        ..*call
    });
    choice.message.tool_calls = calls.collect();
    true
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "index" => self.index = reader.index_or_skip()?,
            "finish_reason" => self.finish_reason = reader.string_or_skip()?,
            "usage" => self.usage = reader.object_or_skip()?,
            "message" => {
                let mut message = Message::default();
                let is_there = members_of(reader, |reader, name| message.member(reader, name))?;
                self.message = is_there.then_some(message);
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

impl<'p> Message<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "role" => self.role = reader.string_or_skip()?,
            "content" => {
                (self.fields, self.parts) = (Part::default(), Vec::new());
                if reader.peek() == b'[' {
                    reader.elements(|reader| {
                        self.parts.push(Part::read(reader)?);
                        Ok(())
                    })?;
                } else {
                    self.fields = Part::read(reader)?;
                }
            }
            "tool_plan" => self.tool_plan = reader.string_or_skip()?,
            "tool_calls" => {
                self.tool_calls = if reader.peek() == b'{' {
                    tool_call(reader)?
                        .map(|call| (0, call))
                        .into_iter()
                        .collect()
                } else {
                    positioned(reader, tool_call)?
                };
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

impl<'p> Part<'p> {
    /// Reads a value; an object may have text.
    fn read(reader: &mut Reader<'p>) -> Result<Self> {
        let mut part = Self::default();
        members_of(reader, |reader, name| {
            match name {
                "text" => part.text = reader.string_or_skip()?,
                "thinking" => part.thinking = reader.string_or_skip()?,
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        Ok(part)
    }
}
