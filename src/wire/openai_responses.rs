//! `openai.responses`: the events of OpenAI's Responses API, as its SDKs read them.
//!
//! Each event has its name on a line of its own and a sequence number without gaps. The events that end a part repeat
//! it whole, and the last one repeats the answer: this wire alone keeps all text.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::choices::openai_error;
use super::object::Object;
use super::parts::{Call, Kind, PartWire, Parts};
use super::piece::Numbered;
use super::response_events::{begin_event, event, next_number, take_text};
use super::response_items::{Item, Json, function_call, message, part, reasoning, usage};
use super::usage::Counts;
use super::wire::{Failure, Part, Source};

/// Text and a refusal are parts of a message, reasoning is a summary of one part; each is an item of the output.
#[derive(Debug, Default)]
pub struct ResponsesWire {
    /// The members of the response that do not change, made with the first event: the model's name is known then.
    head: Json,
    /// How many items the output has.
    positions: u64,
    /// The items that are complete.
    output: BTreeMap<u64, Json>,
    messages: u64,
    reasonings: u64,
    results: u64,
    /// The item with the open part.
    item: Item,
    /// The complete parts of the open message, if there is one.
    contents: Option<Vec<Json>>,
    /// The sources of the open part.
    annotations: Vec<Json>,
}

impl PartWire for ResponsesWire {
    const CALLS_END_PARTS: bool = true;
    const LACKS: &'static [Part] = &[Part::Data, Part::Snapshots];

    fn start_late(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        if answer.piece.numbered.is_some() {
            return;
        }
        answer.piece.numbered = Some(Numbered::default());
        let settings = &answer.settings;
        Object::new(&mut self.head)
            .string("id", &format!("resp_{}", settings.id))
            .string("object", "response")
            .number("created_at", settings.created)
            .string("model", &settings.model)
            .more();
        for kind in ["response.created", "response.in_progress"] {
            let response = self.response("in_progress", None, None, Counts::default());
            event(answer, out, kind, |event| event.json("response", &response));
        }
    }

