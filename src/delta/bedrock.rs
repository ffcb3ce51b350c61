//! Amazon Bedrock: its own messages, and Anthropic's in an envelope.

use std::collections::BTreeSet;

use super::anthropic::Anthropic;
use super::base64::decode;
use super::family::{Family, Source};
use super::message::{Arguments, Function, PartKind, ToolCall, array, object, some};
use super::payload::{Beside, Choice, End, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};
use crate::utf8;

type Result<T> = std::result::Result<T, InvalidJson>;

/// So many blocks are remembered.
const MAX_BLOCKS: usize = 4096;

/// Anthropic's messages, each in base64.
#[derive(Debug, Default)]
pub struct BedrockAnthropic(Anthropic);

/// A stream of `Converse`: the blocks that have begun.
#[derive(Debug, Default)]
pub struct Converse {
    blocks: BTreeSet<u32>,
    /// The index of the block that began last.
    last: Option<u32>,
}

/// A block, or an increment of one.
#[derive(Clone, Copy, Debug, Default)]
struct Block<'p> {
    text: Option<Raw<'p>>,
    reasoning: Option<Raw<'p>>,
    tool: Option<Tool<'p>>,
}

/// `toolUse`
#[derive(Clone, Copy, Debug, Default)]
struct Tool<'p> {
    id: Option<Raw<'p>>,
    name: Option<Raw<'p>>,
    input: Option<Arguments<'p>>,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    role: Option<Raw<'p>>,
    index: Option<u32>,
    start: Block<'p>,
    delta: Block<'p>,
    stop_reason: Option<Raw<'p>>,
    usage: Option<&'p str>,
    /// The message of a body: its role and its content.
    body: Option<(Option<Raw<'p>>, Vec<Block<'p>>)>,
    errors: ErrorMembers<'p>,
}

impl Family for BedrockAnthropic {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        // The event's name is that of the envelope.
        let source = Source {
            event: b"",
            ..source
        };
        self.0.read(reader, source, payload)
    }

    fn unwrap(
        &self,
        event: &[u8],
        data: &[u8],
    ) -> std::result::Result<Option<Vec<u8>>, &'static str> {
        if event != b"chunk" {
            return Ok(None);
        }
        let text = utf8::decode(data);
        let mut bytes = None;
        let mut reader = Reader::new(&text);
        let read = object(&mut reader, |reader, name| match name {
            "bytes" => reader.string_or_skip().map(|found| bytes = found),
            _ => reader.skip(),
        });
        match (read.and_then(|()| reader.end()), bytes) {
            (Ok(()), Some(bytes)) => {
                let decoded = decode(bytes.whole().as_bytes());
                decoded.map(Some).ok_or("its bytes are not base64")
            }
            // The reader says what is wrong with it.
            _ => Ok(None),
        }
    }
}

impl Family for Converse {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        object(reader, |reader, name| members.member(reader, name))?;
        reader.end()?;
        let kind = source.kind(members.kind);
        let known = self.settle(&kind, &members, source, payload);
        let error = members.errors.error(payload, reader.text(), known);
        payload.error = error.map(Into::into);
        Ok(())
    }
}

impl Converse {
    /// Fills `payload`, which is of this `kind`; returns whether the kind is known.
    fn settle<'p>(
        &mut self,
        kind: &str,
        members: &Members<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> bool {
        match (kind, &members.body) {
            ("messageStart", _) => {
                payload.beside = Beside::Block;
                payload.first().message.role = members.role;
            }
            ("contentBlockStart", _) => {
                payload.beside = Beside::Block;
                let index = members.index.unwrap_or_else(|| self.next());
                self.begin(index);
                if let Some(tool) = members.start.tool {
                    push_call(index, tool, payload.first());
                }
            }
            ("contentBlockDelta", _) => self.delta(members, payload),
            ("messageStop", _) => {
                payload.first().finish_reason = members.stop_reason.map(Raw::whole);
            }
            ("metadata", _) => {
                payload.usage = members.usage.map(Into::into);
                payload.end = End::Yes;
            }
            ("contentBlockStop", _) => {}
            (_, Some((role, content))) if source.is_body => {
                payload.usage = members.usage.map(Into::into);
                let choice = payload.first();
                choice.place = Place::Body;
                choice.message.role = *role;
                choice.finish_reason = members.stop_reason.map(Raw::whole);
                for (index, block) in (0..).zip(content) {
                    choice
                        .message
                        .push_part(PartKind::Thinking, block.reasoning);
                    choice.message.push_part(PartKind::Text, block.text);
                    if let Some(tool) = block.tool {
                        push_call(index, tool, choice);
                    }
                }
                choice.message.settle_parts();
            }
            _ => return false,
        }
        true
    }

