//! OpenAI's responses.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::family::{Family, Source};
use super::message::{Arguments, Function, PartKind, ToolCall, object, some};
use super::payload::{Beside, Choice, End, Payload, Place};
use super::provider_error::{ErrorMembers, error_or_skip};
use super::response_items::{Item, Response, error_of_event};
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// So many pieces are remembered as handed out. With more, what comes at the end of one is passed over.
const MAX_KEYS: usize = 1024;

/// A stream of a response.
#[derive(Debug, Default)]
pub struct Responses {
    /// What has been handed out.
    keys: BTreeSet<Key>,
    is_full: bool,
    /// Text, a refusal or a tool call has been handed out.
    has_content: bool,
    /// The output item, and the part of it, that began last.
    last: Option<(u32, Option<u32>)>,
}

/// What has been handed out: of which kind, of which output item, and of which part of it.
type Key = (Kind, u32, u32);

/// The kinds of pieces that a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Item,
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
    /// `delta`, or the field that has the whole of it.
    delta: Option<Raw<'p>>,
    whole: Option<Raw<'p>>,
    item: Item<'p>,
    part: Item<'p>,
    response: Response<'p>,
    /// A body that is a response.
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
        object(reader, |reader, name| members.member(reader, name, payload))?;
        reader.end()?;
        let kind = source.kind(members.kind);
        if kind == "error" {
            let error = error_of_event(reader.text().as_bytes(), true);
            payload.error = error.map(Cow::Owned);
            return Ok(());
        }
        let known = if members.is_response && source.is_body {
            payload.first().place = Place::Body;
            self.end(&members.body.status(), &members.body, payload);
            payload.end = End::No;
            true
        } else {
            self.settle(&kind, &members, payload)
        };
        let error = members.errors.error(payload, reader.text(), known);
        payload.error = payload.error.take().or(error.map(Into::into));
        Ok(())
    }

    fn error_text(&self, data: &[u8]) -> Option<String> {
        error_of_event(data, false)
    }
}

