//! The objects of OpenAI's responses: the response itself, its output items, and their parts.

use std::borrow::Cow;

use super::message::{Arguments, arguments, members_of, positioned, some};
use super::payload::Payload;
use super::provider_error::error_or_skip;
use crate::json::{self, InvalidJson, Raw, Reader};
use crate::utf8;

type Result<T> = std::result::Result<T, InvalidJson>;

/// An output item, or a part of one.
#[derive(Debug, Default)]
pub(super) struct Item<'p> {
    kind: Option<Raw<'p>>,
    pub role: Option<Raw<'p>>,
    pub call_id: Option<Raw<'p>>,
    pub name: Option<Raw<'p>>,
    arguments: Option<Arguments<'p>>,
    input: Option<Arguments<'p>>,
    pub text: Option<Raw<'p>>,
    pub refusal: Option<Raw<'p>>,
    pub content: Items<'p>,
    pub summary: Items<'p>,
}

/// Items, each with its position.
type Items<'p> = Vec<(u32, Item<'p>)>;

/// A response, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Response<'p> {
    id: Option<Raw<'p>>,
    model: Option<Raw<'p>>,
    service_tier: Option<Raw<'p>>,
    status: Option<Raw<'p>>,
    /// Why it is incomplete.
    pub reason: Option<Raw<'p>>,
    pub usage: Option<&'p str>,
    pub error: Option<&'p str>,
    pub output: Items<'p>,
}

impl<'p> Item<'p> {
    /// Reads a value; an object is an item.
    pub fn read(reader: &mut Reader<'p>) -> Result<Option<Self>> {
        let mut item = Self::default();
        let is_there = members_of(reader, |reader, name| {
            match name {
                "type" => item.kind = reader.string_or_skip()?,
                "role" => item.role = reader.string_or_skip()?,
                "call_id" => item.call_id = reader.string_or_skip()?,
                "name" => item.name = reader.string_or_skip()?,
                "arguments" => item.arguments = arguments(reader)?,
                "input" => item.input = arguments(reader)?,
                "text" => item.text = reader.string_or_skip()?,
                "refusal" => item.refusal = reader.string_or_skip()?,
                "content" => item.content = items(reader)?,
                "summary" => item.summary = items(reader)?,
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        Ok(is_there.then_some(item))
    }

    /// The type of the item.
    pub fn kind(&self) -> Cow<'p, str> {
        self.kind.map(Raw::whole).unwrap_or_default()
    }

    /// Whether the item is a call of a tool.
    pub fn is_call(&self) -> bool {
        matches!(self.kind().as_ref(), "function_call" | "custom_tool_call")
    }

    /// The arguments of a call.
    pub fn call_arguments(&self) -> Option<Arguments<'p>> {
        if self.kind() == "function_call" {
            self.arguments
        } else {
            self.input
        }
    }
}

impl<'p> Response<'p> {
    pub fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "status" => self.status = reader.string_or_skip()?,
            "incomplete_details" => {
                self.reason = None;
                members_of(reader, |reader, name| match name {
                    "reason" => reader.string_or_skip().map(|reason| self.reason = reason),
                    _ => reader.skip_noting(),
                })?;
            }
            "usage" => self.usage = reader.object_or_skip()?,
            "error" => self.error = error_or_skip(reader)?,
            "output" => self.output = items(reader)?,
            "id" => self.id = reader.string_or_skip()?,
            "model" => self.model = reader.string_or_skip()?,
            "service_tier" => self.service_tier = reader.string_or_skip()?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// The status.
    pub fn status(&self) -> Option<Cow<'p, str>> {
        some(self.status).map(Raw::whole)
    }

    /// Describes the response.
    pub fn describe(&self, payload: &mut Payload<'p>) {
        payload.set_info("id", self.id);
        payload.set_info("model", self.model);
        payload.set_info("service_tier", self.service_tier);
    }
}

/// Reads a value; the objects in an array are items.
fn items<'p>(reader: &mut Reader<'p>) -> Result<Items<'p>> {
    positioned(reader, Item::read)
}

/// The error of a payload of this `kind`, where it is an error that has no object of its own: its other members.
pub(super) fn error_of_event(data: &[u8], kind: Option<Raw<'_>>) -> Option<String> {
    if kind?.whole() != "error" {
        return None;
    }
    let text = utf8::decode(data);
    let mut reader = Reader::new(&text);
    let (mut members, mut has_error) = (Vec::new(), false);
    let read = members_of(&mut reader, |reader, name| {
        if name == "type" || name == "sequence_number" {
            return reader.skip();
        }
        let mut member = Vec::new();
        json::write_string(&mut member, name);
        member.push(b':');
        let value = reader.value()?;
        if name == "error" {
            has_error = error_or_skip(&mut Reader::new(value))?.is_some();
        }
        member.extend_from_slice(value.as_bytes());
        members.push(utf8::decode(&member).into_owned());
        Ok(())
    });
    read.and_then(|_| reader.end()).ok()?;
    (!has_error).then(|| format!("{{{}}}", members.join(",")))
}
