//! Anthropic's messages.

use std::collections::BTreeMap;

use super::blocks::{Blocks, MAX_BLOCKS};
use super::family::{Family, Source};
use super::message::{
    Arguments, Function, PartKind, ToolCall, arguments, members_of, positioned, some,
};
use super::payload::{Beside, Choice, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of messages: its blocks, and of which kind they are.
#[derive(Debug, Default)]
pub struct Anthropic {
    blocks: Blocks<u32>,
    /// Whether the block that began under an index is a call of a tool.
    has_call: BTreeMap<u32, bool>,
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
    id: Option<Raw<'p>>,
    model: Option<Raw<'p>>,
    role: Option<Raw<'p>>,
    /// Each block with its position.
    content: Vec<(u32, Block<'p>)>,
    stop_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    index: Option<u32>,
    message: Option<Message<'p>>,
    block: Option<Block<'p>>,
    delta: Option<Block<'p>>,
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
        members_of(reader, |reader, name| members.member(reader, name))?;
        payload.beside = Beside::More;
        let kind = source.kind(members.kind);
        let known = if source.is_body {
            self.body(&kind, &members.body, payload)
        } else {
            self.event(&kind, &members, payload)
        };
        let is_message = members.kind.is_some_and(|kind| kind.whole() == "message");
        let message = Some(&members.body).filter(|_| is_message);
        if let Some(message) = message.or(members.message.as_ref()) {
            message.describe(payload)?;
        }
        for choice in &mut payload.choices {
            choice.message.settle_parts();
        }
        let is_error = members.kind.is_some_and(|kind| kind.whole() == "error");
        payload.error = members.errors.error(reader.text(), known, is_error);
        Ok(())
    }
}

impl Anthropic {
    /// Fills `payload` from a whole answer of this `kind`; returns whether it is one.
    fn body<'p>(&mut self, kind: &str, body: &Message<'p>, payload: &mut Payload<'p>) -> bool {
        if kind != "message" {
            return false;
        }
        payload.usage = body.usage.map(Into::into);
        let choice = payload.first();
        choice.place = Place::Body;
        choice.finish_reason = body.stop_reason.map(Raw::whole);
        self.message(body, choice);
        true
    }

    /// Fills `payload` from an event of this `kind`; returns whether the kind is known.
    fn event<'p>(&mut self, kind: &str, members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
        match (kind, &members.message, &members.block, &members.delta) {
            ("message_start", Some(message), ..) => {
                payload.beside = Beside::Block;
                payload.usage = message.usage.map(Into::into);
                self.message(message, payload.first());
            }
            ("content_block_start", _, Some(block), _) => {
                payload.beside = Beside::Block;
                let index = members.index.unwrap_or_else(|| self.blocks.next());
                self.block(index, block, payload.first());
            }
            ("content_block_delta", _, _, Some(delta)) => {
                let index = members.index.or(self.blocks.last).unwrap_or_default();
                payload.beside = self.blocks.beside(index);
                self.delta(index, delta, payload.first());
            }
            ("message_delta", _, _, delta) => {
                payload.usage = members.body.usage.map(Into::into);
                if let Some(delta) = delta {
                    payload.first().finish_reason = delta.stop_reason.map(Raw::whole);
                }
            }
            ("message_stop", ..) => payload.ends = true,
            (
                "message_start"
                | "content_block_start"
                | "content_block_delta"
                | "content_block_stop"
                | "ping",
                ..,
            ) => {}
            _ => return false,
        }
        true
    }

    /// Reads a message, whose content is a list of blocks.
    fn message<'p>(&mut self, message: &Message<'p>, choice: &mut Choice<'p>) {
        choice.message.role = message.role;
        for (index, block) in &message.content {
            self.block(*index, block, choice);
        }
    }

    /// Reads a block that begins, or a whole one.
    fn block<'p>(&mut self, index: u32, block: &Block<'p>, choice: &mut Choice<'p>) {
        let kind = block.kind.map(Raw::whole).unwrap_or_default();
        self.blocks.begin(index);
        if self.has_call.len() < MAX_BLOCKS || self.has_call.contains_key(&index) {
            self.has_call.insert(index, kind == "tool_use");
        }
        match kind.as_ref() {
            "text" => choice.message.push_part(PartKind::Text, block.text),
            "thinking" => choice.message.push_part(PartKind::Thinking, block.thinking),
            "tool_use" => {
                // What comes at the start of a stream's block is a place for what follows.
                let is_body = choice.place == Place::Body;
                let input = block.input.filter(|input| is_body || !input.is_empty());
                choice.message.tool_calls.push(ToolCall {
                    index: Some(index),
                    id: block.id,
                    function: Function {
                        name: block.name,
                        arguments: input.or(Some(Arguments::EMPTY)),
                    },
                });
            }
            _ => {}
        }
    }

    /// Reads an increment of the block `index`.
    fn delta<'p>(&mut self, index: u32, delta: &Block<'p>, choice: &mut Choice<'p>) {
        match delta.kind.map(Raw::whole).as_deref() {
            Some("text_delta") => choice.message.set_text(delta.text),
            Some("thinking_delta") => choice.message.set_reasoning(delta.thinking),
            Some("input_json_delta") if self.has_call.get(&index) != Some(&false) => {
                let piece = delta.partial_json.map(Arguments::Text);
                let call = piece.map(|piece| ToolCall::piece(index, piece));
                choice.message.tool_calls.extend(call);
            }
            _ => {}
        }
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "index" => self.index = reader.index_or_skip()?,
            "message" => {
                let mut message = Message::default();
                let is_there = members_of(reader, |reader, name| message.member(reader, name))?;
                self.message = is_there.then_some(message);
            }
            "content_block" => self.block = block(reader)?,
            "delta" => self.delta = block(reader)?,
            _ if self.errors.member(reader, name)? => {}
            _ => self.body.member(reader, name)?,
        }
        Ok(())
    }
}

impl<'p> Message<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "id" => self.id = reader.string_or_skip()?,
            "model" => self.model = reader.string_or_skip()?,
            "role" => self.role = reader.string_or_skip()?,
            "content" => self.content = positioned(reader, block)?,
            "stop_reason" => self.stop_reason = reader.string_or_skip()?,
            "usage" => self.usage = reader.object_or_skip()?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// Describes the response.
    fn describe(&self, payload: &mut Payload<'p>) -> Result<()> {
        payload.set_info("id", self.id);
        payload.set_info("model", self.model);
        let mut tier = None;
        if let Some(usage) = self.usage.filter(|usage| usage.contains("service_tier")) {
            members_of(&mut Reader::new(usage), |reader, name| match name {
                "service_tier" => reader.string_or_skip().map(|found| tier = found),
                _ => reader.skip(),
            })?;
        }
        payload.set_info("service_tier", some(tier));
        Ok(())
    }
}

/// Reads a value; an object is a block, or an increment of one.
fn block<'p>(reader: &mut Reader<'p>) -> Result<Option<Block<'p>>> {
    let mut block = Block::default();
    let is_there = members_of(reader, |reader, name| {
        match name {
            "type" => block.kind = reader.string_or_skip()?,
            "text" => block.text = reader.string_or_skip()?,
            "thinking" => block.thinking = reader.string_or_skip()?,
            "partial_json" => block.partial_json = reader.string_or_skip()?,
            "id" => block.id = reader.string_or_skip()?,
            "name" => block.name = reader.string_or_skip()?,
            "input" => block.input = arguments(reader)?,
            "stop_reason" => block.stop_reason = reader.string_or_skip()?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(is_there.then_some(block))
}