impl Responses {
    /// Fills `payload`, which is of this `kind`; returns whether the kind is known.
    fn settle<'p>(&mut self, kind: &str, members: &Members<'p>, payload: &mut Payload<'p>) -> bool {
        let Some(name) = kind.strip_prefix("response.") else {
            return false;
        };
        let output = members.output_index;
        let output = output.or(self.last.map(|(output, _)| output));
        let output = output.unwrap_or_default();
        let content = members.content_index.unwrap_or_default();
        match name {
            "output_item.added" => {
                payload.beside = Beside::Block;
                self.last = Some((output, None));
                self.add_item(output, &members.item, payload.first());
            }
            "content_part.added" => {
                payload.beside = Beside::Block;
                self.last = Some((output, Some(content)));
            }
            "content_part.done" => self.part(output, content, &members.part, payload.first()),
            "output_item.done" => self.end_item(output, &members.item, payload.first()),
            "completed" | "incomplete" | "failed" | "cancelled" => {
                self.end(name, &members.response, payload);
            }
            _ => self.read_piece(name, output, members, payload),
        }
        for choice in &mut payload.choices {
            choice.message.settle_parts();
        }
        true
    }

    /// Reads a piece of an output item, or the whole of one.
    fn read_piece<'p>(
        &mut self,
        name: &str,
        output: u32,
        members: &Members<'p>,
        payload: &mut Payload<'p>,
    ) {
        let Some((field, stage)) = name.split_once('.') else {
            return;
        };
        let content = members.content_index.unwrap_or_default();
        let key = match field {
            "output_text" => (Kind::Text, output, content),
            "refusal" => (Kind::Refusal, output, content),
            "reasoning_text" => (Kind::Reasoning, output, content),
            "reasoning_summary_text" | "reasoning_summary_part" => {
                let summary = members.summary_index.unwrap_or_default();
                (Kind::Summary, output, summary)
            }
            "function_call_arguments" | "custom_tool_call_input" => (Kind::Arguments, output, 0),
            _ => return,
        };
        match (field, stage) {
            ("reasoning_summary_part", "done") => {
                self.whole(key, members.part.text, payload.first());
            }
            ("reasoning_summary_part", _) => {}
            (_, "delta") => {
                if key.0 == Kind::Text {
                    self.find_block(output, members.content_index, payload);
                }
                self.piece(key, members.delta, payload);
            }
            (_, "done") => self.whole(key, members.whole, payload.first()),
            _ => {}
        }
    }

    /// Finds out whether the text of `payload` belongs to the part that began last.
    fn find_block(&mut self, output: u32, content: Option<u32>, payload: &mut Payload<'_>) {
        let place = (output, content.or(Some(0)));
        match self.last {
            Some(last) if last == place => {}
            _ if self.has((Kind::Text, output, content.unwrap_or_default())) => {
                payload.beside = Beside::More;
            }
            _ => {
                payload.beside = Beside::Block;
                self.last = Some(place);
            }
        }
    }

    /// Reads a piece of what `key` means.
    fn piece<'p>(&mut self, key: Key, text: Option<Raw<'p>>, payload: &mut Payload<'p>) {
        let choice = payload.first();
        match some(text) {
            Some(text) => {
                self.note(key);
                self.push(key, text, choice);
                choice.message.settle_parts();
            }
            // One like it that has text is to be noted.
            None => payload.teaches = false,
        }
    }

    /// Reads the whole of what `key` means, of which nothing may have come before.
    fn whole<'p>(&mut self, key: Key, text: Option<Raw<'p>>, choice: &mut Choice<'p>) {
        if let Some(text) = some(text).filter(|_| self.note(key)) {
            self.push(key, text, choice);
        }
    }

    fn push<'p>(&mut self, key: Key, text: Raw<'p>, choice: &mut Choice<'p>) {
        let (kind, output, _) = key;
        let part = match kind {
            Kind::Summary | Kind::Reasoning => PartKind::Thinking,
            Kind::Text => PartKind::Text,
            Kind::Refusal => PartKind::Refusal,
            Kind::Item | Kind::Arguments => {
                let arguments = Some(Arguments::Text(text));
                self.has_content = true;
                return push_call(output, None, None, arguments, choice);
            }
        };
        self.has_content |= part != PartKind::Thinking;
        choice.message.push_part(part, Some(text));
    }

    /// Reads an output item as it begins.
    fn add_item<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        match item.kind().as_ref() {
            "message" => {
                self.note((Kind::Item, output, 0));
                choice.message.role = item.role;
            }
            "function_call" | "custom_tool_call" => {
                self.note((Kind::Item, output, 0));
                if some(item.arguments).is_some() {
                    self.note((Kind::Arguments, output, 0));
                }
                self.has_content = true;
                let arguments = Arguments::Text(item.arguments.unwrap_or_default());
                push_call(output, item.call_id, item.name, Some(arguments), choice);
            }
            _ => {}
        }
    }

    /// Reads an output item that is over, of which not all may have come before.
    fn end_item<'p>(&mut self, output: u32, item: &Item<'p>, choice: &mut Choice<'p>) {
        match item.kind().as_ref() {
            "message" => {
                if self.note((Kind::Item, output, 0)) {
                    choice.message.role = item.role;
                }
                for (at, part) in (0..).zip(&item.content) {
                    self.part(output, at, part, choice);
                }
            }
            "function_call" | "custom_tool_call" => {
                if self.is_new((Kind::Item, output, 0)) {
                    self.add_item(output, item, choice);
                } else {
                    self.whole((Kind::Arguments, output, 0), item.arguments, choice);
                }
            }
            "reasoning" => {
                for (at, part) in (0..).zip(&item.summary) {
                    self.whole((Kind::Summary, output, at), part.text, choice);
                }
                for (at, part) in (0..).zip(&item.content) {
                    self.whole((Kind::Reasoning, output, at), part.text, choice);
                }
            }
            _ => {}
        }
    }

    /// Reads a part of a message that is over.
    fn part<'p>(&mut self, output: u32, at: u32, part: &Item<'p>, choice: &mut Choice<'p>) {
        match part.kind().as_ref() {
            "output_text" => self.whole((Kind::Text, output, at), part.text, choice),
            "refusal" => self.whole((Kind::Refusal, output, at), part.refusal, choice),
            "reasoning_text" => self.whole((Kind::Reasoning, output, at), part.text, choice),
            _ => {}
        }
    }

    /// Reads the response that is over, or as far as it has come, if it is a body.
    fn end<'p>(&mut self, status: &str, response: &Response<'p>, payload: &mut Payload<'p>) {
        let choice = payload.first();
        if !self.has_content {
            for (output, item) in (0..).zip(&response.output) {
                self.end_item(output, item, choice);
            }
            choice.message.settle_parts();
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
        payload.end = End::Yes;
    }

    fn has(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Whether nothing of `key` has been handed out, for all that is known.
    fn is_new(&self, key: Key) -> bool {
        !self.is_full && !self.has(key)
    }

    /// Notes that something of `key` is handed out; returns whether it is the first of it.
    fn note(&mut self, key: Key) -> bool {
        if !self.is_new(key) {
            return false;
        }
        if self.keys.len() == MAX_KEYS {
            self.is_full = true;
            return false;
        }
        self.keys.insert(key)
    }
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "output_index" => self.output_index = reader.index_or_skip()?,
            "content_index" => self.content_index = reader.index_or_skip()?,
            "summary_index" => self.summary_index = reader.index_or_skip()?,
            "delta" => self.delta = reader.string_or_skip()?,
            "text" | "refusal" | "arguments" | "input" => self.whole = reader.string_or_skip()?,
            "item" => self.item = Item::read(reader)?,
            "part" => self.part = Item::read(reader)?,
            "response" => {
                let mut response = Response::default();
                object(reader, |reader, name| {
                    response.member(reader, name, payload)
                })?;
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
            _ => self.body.member(reader, name, payload)?,
        }
        Ok(())
    }
}

fn push_call<'p>(
    output: u32,
    id: Option<Raw<'p>>,
    name: Option<Raw<'p>>,
    arguments: Option<Arguments<'p>>,
    choice: &mut Choice<'p>,
) {
    choice.message.tool_calls.push(ToolCall {
        index: Some(output),
        id,
        function: Function { name, arguments },
    });
}
