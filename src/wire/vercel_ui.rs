//! `vercel.ui`: version 1 of the UI message stream, as the reader of npm `ai` and its schemas want it.
//!
//! A member that is not there is left out: the schemas refuse `null`.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::object::{Object, some, write_event, write_number};
use super::parts::{Call, Kind, PartWire, Parts};
use super::usage::Counts;
use super::wire::{Failure, Part, Source};
use crate::json::{is_valid, write_compact};

const END: &[u8] = b"data: [DONE]\n\n";
const CUT: &str = "the answer ended before the tool call was complete";
const INVALID: &str = "the arguments of the tool call are not valid JSON";

/// A refusal is a text of its own. Every part has an id, counted from 0.
#[derive(Debug, Default)]
pub struct VercelUiWire {
    known_calls: BTreeSet<String>,
    parts: u64,
    sources: u64,
}

impl PartWire for VercelUiWire {
    const LACKS: &'static [Part] = &[];

    fn start(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let id = format!("msg_{}", answer.settings.id);
        record(out, "start", |object| object.string("messageId", &id));
        record(out, "start-step", |object| object);
    }

    fn begin_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        let (start, name): (_, &[u8]) = match kind {
            Kind::Reasoning => ("reasoning-start", b"reasoning"),
            Kind::Text | Kind::Refusal => ("text-start", b"text"),
        };
        record(out, start, |object| {
            object.value("id", |out| write_id(out, self.parts))
        });
        let piece = &mut answer.piece;
        piece.is_text = kind == Kind::Text;
        piece.prefix.clear();
        for constant in [b"data: {\"type\":\"", name, b"-delta\",\"id\":"] {
            piece.prefix.extend_from_slice(constant);
        }
        write_id(&mut piece.prefix, self.parts);
        piece.prefix.extend_from_slice(b",\"delta\":\"");
        piece.suffix = b"\"}\n\n";
    }

    fn end_part(&mut self, _: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        let end = match kind {
            Kind::Reasoning => "reasoning-end",
            Kind::Text | Kind::Refusal => "text-end",
        };
        record(out, end, |object| {
            object.value("id", |out| write_id(out, self.parts))
        });
        self.parts += 1;
    }

    fn begin_call(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &mut Call) {
        self.known_calls.insert(call.id.clone());
        record(out, "tool-input-start", |object| names(object, call));
    }

    fn call_piece(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &Call, args: &str) {
        record(out, "tool-input-delta", |object| {
            let object = object.string("toolCallId", &call.id);
            object.string("inputTextDelta", args)
        });
    }

    fn end_call(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &Call, has_failed: bool) {
        if has_failed || !(is_blank(&call.args) || is_valid(&call.args)) {
            let error = if has_failed { CUT } else { INVALID };
            return record(out, "tool-input-error", |object| {
                let object = names(object, call).string("input", &call.args);
                object.string("errorText", error)
            });
        }
        let document = if is_blank(&call.args) {
            "{}"
        } else {
            &call.args
        };
        record(out, "tool-input-available", |object| {
            names(object, call).value("input", |out| write_compact(out, document))
        });
    }

    fn begin_step(&mut self, _: &mut Answer, out: &mut Vec<u8>) {
        record(out, "finish-step", |object| object);
        record(out, "start-step", |object| object);
    }

    fn tool_result(&mut self, _: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        if self.known_calls.contains(id) {
            record(out, "tool-output-available", |object| {
                let object = object.string("toolCallId", id);
                object.string("output", text)
            });
        }
    }

    fn source(parts: &mut Parts<Self>, _: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        parts.wire.sources += 1;
        let made = format!("source-{}", parts.wire.sources);
        let id = some(source.id).unwrap_or(&made);
        record(out, "source-url", |object| {
            let object = object.string("sourceId", id).string("url", source.url);
            object.some_string("title", some(source.title))
        });
    }

    fn data(&mut self, out: &mut Vec<u8>, document: &[u8]) {
        record(out, "data-chunk", |object| object.json("data", document));
    }

    fn snapshot(&mut self, out: &mut Vec<u8>, kind: Option<Kind>, text: &str, dropped: u64) {
        // The client may not have the start of the open part: that part gets no end, and the text goes on in another.
        self.parts += u64::from(kind.is_some());
        record(out, "data-snapshot", |object| {
            object.object("data", |data| {
                data.string("text", text).number("dropped", dropped)
            })
        });
    }

    fn fail(&mut self, _: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        record(out, "error", |object| {
            object.string("errorText", failure.message)
        });
        out.extend_from_slice(END);
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        record(out, "finish-step", |object| object);
        let reason = match answer.finish_reason(0) {
            "stop" => "stop",
            "length" => "length",
            "content_filter" => "content-filter",
            "tool_calls" | "function_call" => "tool-calls",
            "error" => "error",
            _ => "other",
        };
        let counts = Counts::find(answer.usage.as_deref());
        record(out, "finish", |object| {
            let object = object.string("finishReason", reason);
            if counts.are_unknown() {
                return object;
            }
            object.object("messageMetadata", |metadata| {
                metadata.object("usage", |usage| counts.script_usage(usage))
            })
        });
        out.extend_from_slice(END);
    }
}

fn record(out: &mut Vec<u8>, kind: &str, members: impl FnOnce(Object<'_>) -> Object<'_>) {
    write_event(out, |object| members(object.string("type", kind)));
}

/// The id of a part.
fn write_id(out: &mut Vec<u8>, part: u64) {
    out.push(b'"');
    write_number(out, part);
    out.push(b'"');
}

fn names<'a>(object: Object<'a>, call: &Call) -> Object<'a> {
    object
        .string("toolCallId", &call.id)
        .string("toolName", &call.name)
}

/// Whether there is nothing in `text` but the white space of JSON.
fn is_blank(text: &str) -> bool {
    let is_space = |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    text.bytes().all(is_space)
}
