//! Anthropic's messages.

use std::collections::BTreeMap;

use super::family::{Family, Source};
use super::message::{Arguments, Function, PartKind, ToolCall, array, object};
use super::payload::{Beside, Choice, End, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// So many blocks are remembered by their kind.
const MAX_BLOCKS: usize = 4096;

/// A stream of messages: its blocks by their indexes, and whether they may be of tools.
#[derive(Debug, Default)]
pub struct Anthropic {
    blocks: BTreeMap<u32, bool>,
    /// The index of the block that began last.
    last: Option<u32>,
}

/// A block, or an increment of one.
#[derive(Clone, Copy, Debug, Default)]
struct Block<'p> {
    kind: Option<Raw<'p>>,
    text: Option<Raw<'p>>,
    thinking: Option<Raw<'p>>,
    partial_json: Option<Raw<'p>>,
    id: Option<Raw<'p>>,
    name: Option<Raw<'p>>,
    input: Option<Arguments<'p>>,
    stop_reason: Option<Raw<'p>>,
}

/// A message, whole or as it begins.
#[derive(Debug, Default)]
struct Message<'p> {
    role: Option<Raw<'p>>,
    content: Vec<Block<'p>>,
    stop_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    index: Option<u32>,
    message: Message<'p>,
    block: Block<'p>,
    delta: Block<'p>,
    /// Those of a body that is a message.
    body: Message<'p>,
    errors: ErrorMembers<'p>,
}

impl Family for Anthropic {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        object(reader, |reader, name| members.member(reader, name, payload))?;
        reader.end()?;
        let kind = source.kind(members.kind);
        let known = self.settle(&kind, &members, source, payload);
        let error = members.errors.error(payload, reader.text(), known);
        payload.error = error.map(Into::into);
        Ok(())
    }
}

impl Anthropic {
    /// Fills `payload`, which is of this `kind`; returns whether the kind is known.
    fn settle<'p>(
        &mut self,
        kind: &str,
        members: &Members<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> bool {
        match kind {
            "message_start" => {
                payload.beside = Beside::Block;
                payload.usage = members.message.usage.map(Into::into);
                self.message(&members.message, payload.first());
            }
            "content_block_start" => {
                payload.beside = Beside::Block;
                let index = members.index.unwrap_or_else(|| self.next());
                self.block(index, &members.block, payload.first());
            }
            "content_block_delta" => self.delta(members, payload),
            "message_delta" => {
                payload.usage = members.body.usage.map(Into::into);
                payload.first().finish_reason = members.delta.stop_reason.map(Raw::whole);
            }
            "message_stop" => payload.end = End::Yes,
            "message" if source.is_body || !members.body.content.is_empty() => {
                payload.usage = members.body.usage.map(Into::into);
                let choice = payload.first();
                choice.place = Place::Body;
                self.message(&members.body, choice);
            }
            "ping" | "content_block_stop" => {}
            _ => return false,
        }
        if let Some(choice) = payload.choices.first_mut() {
            choice.message.settle_parts();
        }
        true
    }

