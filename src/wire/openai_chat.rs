//! `openai.chat`: chat completion chunks, as OpenAI's SDKs read them.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::choices::{ChoiceFormat, ChoiceWire};
use super::object::{Object, some};
use super::wire::{Part, Source};
use crate::delta::{Delta, ToolCallDelta};
use crate::json::write_compact;

/// The first record of a choice has its role. Reasoning is `reasoning_content`, as `DeepSeek` and vLLM have it.
#[derive(Debug, Default)]
pub struct Chat {
    /// The index that a tool call is written with, and its id, by its choice and index.
    calls: BTreeMap<(u32, u32), (u64, Option<String>)>,
    /// How many calls have begun, by choice. Clients keep calls in a list, so that the first one has the index 0.
    begun: BTreeMap<u32, u64>,
    annotations: Vec<Vec<u8>>,
}

/// How a piece of a tool call is written.
struct Place {
    index: u64,
    /// The id of a call that begins.
    id: Option<String>,
}

impl ChoiceFormat for Chat {
    const LACKS: &'static [Part] = &[Part::Data, Part::Snapshots];
    const PREFIX: &'static str = "chatcmpl";
    const OBJECT: &'static str = "chat.completion.chunk";
    const LOGPROBS: &'static [&'static str] = &["content", "refusal"];
    const AROUND_TEXT: (&'static [u8], &'static [u8]) = (
        b"\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
        b"\"},\"finish_reason\":null}]}\n\n",
    );

    fn first_text(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>, text: &str) {
        chunks.begun.remove(&0);
        choice(chunks, answer, out, 0, None, |delta| {
            delta.string("content", text)
        });
    }

    fn delta(
        chunks: &mut ChoiceWire<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        delta: &Delta<'_>,
        logprobs: Option<&str>,
    ) {
        let index = delta.index;
        // Their ids are made before the record, which borrows the answer.
        let mut calls = Vec::new();
        for call in &delta.tool_calls {
            calls.extend(
                chunks
                    .format
                    .place(answer, index, call)
                    .map(|place| (call, place)),
            );
        }
        let is_blank = delta.text.is_none() && delta.reasoning.is_none() && delta.refusal.is_none();
        if is_blank && calls.is_empty() && delta.audio.is_none() && logprobs.is_none() {
            return;
        }
        choice(chunks, answer, out, index, logprobs, |object| {
            let mut object = object
                .some_string("reasoning_content", delta.reasoning.as_deref())
                .some_string("content", delta.text.as_deref())
                .some_string("refusal", delta.refusal.as_deref());
            if !calls.is_empty() {
                object = object.array("tool_calls", |array| {
                    calls.iter().fold(array, |array, (call, place)| {
                        array.object(|object| tool_call(object, call, place))
                    })
                });
            }
            match delta.audio {
                Some(audio) => object.value("audio", |out| write_compact(out, audio)),
                None => object,
            }
        });
    }

    fn tool_result(chunks: &mut ChoiceWire<Self>) {
        // Left out. The calls of the model's next message are counted anew.
        chunks.format.calls.clear();
    }

    fn source(chunks: &mut ChoiceWire<Self>, _: &mut Answer, _: &mut Vec<u8>, source: &Source<'_>) {
        // One list at the end: of several ones, a client keeps the last.
        let mut annotation = Vec::new();
        Object::new(&mut annotation)
            .string("type", "url_citation")
            .object("url_citation", |citation| {
                citation
                    .string("url", source.url)
                    .string("title", source.title)
                    .number("start_index", 0)
                    .number("end_index", 0)
            })
            .end();
        chunks.format.annotations.push(annotation);
    }

    fn close(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>) {
        let annotations = std::mem::take(&mut chunks.format.annotations);
        if !annotations.is_empty() {
            choice(chunks, answer, out, 0, None, |delta| {
                delta.list("annotations", &annotations)
            });
        }
    }

    fn end_choice(choice: Object<'_>, has_begun: bool) -> Object<'_> {
        choice.object("delta", |delta| if has_begun { delta } else { role(delta) })
    }
}

/// Writes a record of a choice, whose delta `members` fills; the first one has the role.
fn choice(
    chunks: &mut ChoiceWire<Chat>,
    answer: &Answer,
    out: &mut Vec<u8>,
    index: u32,
    logprobs: Option<&str>,
    members: impl FnOnce(Object<'_>) -> Object<'_>,
) {
    let is_first = chunks.begun.insert(index);
    chunks.choice(answer, out, index, logprobs, |choice| {
        choice.object("delta", |delta| {
            members(if is_first { role(delta) } else { delta })
        })
    });
}

fn role(delta: Object<'_>) -> Object<'_> {
    delta.string("role", "assistant")
}

impl Chat {
    /// Finds how a piece of a tool call is written; one of a call that has not begun, without a name and an id, is not.
    ///
    /// A piece with another id and a name begins a call of the model's next message, whose calls are counted anew.
    /// Clients would add its arguments to those of the call before.
    fn place(
        &mut self,
        answer: &mut Answer,
        choice: u32,
        call: &ToolCallDelta<'_>,
    ) -> Option<Place> {
        let (id, name) = (call.id.as_deref().and_then(some), call.name.as_deref());
        let has_name = name.and_then(some).is_some();
        let key = (choice, call.index);
        match self.calls.get(&key) {
            Some((index, known)) => {
                let is_same = known.is_none() || known.as_deref() == id;
                if is_same || id.is_none() || !has_name {
                    return Some(Place {
                        index: *index,
                        id: None,
                    });
                }
            }
            None if id.is_none() && !has_name => return None,
            None => {}
        }
        let begun = self.begun.entry(choice).or_default();
        let index = *begun;
        *begun += 1;
        self.calls.insert(key, (index, id.map(str::to_owned)));
        Some(Place {
            index,
            id: Some(answer.begin_call(choice, id)),
        })
    }
}

/// Adds a piece of a tool call.
fn tool_call<'a>(object: Object<'a>, call: &ToolCallDelta<'_>, place: &Place) -> Object<'a> {
    let begun_as = place.id.as_deref();
    let id = begun_as.or(call.id.as_deref().and_then(some));
    let args = call.args.as_deref().or(begun_as.map(|_| ""));
    let mut object = object.number("index", place.index);
    if let Some(id) = id {
        object = object.string("id", id).string("type", "function");
    }
    object.object("function", |function| {
        function
            .some_string("name", call.name.as_deref().and_then(some))
            .some_string("arguments", args)
    })
}
