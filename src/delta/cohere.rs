//! Cohere's chat, version 2.

use super::family::{Family, Source};
use super::message::{PartKind, ToolCall, array, object, tool_call};
use super::payload::{Choice, End, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of a chat; nothing of it is kept.
#[derive(Debug, Default)]
pub struct Cohere;

/// The members of a payload, or of its `delta`.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    index: Option<u32>,
    finish_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
    error: Option<&'p str>,
    message: Message<'p>,
    has_message: bool,
}

/// The content of a `message`.
#[derive(Debug, Default)]
struct Message<'p> {
    role: Option<Raw<'p>>,
    content: Vec<(PartKind, Raw<'p>)>,
    tool_plan: Option<Raw<'p>>,
    tool_calls: Vec<ToolCall<'p>>,
}

impl Family for Cohere {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let (mut members, mut delta) = (Members::default(), Members::default());
        let mut errors = ErrorMembers::default();
        object(reader, |reader, name| match name {
            "delta" => {
                delta = Members::default();
                object(reader, |reader, name| match name {
                    "error" => error(reader).map(|error| delta.error = error),
                    "id" => reader.skip_noting(),
                    _ => delta.member(reader, name, payload),
                })
            }
            _ if errors.member(reader, name)? => Ok(()),
            _ => members.member(reader, name, payload),
        })?;
        reader.end()?;
        let kind = source.kind(members.kind);
        let known = settle(&kind, &members, &delta, source, payload);
        let error = errors.error(payload, reader.text(), known);
        payload.error = payload.error.take().or(error.map(Into::into));
        Ok(())
    }
}

/// Fills `payload`, which is of this `kind`; returns whether the kind is known.
fn settle<'p>(
    kind: &str,
    members: &Members<'p>,
    delta: &Members<'p>,
    source: Source<'_>,
    payload: &mut Payload<'p>,
) -> bool {
    let message = &delta.message;
    match kind {
        "message-start" => payload.first().message.role = message.role,
        "content-start" | "content-delta" => content(message, payload.first()),
        "tool-plan-delta" => payload.first().message.set_reasoning(message.tool_plan),
        "tool-call-start" | "tool-call-delta" => {
            let index = members.index.unwrap_or_default();
            let calls = message.tool_calls.iter().take(1);
            let calls = calls.map(|call| ToolCall {
                index: Some(index),
                ..*call
            });
            payload.first().message.tool_calls.extend(calls);
        }
        "message-end" => {
            payload.usage = delta.usage.map(Into::into);
            payload.error = delta.error.map(Into::into);
            payload.end = End::Yes;
            payload.first().finish_reason = delta.finish_reason.map(Raw::whole);
        }
        "content-end" | "tool-call-end" | "citation-start" | "citation-end" | "debug" => {}
        _ if source.is_body && members.has_message => {
            let message = &members.message;
            payload.usage = members.usage.map(Into::into);
            let choice = payload.first();
            choice.place = Place::Body;
            choice.message.role = message.role;
            choice.finish_reason = members.finish_reason.map(Raw::whole);
            choice
                .message
                .push_part(PartKind::Thinking, message.tool_plan);
            content(message, choice);
            let calls = (0..).zip(&message.tool_calls);
            let calls = calls.map(|(index, call)| ToolCall {
                index: Some(index),
                ..*call
            });
            choice.message.tool_calls.extend(calls);
        }
        _ => return false,
    }
    true
}

/// Reads the content of a message.
fn content<'p>(message: &Message<'p>, choice: &mut Choice<'p>) {
    for (kind, text) in &message.content {
        choice.message.push_part(*kind, Some(*text));
    }
    choice.message.settle_parts();
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "index" => self.index = reader.index_or_skip()?,
            "finish_reason" => self.finish_reason = reader.string_or_skip()?,
            "usage" => self.usage = reader.object_or_skip()?,
            "message" => {
                self.has_message = reader.peek() == b'{';
                let mut message = Message::default();
                object(reader, |reader, name| message.member(reader, name))?;
                self.message = message;
            }
            "id" => payload.info_member(reader, name)?,
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
                self.content.clear();
                each(reader, |reader| self.part(reader))?;
            }
            "tool_plan" => self.tool_plan = reader.string_or_skip()?,
            "tool_calls" => {
                self.tool_calls.clear();
                each(reader, |reader| {
                    self.tool_calls.extend(tool_call(reader)?);
                    Ok(())
                })?;
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// Reads a part of `content`.
    fn part(&mut self, reader: &mut Reader<'p>) -> Result<()> {
        let (mut text, mut thinking) = (None, None);
        object(reader, |reader, name| {
            match name {
                "text" => text = reader.string_or_skip()?,
                "thinking" => thinking = reader.string_or_skip()?,
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        let thinking = thinking.map(|text| (PartKind::Thinking, text));
        let text = text.map(|text| (PartKind::Text, text));
        self.content.extend(thinking.into_iter().chain(text));
        Ok(())
    }
}

/// Reads a value: each element of an array, or one value in its place.
fn each<'p>(
    reader: &mut Reader<'p>,
    mut element: impl FnMut(&mut Reader<'p>) -> Result<()>,
) -> Result<()> {
    if reader.peek() == b'[' {
        return array(reader, element);
    }
    element(reader)
}

/// Reads the `error` of the end: a string that is not empty.
fn error<'p>(reader: &mut Reader<'p>) -> Result<Option<&'p str>> {
    let text = reader.value()?;
    Ok((text.len() > 2 && text.starts_with('"')).then_some(text))
}
