//! OpenAI's responses.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::blocks::Blocks;
use super::family::{Family, Source};
use super::message::{Arguments, Function, PartKind, ToolCall, members_of, some};
use super::payload::{Beside, Choice, Payload};
use super::provider_error::{ErrorMembers, error_or_skip};
use super::response_items::{Item, Response, error_of_event};
use crate::json::{InvalidJson, Raw, Reader};
use crate::utf8;

type Result<T> = std::result::Result<T, InvalidJson>;

/// So many pieces are remembered as handed out. With more, what repeats them is passed over.
const MAX_KEYS: usize = 1024;

/// A stream of a response.
#[derive(Debug, Default)]
pub struct Responses {
    /// What has been handed out.
    keys: BTreeSet<Key>,
    /// Text, reasoning, a refusal or a tool call has been handed out.
    has_handed_out: bool,
    /// By the output index and the content index.
    blocks: Blocks<(u32, u32)>,
}

/// What has been handed out: of which kind, of which output item, and of which part of it.
type Key = (Kind, u32, u32);

/// The kinds of pieces that a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Role,
    Text,
    Refusal,
    Summary,
    Reasoning,
    Arguments,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    kind: Option<Raw<'p>>,
    output_index: Option<u32>,
    content_index: Option<u32>,
    summary_index: Option<u32>,
    delta: Option<Raw<'p>>,
    text: Option<Raw<'p>>,
    refusal: Option<Raw<'p>>,
    arguments: Option<Raw<'p>>,
    input: Option<Raw<'p>>,
    item: Option<Item<'p>>,
    part: Option<Item<'p>>,
    response: Response<'p>,
    /// Those of a body that is a response.
    body: Response<'p>,
    is_response: bool,
    errors: ErrorMembers<'p>,
}

impl Family for Responses {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        members_of(reader, |reader, name| members.member(reader, name))?;
        payload.beside = Beside::More;
        payload.teaches = false;
        let kind = source.kind(members.kind);
        let known = if source.is_body {
            let status = members.body.status().unwrap_or_default();
            if members.is_response {
                self.end(&status, &members.body, payload);
            }
            members.is_response
        } else {
            self.event(&kind, &members, payload)
        };
        for choice in &mut payload.choices {
            choice.message.settle_parts();
        }
        if members.is_response {
            members.body.describe(payload);
        } else {
            members.response.describe(payload);
        }
        if payload.error.is_none() {
            let error = error_of_event(reader.text().as_bytes(), members.kind);
            let error = error.map(Cow::Owned);
            payload.error = error.or(members.errors.error(reader.text(), known, false));
        }
        Ok(())
    }

    fn error_text(&self, data: &[u8]) -> Option<String> {
        let text = utf8::decode(data);
        let mut kind = None;
        let mut reader = Reader::new(&text);
        let read = members_of(&mut reader, |reader, name| match name {
            "type" => reader.string_or_skip().map(|found| kind = found),
            _ => reader.skip(),
        });
        read.and_then(|_| reader.end()).ok()?;
        error_of_event(data, kind)
    }
}

