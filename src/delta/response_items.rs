//! The objects of OpenAI's responses: the response itself, its output items, and their parts.

use std::borrow::Cow;

use super::message::{array, object, some};
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
    /// `arguments`, or `input`.
    pub arguments: Option<Raw<'p>>,
    pub text: Option<Raw<'p>>,
    pub refusal: Option<Raw<'p>>,
    pub content: Vec<Item<'p>>,
    pub summary: Vec<Item<'p>>,
}

/// A response, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Response<'p> {
    status: Option<Raw<'p>>,
    /// Why it is incomplete.
    pub reason: Option<Raw<'p>>,
    pub usage: Option<&'p str>,
    pub error: Option<&'p str>,
    pub output: Vec<Item<'p>>,
}

impl<'p> Item<'p> {
    /// Reads a value; an object is an item.
    pub fn read(reader: &mut Reader<'p>) -> Result<Self> {
        let mut item = Self::default();
        object(reader, |reader, name| {
            match name {
                "type" => item.kind = reader.string_or_skip()?,
                "role" => item.role = reader.string_or_skip()?,
                "call_id" => item.call_id = reader.string_or_skip()?,
                "name" => item.name = reader.string_or_skip()?,
                "arguments" | "input" => item.arguments = reader.string_or_skip()?,
                "text" => item.text = reader.string_or_skip()?,
                "refusal" => item.refusal = reader.string_or_skip()?,
                "content" => item.content = items(reader)?,
                "summary" => item.summary = items(reader)?,
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        Ok(item)
    }

    /// The type of the item.
    pub fn kind(&self) -> Cow<'p, str> {
        self.kind.map(Raw::whole).unwrap_or_default()
    }
}

impl<'p> Response<'p> {
    pub fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "status" => self.status = reader.string_or_skip()?,
            "incomplete_details" => {
                self.reason = None;
                object(reader, |reader, name| match name {
                    "reason" => reader.string_or_skip().map(|reason| self.reason = reason),
                    _ => reader.skip_noting(),
                })?;
            }
            "usage" => self.usage = reader.object_or_skip()?,
            "error" => self.error = error_or_skip(reader)?,
            "output" => self.output = items(reader)?,
            "id" | "model" | "service_tier" => payload.info_member(reader, name)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    /// The status.
    pub fn status(&self) -> Cow<'p, str> {
        some(self.status).map(Raw::whole).unwrap_or_default()
    }
}

fn items<'p>(reader: &mut Reader<'p>) -> Result<Vec<Item<'p>>> {
    let mut items = Vec::new();
    array(reader, |reader| {
        items.push(Item::read(reader)?);
        Ok(())
    })?;
    Ok(items)
}

/// The error of an event of this type: its other fields, or the error that it holds. If it `is_typed`, the event
/// may be so by its name.
pub(super) fn error_of_event(data: &[u8], is_typed: bool) -> Option<String> {
    let text = utf8::decode(data);
    let mut reader = Reader::new(&text);
    let (mut members, mut error, mut kind) = (Vec::new(), None, None);
    let read = object(&mut reader, |reader, name| {
        match name {
            "type" => kind = reader.string_or_skip()?,
            "sequence_number" => reader.skip()?,
            "error" => error = error_or_skip(reader)?,
            _ => {
                let mut member = Vec::new();
                json::write_string(&mut member, name);
                member.push(b':');
                member.extend_from_slice(reader.value()?.as_bytes());
                members.push(utf8::decode(&member).into_owned());
            }
        }
        Ok(())
    });
    read.and_then(|()| reader.end()).ok()?;
    let is_error = is_typed || kind.map(Raw::whole).as_deref() == Some("error");
    match error {
        _ if !is_error => None,
        Some(error) => Some(error.to_owned()),
        None => Some(format!("{{{}}}", members.join(","))),
    }
}