    /// Reads a message, whose content is a list of blocks.
    fn message<'p>(&mut self, message: &Message<'p>, choice: &mut Choice<'p>) {
        choice.message.role = message.role;
        choice.finish_reason = message.stop_reason.map(Raw::whole);
        for (index, block) in (0..).zip(&message.content) {
            self.block(index, block, choice);
        }
    }

    /// Begins a block.
    fn block<'p>(&mut self, index: u32, block: &Block<'p>, choice: &mut Choice<'p>) {
        let kind = block.kind.map(Raw::whole);
        let kind = kind.as_deref().unwrap_or_default();
        self.begin(index, kind == "tool_use");
        match kind {
            "text" => choice.message.push_part(PartKind::Text, block.text),
            "thinking" => choice.message.push_part(PartKind::Thinking, block.thinking),
            "tool_use" => {
                let is_empty = |input: &Arguments<'_>| match input {
                    Arguments::Text(text) => text.is_empty(),
                    Arguments::Json(text) => super::provider_error::is_empty_object(text),
                };
                let input = block.input.filter(|input| !is_empty(input));
                choice.message.tool_calls.push(ToolCall {
                    index: Some(index),
                    id: block.id,
                    function: Function {
                        name: block.name,
                        arguments: input.or(Some(Arguments::Text(Raw::default()))),
                    },
                });
            }
            _ => {}
        }
    }

    /// Notes that a block begins, and whether it may be a tool's.
    fn begin(&mut self, index: u32, is_tool: bool) {
        self.last = Some(index);
        if self.blocks.len() < MAX_BLOCKS {
            self.blocks.insert(index, is_tool);
        }
    }

    /// Reads an increment of a block.
    fn delta<'p>(&mut self, members: &Members<'p>, payload: &mut Payload<'p>) {
        let index = members.index.or(self.last).unwrap_or_default();
        let is_new = self.last != Some(index) && !self.blocks.contains_key(&index);
        if is_new {
            payload.beside = Beside::Block;
            self.begin(index, true);
        } else if self.last != Some(index) {
            payload.beside = Beside::More;
        }
        let delta = &members.delta;
        let kind = delta.kind.map(Raw::whole);
        match kind.as_deref().unwrap_or_default() {
            "text_delta" => payload.first().message.set_text(delta.text),
            "thinking_delta" => payload.first().message.set_reasoning(delta.thinking),
            "input_json_delta" if self.blocks.get(&index) != Some(&false) => {
                let arguments = delta.partial_json.map(Arguments::Text);
                payload.first().message.tool_calls.push(ToolCall {
                    index: Some(index),
                    id: None,
                    function: Function {
                        name: None,
                        arguments,
                    },
                });
            }
            _ => {}
        }
    }

    /// The index of a block that comes without one.
    fn next(&self) -> u32 {
        self.last.map_or(0, |last| last.saturating_add(1))
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
            "type" => self.kind = reader.string_or_skip()?,
            "index" => self.index = reader.index_or_skip()?,
            "message" => {
                let mut message = Message::default();
                object(reader, |reader, name| message.member(reader, name, payload))?;
                self.message = message;
            }
            "content_block" => self.block = block(reader)?,
            "delta" => self.delta = block(reader)?,
            _ if self.errors.member(reader, name)? => {}
            _ => self.body.member(reader, name, payload)?,
        }
        Ok(())
    }
}

impl<'p> Message<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "role" => self.role = reader.string_or_skip()?,
            "content" => {
                self.content.clear();
                array(reader, |reader| {
                    self.content.push(block(reader)?);
                    Ok(())
                })?;
            }
            "stop_reason" => self.stop_reason = reader.string_or_skip()?,
            "usage" => {
                self.usage = reader.object_or_skip()?;
                if let Some(usage) = self.usage {
                    let mut reader = Reader::new(usage);
                    reader.members(|reader, name| match name {
                        "service_tier" => payload.info_member(reader, name),
                        _ => reader.skip(),
                    })?;
                }
            }
            "id" | "model" => payload.info_member(reader, name)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

/// Reads a block, or an increment of one.
fn block<'p>(reader: &mut Reader<'p>) -> Result<Block<'p>> {
    let mut block = Block::default();
    object(reader, |reader, name| {
        match name {
            "type" => block.kind = reader.string_or_skip()?,
            "text" => block.text = reader.string_or_skip()?,
            "thinking" => block.thinking = reader.string_or_skip()?,
            "partial_json" => block.partial_json = reader.string_or_skip()?,
            "id" => block.id = reader.string_or_skip()?,
            "name" => block.name = reader.string_or_skip()?,
            "input" => block.input = super::message::arguments(reader)?,
            "stop_reason" => block.stop_reason = reader.string_or_skip()?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(block)
}