    fn begin_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        if kind == Kind::Reasoning {
            self.close_message(answer, out);
            self.reasonings += 1;
            let id = format!("rs_{}_{}", answer.settings.id, self.reasonings);
            let item = reasoning(&id, None);
            self.begin_item(answer, out, id, &item);
        } else if self.contents.is_none() {
            self.contents = Some(Vec::new());
            self.messages += 1;
            let mut id = format!("msg_{}", answer.settings.id);
            if self.messages > 1 {
                id = format!("{id}_{}", self.messages);
            }
            let item = message(&id, "in_progress", &[]);
            self.begin_item(answer, out, id, &item);
        }
        let empty = part(kind, "", &[]);
        let added = match kind {
            Kind::Reasoning => "response.reasoning_summary_part.added",
            Kind::Text | Kind::Refusal => "response.content_part.added",
        };
        self.part_event(answer, out, added, kind, |event| event.json("part", &empty));
        self.prepare_piece(answer, kind);
    }

    fn part_piece(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind, piece: &str) {
        let numbered = answer.piece.numbered.as_ref();
        if numbered.is_some_and(|numbered| numbered.in_prefix != numbered.next) {
            self.prepare_piece(answer, kind);
        }
        answer.piece.write(out, piece);
    }

    fn end_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        let text = take_text(answer);
        let whole = part(kind, &text, &self.annotations);
        self.annotations.clear();
        let (text_done, part_done) = match kind {
            Kind::Reasoning => (
                "response.reasoning_summary_text.done",
                "response.reasoning_summary_part.done",
            ),
            Kind::Text => ("response.output_text.done", "response.content_part.done"),
            Kind::Refusal => ("response.refusal.done", "response.content_part.done"),
        };
        self.part_event(answer, out, text_done, kind, |event| match kind {
            Kind::Reasoning => event.string("text", &text),
            Kind::Text => event.string("text", &text).json("logprobs", b"[]"),
            Kind::Refusal => event.string("refusal", &text),
        });
        self.part_event(answer, out, part_done, kind, |event| {
            event.json("part", &whole)
        });
        match &mut self.contents {
            _ if kind == Kind::Reasoning => {
                let item = reasoning(&self.item.id, Some(&whole));
                self.end_item(answer, out, self.item.position, item);
            }
            Some(contents) => contents.push(whole),
            None => {}
        }
    }

    fn begin_call(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &mut Call) {
        self.start_late(answer, out);
        self.close_message(answer, out);
        let item = function_call(call, "", "in_progress");
        call.position = self.add_item(answer, out, &item);
    }

    fn call_piece(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &Call, args: &str) {
        event(
            answer,
            out,
            "response.function_call_arguments.delta",
            |event| call_members(event, call).string("delta", args),
        );
    }

    fn end_call(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &Call, has_failed: bool) {
        if has_failed {
            let item = function_call(call, &call.args, "incomplete");
            self.output.insert(call.position, item);
            return;
        }
        event(
            answer,
            out,
            "response.function_call_arguments.done",
            |event| {
                let event = call_members(event, call).string("name", &call.name);
                event.string("arguments", &call.args)
            },
        );
        let item = function_call(call, &call.args, status(answer));
        self.end_item(answer, out, call.position, item);
    }

    fn tool_result(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        self.close_message(answer, out);
        self.results += 1;
        let mut item = Json::new();
        Object::new(&mut item)
            .string(
                "id",
                &format!("fco_{}_{}", answer.settings.id, self.results),
            )
            .string("type", "function_call_output")
            .string("call_id", id)
            .string("output", text)
            .string("status", "completed")
            .end();
        let position = self.add_item(answer, out, &item);
        self.end_item(answer, out, position, item);
    }

    fn source(
        parts: &mut Parts<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        source: &Source<'_>,
    ) {
        parts.open_part(answer, out, Kind::Text);
        let wire = &mut parts.wire;
        let mut annotation = Json::new();
        Object::new(&mut annotation)
            .string("type", "url_citation")
            .string("url", source.url)
            .string("title", source.title)
            .number("start_index", 0)
            .number("end_index", 0)
            .end();
        let index = wire.annotations.len() as u64;
        let kind = "response.output_text.annotation.added";
        wire.part_event(answer, out, kind, Kind::Text, |event| {
            let event = event.number("annotation_index", index);
            event.json("annotation", &annotation)
        });
        wire.annotations.push(annotation);
    }

    fn leave_part(&mut self, answer: &mut Answer, kind: Option<Kind>) -> bool {
        let text = take_text(answer);
        let open = kind.map(|kind| part(kind, &text, &self.annotations));
        if kind == Some(Kind::Reasoning) {
            let item = reasoning(&self.item.id, open.as_ref());
            self.output.insert(self.item.position, item);
        } else if let Some(contents) = &mut self.contents {
            contents.extend(open);
            let item = message(&self.item.id, "incomplete", contents);
            self.output.insert(self.item.position, item);
        }
        true
    }

    fn fail(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        // The SDKs raise at a member "error", and typed readers wait for the last event.
        event(answer, out, "error", |event| {
            event.object("error", |error| openai_error(error, failure))
        });
        let response = self.response("failed", Some(failure), None, Counts::default());
        event(answer, out, "response.failed", |event| {
            event.json("response", &response)
        });
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        self.close_message(answer, out);
        let status = status(answer);
        let counts = Counts::find(answer.usage.as_deref());
        let response = self.response(status, None, reason(answer), counts);
        let kind = format!("response.{status}");
        event(answer, out, &kind, |event| {
            event.json("response", &response)
        });
    }
}

impl ResponsesWire {
    /// The whole response.
    fn response(
        &self,
        status: &str,
        failure: Option<&Failure<'_>>,
        reason: Option<&str>,
        counts: Counts,
    ) -> Json {
        let mut error = b"null".to_vec();
        if let Some(failure) = failure {
            error.clear();
            Object::new(&mut error)
                .string("code", failure.code.unwrap_or(failure.kind))
                .string("message", failure.message)
                .end();
        }
        let mut details = b"null".to_vec();
        if let Some(reason) = reason {
            details.clear();
            Object::new(&mut details).string("reason", reason).end();
        }
        let mut response = self.head.clone();
        Object::go_on(&mut response)
            .string("status", status)
            .json("error", &error)
            .json("incomplete_details", &details)
            .json("instructions", b"null")
            .json("metadata", b"{}")
            .list("output", self.output.values())
            .json("parallel_tool_calls", b"true")
            .json("temperature", b"null")
            .string("tool_choice", "auto")
            .json("tools", b"[]")
            .json("top_p", b"null")
            .json("usage", &usage(counts))
            .end();
        response
    }

