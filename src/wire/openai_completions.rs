//! `openai.completions`: completion chunks, as OpenAI's SDKs read them.

use super::answer::Answer;
use super::choices::{ChoiceFormat, ChoiceWire};
use super::object::Object;
use super::usage::has_list;
use super::wire::Part;
use crate::delta::Delta;
use crate::json::write_compact;

/// A refusal is text. Reasoning and tool calls are left out.
#[derive(Debug, Default)]
pub struct Completions;

impl ChoiceFormat for Completions {
    const LACKS: &'static [Part] = &[Part::Sources, Part::Data, Part::Snapshots];
    const PREFIX: &'static str = "cmpl";
    const OBJECT: &'static str = "text_completion";
    const AROUND_TEXT: (&'static [u8], &'static [u8]) = (
        b"\"choices\":[{\"index\":0,\"text\":\"",
        b"\",\"finish_reason\":null}]}\n\n",
    );

    fn first_text(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>, text: &str) {
        choice(chunks, answer, out, 0, [text, ""], None);
    }

    fn delta(
        chunks: &mut ChoiceWire<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        delta: &Delta<'_>,
    ) {
        let texts = [&delta.text, &delta.refusal].map(|text| text.as_deref().unwrap_or_default());
        let logprobs = delta.logprobs.filter(|kept| has_list(kept, &["tokens"]));
        if texts != ["", ""] || logprobs.is_some() {
            chunks.begun.insert(delta.index);
            choice(chunks, answer, out, delta.index, texts, logprobs);
        }
        answer.note_calls(delta.index, &delta.tool_calls);
    }

    fn end_choice(choice: Object<'_>, _: bool) -> Object<'_> {
        choice.string("text", "")
    }
}

fn choice(
    chunks: &mut ChoiceWire<Completions>,
    answer: &Answer,
    out: &mut Vec<u8>,
    index: u32,
    texts: [&str; 2],
    logprobs: Option<&str>,
) {
    chunks.record(answer, out, |choice| {
        let choice = choice.number("index", index.into());
        let choice = choice.string("text", &texts.concat());
        let choice = match logprobs {
            Some(kept) => choice.value("logprobs", |out| write_compact(out, kept)),
            None => choice,
        };
        choice.json("finish_reason", b"null")
    });
}