impl Responses {
    /// Fills `payload` from an event of this `kind`; returns whether the kind is known.
    fn event<'p>(&mut self, kind: &str, members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
        let Some(name) = kind.strip_prefix("response.") else {
            return false;
        };
        let output = members.output_index.unwrap_or_default();
        let content = members.content_index.unwrap_or_default();
        match (name, &members.item) {
            ("output_item.added", Some(item)) => {
                payload.beside = Beside::Block;
                self.blocks.begin((output, 0));
                self.add_item(output, item, payload.first());
            }
            ("output_item.done", Some(item)) => {
                let mut choice = Choice::default();
                self.end_item(output, item, &mut choice);
                push(choice, payload);
            }
            ("content_part.added", _) => {
                payload.beside = Beside::Block;
                self.blocks.begin((output, content));
            }
            ("content_part.done", _) => {
                let mut choice = Choice::default();
                self.part(output, content, members.part.as_ref(), &mut choice);
                push(choice, payload);
            }
            ("completed" | "incomplete" | "failed" | "cancelled", _) => {
                self.end(name, &members.response, payload);
                payload.ends = true;
            }
            _ => self.piece_event(name, output, content, members, payload),
        }
        true
    }

    /// Reads a piece of an output item, or all that came in pieces.
    fn piece_event<'p>(
        &mut self,
        name: &str,
        output: u32,
        content: u32,
        members: &Members<'p>,
        payload: &mut Payload<'p>,
    ) {
        let Some((field, stage)) = name.split_once('.') else {
            return;
        };
        let summary = members.summary_index.unwrap_or_default();
        let (key, whole) = match field {
            "output_text" => ((Kind::Text, output, content), members.text),
            "refusal" => ((Kind::Refusal, output, content), members.refusal),
            "reasoning_text" => ((Kind::Reasoning, output, content), members.text),
            "reasoning_summary_text" => ((Kind::Summary, output, summary), members.text),
            "reasoning_summary_part" if stage == "done" => {
                let mut choice = Choice::default();
                self.part(output, summary, members.part.as_ref(), &mut choice);
                return push(choice, payload);
            }
            "function_call_arguments" => ((Kind::Arguments, output, 0), members.arguments),
            "custom_tool_call_input" => ((Kind::Arguments, output, 0), members.input),
            _ => return,
        };
        match (stage, members.delta) {
            ("delta", Some(piece)) => {
                if key.0 == Kind::Text {
                    payload.beside = self.blocks.beside((output, content));
                }
                // One like an empty piece that has text is to be noted.
                payload.teaches = !piece.is_empty();
                self.note(key, piece);
                add(key, piece, payload.first());
            }
            ("delta", None) if key.0 != Kind::Arguments => {
                payload.first();
            }
            ("done", _) => {
                let mut choice = Choice::default();
                self.whole(key, whole, &mut choice);
                push(choice, payload);
            }
            _ => {}
        }
    }

    /// Adds the whole of what `key` means, of which nothing may have come before.
    fn whole<'p>(&mut self, key: Key, text: Option<Raw<'p>>, choice: &mut Choice<'p>) {
        if let Some(text) = some(text).filter(|_| self.is_new(key)) {
            self.note(key, text);
            add(key, text, choice);
        }
    }

    /// Reads an output item as it begins.
    fn add_item<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        if item.kind() == "message" {
            self.add_role(output, item, choice);
        } else {
            self.add_call(output, item, choice);
        }
    }

    fn add_role<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        choice.message.role = some(item.role);
        if let Some(role) = choice.message.role {
            self.note((Kind::Role, output, 0), role);
        }
    }

    /// Adds what was not handed out of a call.
    fn add_call<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        if !item.is_call() {
            return;
        }
        let arguments = item.call_arguments();
        let key = (Kind::Arguments, output, 0);
        let has_arguments = |arguments: &Arguments<'_>| !arguments.whole().is_empty();
        let arguments = arguments.filter(|it| !has_arguments(it) || self.is_new(key));
        if arguments.is_some_and(|it| has_arguments(&it)) {
            self.insert(key);
        }
        self.has_handed_out = true;
        choice.message.tool_calls.push(ToolCall {
            index: Some(output),
            id: item.call_id,
            function: Function {
                name: item.name,
                arguments,
            },
        });
    }

    /// Reads an output item that is over, of which not all may have come before.
    fn end_item<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        if !matches!(item.kind().as_ref(), "message" | "reasoning") {
            return self.add_call(output, item, choice);
        }
        let count = |choice: &Choice<'p>| choice.message.count_parts();
        let before = count(choice);
        for (at, part) in item.summary.iter().chain(&item.content) {
            self.part(output, *at, Some(part), choice);
        }
        let key = (Kind::Role, output, 0);
        if count(choice) > before && choice.message.role.is_none() && self.is_new(key) {
            self.add_role(output, item, choice);
        }
    }

    /// Reads a part that is over.
    fn part<'p>(&mut self, output: u32, at: u32, part: Option<&Item<'p>>, choice: &mut Choice<'p>) {
        let Some(part) = part else {
            return;
        };
        match part.kind().as_ref() {
            "output_text" => self.whole((Kind::Text, output, at), part.text, choice),
            "refusal" => self.whole((Kind::Refusal, output, at), part.refusal, choice),
            "summary_text" => self.whole((Kind::Summary, output, at), part.text, choice),
            "reasoning_text" => self.whole((Kind::Reasoning, output, at), part.text, choice),
            _ => {}
        }
    }

    /// Reads a response that is over, or as far as it has come, if it is a body.
    fn end<'p>(&mut self, status: &str, response: &Response<'p>, payload: &mut Payload<'p>) {
        let choice = payload.first();
        if !self.has_handed_out {
            for (output, item) in &response.output {
                self.end_item(*output, item, choice);
            }
        }
        choice.finish_reason = match (status, some(response.reason)) {
            ("incomplete", Some(reason)) => Some(format!("incomplete:{}", reason.whole()).into()),
            ("completed" | "incomplete" | "failed" | "cancelled", _) => {
                Some(Cow::Owned(status.to_owned()))
            }
            _ => None,
        };
        payload.usage = response.usage.map(Into::into);
        if status == "failed" {
            let error = response.error;
            payload.error = Some(
                error
                    .unwrap_or(r#"{"message":"the response failed"}"#)
                    .into(),
            );
        }
    }

    /// Whether nothing of `key` has been handed out, for all that is known.
    fn is_new(&self, key: Key) -> bool {
        self.keys.len() < MAX_KEYS && !self.keys.contains(&key)
    }

    /// Notes that `piece` is handed out under `key`.
    fn note(&mut self, key: Key, piece: Raw<'_>) {
        if !piece.is_empty() {
            self.has_handed_out |= key.0 != Kind::Role;
            self.insert(key);
        }
    }

    fn insert(&mut self, key: Key) {
        if self.keys.len() < MAX_KEYS {
            self.keys.insert(key);
        }
    }
}

