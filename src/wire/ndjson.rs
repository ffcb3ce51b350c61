//! `ndjson`: one JSON object a line, with the members of a `Delta` that it has.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::object::{Object, some};
use super::usage::Counts;
use super::wire::{Failure, Part, Source, Wire};
use crate::delta::{Delta, ToolCallDelta};
use crate::json::write_compact;

/// The last line has `finish_reason` or `error`: without it, the answer was cut off.
#[derive(Debug, Default)]
pub struct NdjsonWire {
    /// The choices that have begun.
    choices: BTreeSet<u32>,
}

impl Wire for NdjsonWire {
    fn lacks(&self) -> &'static [Part] {
        &[]
    }

    fn text(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str) {
        self.choices.insert(0);
        let piece = &mut answer.piece;
        piece.is_text = true;
        piece.prefix = b"{\"text\":\"".to_vec();
        piece.suffix = b"\"}\n";
        piece.write(out, text);
    }

    fn delta(&mut self, answer: &mut Answer, out: &mut Vec<u8>, delta: &Delta<'_>) {
        self.choices.insert(delta.index);
        if !delta.has_content() && delta.logprobs.is_none() {
            return;
        }
        let mut line = open_line(out, delta.index);
        let texts = [
            ("reasoning", &delta.reasoning),
            ("text", &delta.text),
            ("refusal", &delta.refusal),
        ];
        for (name, text) in texts {
            line = line.some_string(name, text.as_deref());
        }
        if !delta.tool_calls.is_empty() {
            answer.note_calls(delta.index, &delta.tool_calls);
            line = line.array("tool_calls", |array| {
                let calls = delta.tool_calls.iter();
                calls.fold(array, |array, call| {
                    array.object(|object| tool_call(object, call))
                })
            });
        }
        for (name, kept) in [("logprobs", delta.logprobs), ("audio", delta.audio)] {
            if let Some(kept) = kept {
                line = line.value(name, |out| write_compact(out, kept));
            }
        }
        close_line(line);
    }

    fn tool_result(&mut self, _: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        let line = Object::new(out).object("tool_result", |object| {
            object.string("id", id).string("text", text)
        });
        close_line(line);
    }

    fn source(&mut self, _: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        let line = Object::new(out).object("source", |object| {
            let object = object.string("url", source.url);
            object
                .some_string("title", some(source.title))
                .some_string("id", some(source.id))
        });
        close_line(line);
    }

    fn data(&mut self, _: &mut Answer, out: &mut Vec<u8>, document: &[u8]) {
        close_line(Object::new(out).json("data", document));
    }

    fn snapshot(&mut self, _: &mut Answer, out: &mut Vec<u8>, text: &str, dropped: u64) {
        let line = Object::new(out).string("snapshot", text);
        close_line(line.number("dropped", dropped));
    }

    fn fail(&mut self, _: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        let line = Object::new(out).object("error", |object| {
            object
                .string("message", failure.message)
                .string("type", failure.kind)
                .some_string("code", failure.code)
                .number("status", failure.status)
        });
        close_line(line);
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        self.choices.extend(answer.finish_reasons.keys());
        if self.choices.is_empty() {
            self.choices.insert(0);
        }
        let counts = Counts::find(answer.usage.as_deref());
        let last = self.choices.last().copied();
        for index in &self.choices {
            let reason = answer.finish_reason(*index);
            let mut line = open_line(out, *index).string("finish_reason", reason);
            if Some(*index) == last && !counts.are_unknown() {
                line = line.object("usage", |usage| counts.chat_usage(usage));
            }
            close_line(line);
        }
    }
}

/// Begins the line of a choice; choice 0 has no index.
fn open_line(out: &mut Vec<u8>, index: u32) -> Object<'_> {
    let line = Object::new(out);
    match index {
        0 => line,
        _ => line.number("index", index.into()),
    }
}

fn close_line(line: Object<'_>) {
    line.end().push(b'\n');
}

fn tool_call<'a>(object: Object<'a>, call: &ToolCallDelta<'_>) -> Object<'a> {
    object
        .number("index", call.index.into())
        .some_string("id", call.id.as_deref())
        .some_string("name", call.name.as_deref())
        .some_string("args", call.args.as_deref())
}
