//! `openai.completions`: completion chunks, as OpenAI's SDKs read them.

use super::answer::Answer;
use super::choices::{ChoiceFormat, ChoiceWire};
use super::object::Object;
use super::wire::Part;
use crate::delta::Delta;

/// A refusal is text. Reasoning and tool calls are left out.
#[derive(Debug, Default)]
pub struct Completions;

impl ChoiceFormat for Completions {
    const LACKS: &'static [Part] = &[Part::Sources, Part::Data, Part::Snapshots];
    const PREFIX: &'static str = "cmpl";
    const OBJECT: &'static str = "text_completion";
    const LOGPROBS: &'static [&'static str] = &["tokens"];
    const AROUND_TEXT: (&'static [u8], &'static [u8]) = (
        b"\"choices\":[{\"index\":0,\"text\":\"",
        b"\",\"finish_reason\":null}]}\n\n",
    );

    fn first_text(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>, text: &str) {
        chunks.choice(answer, out, 0, None, |choice| choice.string("text", text));
    }

    fn delta(
        chunks: &mut ChoiceWire<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        delta: &Delta<'_>,
        logprobs: Option<&str>,
    ) {
        let texts = [&delta.text, &delta.refusal].map(|text| text.as_deref().unwrap_or_default());
        if texts != ["", ""] || logprobs.is_some() {
            chunks.begun.insert(delta.index);
            chunks.choice(answer, out, delta.index, logprobs, |choice| {
                choice.string("text", &texts.concat())
            });
        }
        answer.note_calls(delta.index, &delta.tool_calls);
    }

    fn end_choice(choice: Object<'_>, _: bool) -> Object<'_> {
        choice.string("text", "")
    }
}
