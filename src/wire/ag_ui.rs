//! `ag-ui`: the events of AG-UI 1.0.
//!
//! A client refuses `null` where a member may be absent, an end without its start, and a run that ends while a message,
//! some reasoning or a tool call is open. After `RUN_ERROR` it accepts nothing.

use super::answer::Answer;
use super::object::{Object, some, write_event};
use super::parts::{Call, Kind, PartWire, Parts};
use super::usage::Counts;
use super::wire::{Failure, Part, Source};
use crate::json::write_string;

/// The text and the tool calls of one message of the model have one message id, each reasoning one of its own.
///
/// A refusal is text. A message that goes on after reasoning or a tool call is begun again, under its id.
#[derive(Debug, Default)]
pub struct AgUiWire {
    /// How many messages of the model are over.
    messages: u64,
    message_id: String,
    reasonings: u64,
    results: u64,
    /// The id of the open part.
    part_id: String,
}

impl PartWire for AgUiWire {
    const KEEPS_ARGS: bool = false;
    const LACKS: &'static [Part] = &[Part::Snapshots];

    fn start(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        self.messages = 1;
        self.message_id = format!("msg_{}", answer.settings.id);
        event(out, "RUN_STARTED", |object| run(object, answer));
    }

    fn begin_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        let name: &[u8] = if kind == Kind::Reasoning {
            self.reasonings += 1;
            self.part_id = format!("rs_{}_{}", answer.settings.id, self.reasonings);
            let id = &self.part_id;
            event(out, "REASONING_START", |object| {
                object.string("messageId", id)
            });
            event(out, "REASONING_MESSAGE_START", |object| {
                object.string("messageId", id).string("role", "reasoning")
            });
            b"REASONING_MESSAGE_CONTENT"
        } else {
            self.part_id.clone_from(&self.message_id);
            event(out, "TEXT_MESSAGE_START", |object| {
                let object = object.string("messageId", &self.part_id);
                object.string("role", "assistant")
            });
            b"TEXT_MESSAGE_CONTENT"
        };
        let piece = &mut answer.piece;
        piece.is_text = kind == Kind::Text;
        piece.prefix.clear();
        for constant in [b"data: {\"type\":\"", name, b"\",\"messageId\":"] {
            piece.prefix.extend_from_slice(constant);
        }
        write_string(&mut piece.prefix, &self.part_id);
        piece.prefix.extend_from_slice(b",\"delta\":\"");
        piece.suffix = b"\"}\n\n";
    }

    fn end_part(&mut self, _: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        let names: &[_] = match kind {
            Kind::Reasoning => &["REASONING_MESSAGE_END", "REASONING_END"],
            Kind::Text | Kind::Refusal => &["TEXT_MESSAGE_END"],
        };
        for name in names {
            event(out, name, |object| {
                object.string("messageId", &self.part_id)
            });
        }
    }

    fn begin_call(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &mut Call) {
        event(out, "TOOL_CALL_START", |object| {
            object
                .string("toolCallId", &call.id)
                .string("toolCallName", &call.name)
                .string("parentMessageId", &self.message_id)
        });
    }

    fn call_piece(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &Call, args: &str) {
        event(out, "TOOL_CALL_ARGS", |object| {
            object.string("toolCallId", &call.id).string("delta", args)
        });
    }

    fn end_call(&mut self, _: &mut Answer, out: &mut Vec<u8>, call: &Call, has_failed: bool) {
        if !has_failed {
            event(out, "TOOL_CALL_END", |object| {
                object.string("toolCallId", &call.id)
            });
        }
    }

    fn begin_step(&mut self, answer: &mut Answer, _: &mut Vec<u8>) {
        self.messages += 1;
        self.message_id = format!("msg_{}_{}", answer.settings.id, self.messages);
    }

    fn tool_result(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        self.results += 1;
        let message_id = format!("tool_{}_{}", answer.settings.id, self.results);
        event(out, "TOOL_CALL_RESULT", |object| {
            object
                .string("messageId", &message_id)
                .string("toolCallId", id)
                .string("content", text)
                .string("role", "tool")
        });
    }

    fn source(_: &mut Parts<Self>, _: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        event(out, "CUSTOM", |object| {
            object.string("name", "source").object("value", |value| {
                value
                    .string("url", source.url)
                    .some_string("title", some(source.title))
                    .some_string("id", some(source.id))
            })
        });
    }

    fn data(&mut self, out: &mut Vec<u8>, document: &[u8]) {
        event(out, "CUSTOM", |object| {
            object.string("name", "chunk").json("value", document)
        });
    }

    fn fail(&mut self, _: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        event(out, "RUN_ERROR", |object| {
            let object = object.string("message", failure.message);
            object.string("code", failure.code.unwrap_or(failure.kind))
        });
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let counts = Counts::find(answer.usage.as_deref());
        event(out, "RUN_FINISHED", |object| {
            let mut object = run(object, answer);
            if !counts.are_unknown() {
                object = object.array("usage", |array| {
                    array.object(|usage| counts.script_usage(usage))
                });
            }
            object.object("metadata", |metadata| {
                metadata.string("finishReason", answer.finish_reason(0))
            })
        });
    }
}

/// Adds the ids of the conversation and of the run.
fn run<'a>(object: Object<'a>, answer: &Answer) -> Object<'a> {
    let settings = &answer.settings;
    object
        .string(
            "threadId",
            some(&settings.thread_id).unwrap_or(&settings.id),
        )
        .string("runId", some(&settings.run_id).unwrap_or(&settings.id))
}

fn event(out: &mut Vec<u8>, kind: &str, members: impl FnOnce(Object<'_>) -> Object<'_>) {
    write_event(out, |object| members(object.string("type", kind)));
}