    /// Reads an increment of a block.
    fn delta<'p>(&mut self, members: &Members<'p>, payload: &mut Payload<'p>) {
        let index = members.index.or(self.last).unwrap_or_default();
        if self.last != Some(index) {
            if self.blocks.contains(&index) {
                payload.beside = Beside::More;
            } else {
                payload.beside = Beside::Block;
                self.begin(index);
            }
        }
        let delta = &members.delta;
        let choice = payload.first();
        choice.message.set_text(delta.text);
        choice.message.set_reasoning(delta.reasoning);
        if let Some(Tool {
            input: input @ Some(Arguments::Text(_)),
            ..
        }) = delta.tool
        {
            choice.message.tool_calls.push(ToolCall {
                index: Some(index),
                id: None,
                function: Function {
                    name: None,
                    arguments: input,
                },
            });
        }
    }

    /// Notes that a block begins.
    fn begin(&mut self, index: u32) {
        self.last = Some(index);
        if self.blocks.len() < MAX_BLOCKS {
            self.blocks.insert(index);
        }
    }

    /// The index of a block that comes without one.
    fn next(&self) -> u32 {
        self.last.map_or(0, |last| last.saturating_add(1))
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "role" => self.role = reader.string_or_skip()?,
            "contentBlockIndex" => self.index = reader.index_or_skip()?,
            "start" => self.start = block(reader)?,
            "delta" => self.delta = block(reader)?,
            "stopReason" => self.stop_reason = reader.string_or_skip()?,
            "usage" => self.usage = reader.object_or_skip()?,
            "output" => {
                self.body = None;
                object(reader, |reader, name| match name {
                    "message" => message(reader).map(|message| self.body = message),
                    _ => reader.skip_noting(),
                })?;
            }
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

/// Reads the message of a body.
fn message<'p>(reader: &mut Reader<'p>) -> Result<Option<(Option<Raw<'p>>, Vec<Block<'p>>)>> {
    let is_object = reader.peek() == b'{';
    let (mut role, mut content) = (None, Vec::new());
    object(reader, |reader, name| {
        match name {
            "role" => role = reader.string_or_skip()?,
            "content" => {
                content.clear();
                array(reader, |reader| {
                    content.push(block(reader)?);
                    Ok(())
                })?;
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(is_object.then_some((role, content)))
}

/// Reads a block, or an increment of one.
fn block<'p>(reader: &mut Reader<'p>) -> Result<Block<'p>> {
    let mut block = Block::default();
    object(reader, |reader, name| {
        match name {
            "text" => block.text = reader.string_or_skip()?,
            "reasoningContent" => block.reasoning = reasoning(reader)?,
            "toolUse" => block.tool = tool(reader)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(block)
}

/// Reads `reasoningContent`: its `text`, or that of the `reasoningText` in it.
fn reasoning<'p>(reader: &mut Reader<'p>) -> Result<Option<Raw<'p>>> {
    let (mut text, mut inner) = (None, None);
    object(reader, |reader, name| {
        match name {
            "text" => text = reader.string_or_skip()?,
            "reasoningText" => inner = reasoning(reader)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(some(text).or(inner))
}

fn tool<'p>(reader: &mut Reader<'p>) -> Result<Option<Tool<'p>>> {
    let is_object = reader.peek() == b'{';
    let mut tool = Tool::default();
    object(reader, |reader, name| {
        match name {
            "toolUseId" => tool.id = reader.string_or_skip()?,
            "name" => tool.name = reader.string_or_skip()?,
            "input" => tool.input = super::message::arguments(reader)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(is_object.then_some(tool))
}

fn push_call<'p>(index: u32, tool: Tool<'p>, choice: &mut Choice<'p>) {
    let arguments = tool.input.or(Some(Arguments::Text(Raw::default())));
    choice.message.tool_calls.push(ToolCall {
        index: Some(index),
        id: tool.id,
        function: Function {
            name: tool.name,
            arguments,
        },
    });
}
