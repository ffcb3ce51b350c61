//! Amazon Bedrock: its own messages, and Anthropic's in an envelope.

use std::borrow::Cow;

use super::anthropic::Anthropic;
use super::base64::decode;
use super::blocks::Blocks;
use super::family::{Enclosed, Family, Source};
use super::message::{
    Arguments, Function, PartKind, ToolCall, arguments, members_of, object, positioned,
};
use super::payload::{Beside, Payload, Place};
use super::provider_error::ErrorMembers;
use crate::framing::aws_events::exception;
use crate::json::{InvalidJson, Raw, Reader};
use crate::utf8;

type Result<T> = std::result::Result<T, InvalidJson>;

/// The names of the events of `ConverseStream`.
pub(crate) const EVENTS: [&str; 6] = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
];

/// Anthropic's messages, each in base64.
#[derive(Debug, Default)]
pub struct BedrockAnthropic(Anthropic);

/// A stream of `Converse`: the blocks that have begun.
#[derive(Debug, Default)]
pub struct Converse {
    blocks: Blocks<u32>,
}

/// A block, or an increment of one.
#[derive(Clone, Copy, Debug, Default)]
struct Block<'p> {
    text: Option<Raw<'p>>,
    /// `text` of `reasoningContent`, and of the `reasoningText` in it.
    reasoning: [Option<Raw<'p>>; 2],
    tool: Option<Tool<'p>>,
}

/// `toolUse`
#[derive(Clone, Copy, Debug, Default)]
struct Tool<'p> {
    id: Option<Raw<'p>>,
    name: Option<Raw<'p>>,
    input: Option<Arguments<'p>>,
}

/// The message of a body: each block with its position.
#[derive(Debug, Default)]
struct Message<'p> {
    role: Option<Raw<'p>>,
    content: Vec<(u32, Block<'p>)>,
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
    /// The message of a body.
    output: Option<Message<'p>>,
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
        let source = if source.event == b"chunk" {
            Source {
                event: b"",
                ..source
            }
        } else {
            source
        };
        self.0.read(reader, source, payload)
    }

    fn unwrap(
        &self,
        event: &[u8],
        data: &[u8],
    ) -> std::result::Result<Option<Enclosed>, &'static str> {
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
                let event = String::new();
                let enclosed = decoded.map(|data| Some(Enclosed { event, data }));
                enclosed.ok_or("its bytes are not base64")
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
        members_of(reader, |reader, name| members.member(reader, name))?;
        payload.beside = Beside::More;
        let kind = source.kind(members.kind);
        let known = if source.is_body {
            body(&members, payload)
        } else {
            self.event(&kind, &members, payload)
        };
        payload.error = if is_exception(source.event) {
            let error = exception(Some(source.event), reader.text().as_bytes());
            Some(Cow::Owned(error))
        } else {
            members.errors.error(reader.text(), known, false)
        };
        Ok(())
    }

    /// AWS's SDKs hand out each event as an object with one member, whose name is the event's.
    fn unwrap(
        &self,
        event: &[u8],
        data: &[u8],
    ) -> std::result::Result<Option<Enclosed>, &'static str> {
        if !event.is_empty() {
            return Ok(None);
        }
        let text = utf8::decode(data);
        let (mut only, mut is_alone) = (None::<(String, Option<&str>)>, true);
        let mut reader = Reader::new(&text);
        let read = object(&mut reader, |reader, name| {
            is_alone &= only.as_ref().is_none_or(|(known, _)| known == name);
            only = Some((name.to_owned(), reader.object_or_skip()?));
            Ok(())
        });
        Ok(match (read.and_then(|()| reader.end()), only) {
            (Ok(()), Some((event, Some(inner)))) if is_alone && is_event(&event) => {
                let data = inner.as_bytes().to_vec();
                Some(Enclosed { event, data })
            }
            // The reader says what is wrong with it.
            _ => None,
        })
    }
}

/// Whether a message of AWS may have this name: that of an event, or of an exception.
fn is_event(name: &str) -> bool {
    EVENTS.contains(&name) || is_exception(name.as_bytes())
}

/// Whether an event of this name is one of the exceptions that AWS sends in a stream.
fn is_exception(event: &[u8]) -> bool {
    event.ends_with(b"Exception")
}