    /// Makes the record of the next piece of the open part.
    #[inline(never)]
    fn prepare_piece(&mut self, answer: &mut Answer, kind: Kind) {
        let (name, suffix): (_, &[u8]) = match kind {
            Kind::Text => ("response.output_text.delta", b"\",\"logprobs\":[]}\n\n"),
            Kind::Reasoning => ("response.reasoning_summary_text.delta", b"\"}\n\n"),
            Kind::Refusal => ("response.refusal.delta", b"\"}\n\n"),
        };
        let piece = &mut answer.piece;
        piece.is_text = kind == Kind::Text;
        piece.suffix = suffix;
        piece.prefix.clear();
        if let Some(numbered) = &mut piece.numbered {
            begin_event(&mut piece.prefix, name, numbered.next);
            numbered.in_prefix = numbered.next;
            // Behind the number stands a comma.
            numbered.digits_end = piece.prefix.len() - 1;
        }
        self.part_members(Object::go_on(&mut piece.prefix), kind)
            .more();
        piece.prefix.extend_from_slice(b"\"delta\":\"");
    }

    /// Ends the open message, whose parts are complete.
    fn close_message(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        if let Some(contents) = self.contents.take() {
            let item = message(&self.item.id, status(answer), &contents);
            self.end_item(answer, out, self.item.position, item);
        }
    }

    /// Writes the start of the item whose parts follow.
    fn begin_item(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: String, item: &[u8]) {
        let position = self.add_item(answer, out, item);
        self.item = Item { id, position };
    }

    /// Writes the start of an item, and returns its position.
    fn add_item(&mut self, answer: &mut Answer, out: &mut Vec<u8>, item: &[u8]) -> u64 {
        let position = self.positions;
        self.positions += 1;
        event(answer, out, "response.output_item.added", |event| {
            event.number("output_index", position).json("item", item)
        });
        position
    }

    fn end_item(&mut self, answer: &mut Answer, out: &mut Vec<u8>, position: u64, item: Json) {
        event(answer, out, "response.output_item.done", |event| {
            event.number("output_index", position).json("item", &item)
        });
        self.output.insert(position, item);
    }

    /// Writes an event of the open part.
    fn part_event(
        &self,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        name: &str,
        kind: Kind,
        members: impl FnOnce(Object<'_>) -> Object<'_>,
    ) {
        begin_event(out, name, next_number(answer));
        let event = self.part_members(Object::go_on(out), kind);
        members(event).end().extend_from_slice(b"\n\n");
    }

    /// Adds what says which part is open.
    fn part_members<'a>(&self, event: Object<'a>, kind: Kind) -> Object<'a> {
        let event = event.string("item_id", &self.item.id);
        let event = event.number("output_index", self.item.position);
        match kind {
            Kind::Reasoning => event.number("summary_index", 0),
            Kind::Text | Kind::Refusal => {
                let index = self.contents.as_ref().map_or(0, Vec::len);
                event.number("content_index", index as u64)
            }
        }
    }
}

/// Adds what says which tool call an event is of.
fn call_members<'a>(event: Object<'a>, call: &Call) -> Object<'a> {
    let event = event.string("item_id", &format!("fc_{}", call.id));
    event.number("output_index", call.position)
}

/// Why the response is incomplete, by the finish reason of a chat model.
fn reason(answer: &Answer) -> Option<&'static str> {
    match answer.finish_reason(0) {
        "length" => Some("max_output_tokens"),
        "content_filter" => Some("content_filter"),
        _ => None,
    }
}

/// The status of what ends now.
fn status(answer: &Answer) -> &'static str {
    match reason(answer) {
        Some(_) => "incomplete",
        None => "completed",
    }
}
