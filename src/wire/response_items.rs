//! The objects of the Responses API that events repeat: items of the output and their parts, and usage.

use super::object::Object;
use super::parts::{Call, Kind};
use super::usage::Counts;

/// JSON text.
pub type Json = Vec<u8>;

/// Which item is open.
#[derive(Debug, Default)]
pub struct Item {
    pub id: String,
    /// Its position in the output.
    pub position: u64,
}

/// A message with these parts.
pub fn message(id: &str, status: &str, contents: &[Json]) -> Json {
    let mut item = Json::new();
    Object::new(&mut item)
        .string("id", id)
        .string("type", "message")
        .string("status", status)
        .string("role", "assistant")
        .list("content", contents)
        .end();
    item
}

/// Reasoning with this part, or none.
pub fn reasoning(id: &str, part: Option<&Json>) -> Json {
    let mut item = Json::new();
    let item_object = Object::new(&mut item);
    item_object
        .string("id", id)
        .string("type", "reasoning")
        .list("summary", part)
        .end();
    item
}

/// A tool call with these arguments.
pub fn function_call(call: &Call, args: &str, status: &str) -> Json {
    let mut item = Json::new();
    Object::new(&mut item)
        .string("id", &format!("fc_{}", call.id))
        .string("type", "function_call")
        .string("call_id", &call.id)
        .string("name", &call.name)
        .string("arguments", args)
        .string("status", status)
        .end();
    item
}

/// A part with this text.
pub fn part(kind: Kind, text: &str, annotations: &[Json]) -> Json {
    let mut part = Json::new();
    let object = Object::new(&mut part);
    match kind {
        Kind::Reasoning => object.string("type", "summary_text").string("text", text),
        Kind::Refusal => object.string("type", "refusal").string("refusal", text),
        Kind::Text => {
            let object = object.string("type", "output_text").string("text", text);
            let object = object.list("annotations", annotations);
            object.json("logprobs", b"[]")
        }
    }
    .end();
    part
}

/// The usage object, which has every count, or `null` where none is known.
pub fn usage(counts: Counts) -> Json {
    if counts.are_unknown() {
        return b"null".to_vec();
    }
    let mut usage = Json::new();
    Object::new(&mut usage)
        .number("input_tokens", counts.input.unwrap_or(0))
        .object("input_tokens_details", |details| {
            let details = details.number("cached_tokens", counts.cached.unwrap_or(0));
            details.number("cache_write_tokens", 0)
        })
        .number("output_tokens", counts.output.unwrap_or(0))
        .object("output_tokens_details", |details| {
            details.number("reasoning_tokens", counts.reasoning.unwrap_or(0))
        })
        .number("total_tokens", counts.total.unwrap_or(0))
        .end();
    usage
}