impl Converse {
    /// Fills `payload` from an event of this `kind`; returns whether the kind is known.
    fn event<'p>(&mut self, kind: &str, members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
        match kind {
            "messageStart" => payload.first().message.role = members.role,
            "contentBlockStart" => {
                payload.beside = Beside::Block;
                let index = members.index.unwrap_or_else(|| self.blocks.next());
                self.blocks.begin(index);
                let input = Some(Arguments::EMPTY);
                let call = members.start.tool.map(|tool| Tool { input, ..tool });
                let calls = call.map(|tool| tool.call(index));
                payload.first().message.tool_calls.extend(calls);
            }
            "contentBlockDelta" => {
                let index = members.index.or(self.blocks.last).unwrap_or_default();
                payload.beside = self.blocks.beside(index);
                let delta = &members.delta;
                let message = &mut payload.first().message;
                message.set_text(delta.text);
                message.set_reasoning(delta.reasoning[0]);
                let input = delta.tool.and_then(|tool| tool.input);
                let piece = input.filter(|input| matches!(input, Arguments::Text(_)));
                let call = piece.map(|piece| ToolCall::piece(index, piece));
                message.tool_calls.extend(call);
            }
            "messageStop" => {
                payload.first().finish_reason = members.stop_reason.map(Raw::whole);
            }
            "metadata" => {
                payload.usage = members.usage.map(Into::into);
                payload.ends = true;
            }
            "contentBlockStop" => {}
            _ => return false,
        }
        true
    }
}

/// Fills `payload` from a whole answer; returns whether it is one.
fn body<'p>(members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
    let Some(output) = &members.output else {
        return false;
    };
    payload.usage = members.usage.map(Into::into);
    let choice = payload.first();
    choice.place = Place::Body;
    choice.finish_reason = members.stop_reason.map(Raw::whole);
    choice.message.role = output.role;
    for (index, block) in &output.content {
        choice.message.push_part(PartKind::Text, block.text);
        choice
            .message
            .push_part(PartKind::Thinking, block.reasoning[1]);
        let calls = block.tool.map(|tool| tool.call(*index));
        choice.message.tool_calls.extend(calls);
    }
    choice.message.settle_parts();
    true
}

impl<'p> Tool<'p> {
    fn call(self, index: u32) -> ToolCall<'p> {
        ToolCall {
            index: Some(index),
            id: self.id,
            function: Function {
                name: self.name,
                arguments: self.input,
            },
        }
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "role" => self.role = reader.string_or_skip()?,
            "contentBlockIndex" => self.index = reader.index_or_skip()?,
            "start" => self.start = block(reader)?.unwrap_or_default(),
            "delta" => self.delta = block(reader)?.unwrap_or_default(),
            "stopReason" => self.stop_reason = reader.string_or_skip()?,
            "usage" => self.usage = reader.object_or_skip()?,
            "output" => {
                let mut output = Message::default();
                let is_there = members_of(reader, |reader, name| match name {
                    "message" => message(reader).map(|message| output = message),
                    _ => reader.skip_noting(),
                })?;
                self.output = is_there.then_some(output);
            }
            _ if self.errors.member(reader, name)? => {}
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

/// Reads the message of a body.
fn message<'p>(reader: &mut Reader<'p>) -> Result<Message<'p>> {
    let mut message = Message::default();
    members_of(reader, |reader, name| {
        match name {
            "role" => message.role = reader.string_or_skip()?,
            "content" => message.content = positioned(reader, block)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(message)
}

/// Reads a value; an object is a block, or an increment of one.
fn block<'p>(reader: &mut Reader<'p>) -> Result<Option<Block<'p>>> {
    let mut block = Block::default();
    let is_there = members_of(reader, |reader, name| {
        match name {
            "text" => block.text = reader.string_or_skip()?,
            "reasoningContent" => block.reasoning = reasoning(reader)?,
            "toolUse" => block.tool = tool(reader)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(is_there.then_some(block))
}

/// Reads `reasoningContent`: its `text`, and that of the `reasoningText` in it.
fn reasoning<'p>(reader: &mut Reader<'p>) -> Result<[Option<Raw<'p>>; 2]> {
    let mut texts = [None; 2];
    members_of(reader, |reader, name| {
        match name {
            "text" => texts[0] = reader.string_or_skip()?,
            "reasoningText" => {
                texts[1] = None;
                members_of(reader, |reader, name| match name {
                    "text" => reader.string_or_skip().map(|text| texts[1] = text),
                    _ => reader.skip_noting(),
                })?;
            }
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(texts)
}

fn tool<'p>(reader: &mut Reader<'p>) -> Result<Option<Tool<'p>>> {
    let mut tool = Tool::default();
    let is_there = members_of(reader, |reader, name| {
        match name {
            "toolUseId" => tool.id = reader.string_or_skip()?,
            "name" => tool.name = reader.string_or_skip()?,
            "input" => tool.input = arguments(reader)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    })?;
    Ok(is_there.then_some(tool))
}