impl<'p> Members<'p> {
    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "output_index" => self.output_index = reader.index_or_skip()?,
            "content_index" => self.content_index = reader.index_or_skip()?,
            "summary_index" => self.summary_index = reader.index_or_skip()?,
            "delta" => self.delta = reader.string_or_skip()?,
            "text" => self.text = reader.string_or_skip()?,
            "refusal" => self.refusal = reader.string_or_skip()?,
            "arguments" => self.arguments = reader.string_or_skip()?,
            "input" => self.input = reader.string_or_skip()?,
            "item" => self.item = Item::read(reader)?,
            "part" => self.part = Item::read(reader)?,
            "response" => {
                let mut response = Response::default();
                members_of(reader, |reader, name| response.member(reader, name))?;
                self.response = response;
            }
            "object" => {
                let object = reader.string_or_skip()?.map(Raw::whole);
                self.is_response = object.as_deref() == Some("response");
                self.errors.is_error = object.as_deref() == Some("error");
            }
            "error" => {
                self.errors.error = error_or_skip(reader)?;
                self.body.error = self.errors.error;
            }
            _ => self.body.member(reader, name)?,
        }
        Ok(())
    }
}

/// Adds a piece of what `key` means.
fn add<'p>(key: Key, piece: Raw<'p>, choice: &mut Choice<'p>) {
    let (kind, output, _) = key;
    let message = &mut choice.message;
    match kind {
        Kind::Text => message.push_part(PartKind::Text, Some(piece)),
        Kind::Summary | Kind::Reasoning => message.push_part(PartKind::Thinking, Some(piece)),
        Kind::Refusal => message.refusal.extend(some(Some(piece))),
        Kind::Role => {}
        Kind::Arguments => {
            let call = ToolCall::piece(output, Arguments::Text(piece));
            message.tool_calls.push(call);
        }
    }
}

/// Adds a choice of which something may have come.
fn push<'p>(choice: Choice<'p>, payload: &mut Payload<'p>) {
    if choice.message.count_parts() > 0 || !choice.message.tool_calls.is_empty() {
        payload.choices.push(choice);
    }
}
