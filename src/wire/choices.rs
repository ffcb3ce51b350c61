//! The base of OpenAI's two older wires, whose records have choices.

use std::collections::BTreeSet;
use std::fmt::Debug;

use super::answer::Answer;
use super::object::{Object, write_event};
use super::usage::{Counts, has_list};
use super::wire::{Failure, Part, Source, Wire};
use crate::delta::Delta;
use crate::json::write_compact;

const END: &[u8] = b"data: [DONE]\n\n";

/// The records of a format with choices.
pub trait ChoiceFormat: Debug + Default + Send {
    /// The parts that the wire cannot carry.
    const LACKS: &'static [Part];
    /// The start of ids.
    const PREFIX: &'static str;
    /// The value of `object`.
    const OBJECT: &'static str;
    /// The lists of log probabilities that the format has.
    const LOGPROBS: &'static [&'static str];
    /// The bytes around a piece of the text of a choice 0 that has begun.
    const AROUND_TEXT: (&'static [u8], &'static [u8]);

    /// Writes the first piece of the text of choice 0.
    fn first_text(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>, text: &str);

    /// Writes a delta; `logprobs` are its log probabilities, if they are of the format.
    fn delta(
        chunks: &mut ChoiceWire<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        delta: &Delta<'_>,
        logprobs: Option<&str>,
    );

    /// Takes note of a tool's result, which is left out.
    fn tool_result(chunks: &mut ChoiceWire<Self>) {
        let _ = chunks;
    }

    /// Writes a source that the answer cites.
    fn source(
        chunks: &mut ChoiceWire<Self>,
        answer: &mut Answer,
        out: &mut Vec<u8>,
        source: &Source<'_>,
    ) {
        let _ = (chunks, answer, out, source);
    }

    /// Writes the records before the last ones.
    fn close(chunks: &mut ChoiceWire<Self>, answer: &Answer, out: &mut Vec<u8>) {
        let _ = (chunks, answer, out);
    }

    /// Adds the members of a choice in its last record, up to its finish reason.
    fn end_choice(choice: Object<'_>, has_begun: bool) -> Object<'_>;
}

/// Each record is a completion chunk with one choice; usage comes in one without any, before the end mark.
#[derive(Debug, Default)]
pub struct ChoiceWire<F> {
    pub format: F,
    /// The choices that have begun.
    pub begun: BTreeSet<u32>,
    /// The start of every record, made with the first one: the model's name is known then.
    head: Vec<u8>,
}

impl<F: ChoiceFormat> ChoiceWire<F> {
    /// Writes a record with one choice, whose members `members` adds.
    fn record(
        &mut self,
        answer: &Answer,
        out: &mut Vec<u8>,
        members: impl FnOnce(Object<'_>) -> Object<'_>,
    ) {
        self.make_head(answer);
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"\"choices\":[");
        let choice = members(Object::new(out));
        choice.end().extend_from_slice(b"]}\n\n");
    }

    /// Writes a record of a choice that goes on, whose members before its log probabilities `members` adds.
    pub fn choice(
        &mut self,
        answer: &Answer,
        out: &mut Vec<u8>,
        index: u32,
        logprobs: Option<&str>,
        members: impl FnOnce(Object<'_>) -> Object<'_>,
    ) {
        self.record(answer, out, |choice| {
            let choice = members(choice.number("index", index.into()));
            let choice = match logprobs {
                Some(kept) => choice.value("logprobs", |out| write_compact(out, kept)),
                None => choice,
            };
            choice.json("finish_reason", b"null")
        });
    }

    fn make_head(&mut self, answer: &Answer) {
        if self.head.is_empty() {
            let settings = &answer.settings;
            self.head.extend_from_slice(b"data: ");
            Object::new(&mut self.head)
                .string("id", &format!("{}-{}", F::PREFIX, settings.id))
                .string("object", F::OBJECT)
                .number("created", settings.created)
                .string("model", &settings.model)
                .more();
        }
    }
}

impl<F: ChoiceFormat> Wire for ChoiceWire<F> {
    fn lacks(&self) -> &'static [Part] {
        F::LACKS
    }

    fn text(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str) {
        if self.begun.insert(0) {
            return F::first_text(self, answer, out, text);
        }
        self.make_head(answer);
        let piece = &mut answer.piece;
        let (before, behind) = F::AROUND_TEXT;
        piece.prefix.clone_from(&self.head);
        piece.prefix.extend_from_slice(before);
        piece.suffix = behind;
        piece.is_text = true;
        piece.write(out, text);
    }

    fn delta(&mut self, answer: &mut Answer, out: &mut Vec<u8>, delta: &Delta<'_>) {
        let logprobs = delta.logprobs.filter(|kept| has_list(kept, F::LOGPROBS));
        F::delta(self, answer, out, delta, logprobs);
    }

    fn tool_result(&mut self, _: &mut Answer, _: &mut Vec<u8>, _: &str, _: &str) {
        F::tool_result(self);
    }

    fn source(&mut self, answer: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        F::source(self, answer, out, source);
    }

    fn fail(&mut self, _: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        write_event(out, |record| {
            record.object("error", |error| openai_error(error, failure))
        });
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        F::close(self, answer, out);
        let mut choices = self.begun.clone();
        choices.extend(answer.finish_reasons.keys());
        if choices.is_empty() {
            choices.insert(0);
        }
        for index in choices {
            let has_begun = self.begun.contains(&index);
            self.record(answer, out, |choice| {
                let choice = F::end_choice(choice.number("index", index.into()), has_begun);
                choice.string("finish_reason", answer.finish_reason(index))
            });
        }
        let counts = Counts::find(answer.usage.as_deref());
        if !counts.are_unknown() {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"\"choices\":[],\"usage\":");
            let usage = counts.chat_usage(Object::new(out));
            usage.end().extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(END);
    }
}

/// Adds the members of the error object of OpenAI's servers.
pub fn openai_error<'a>(object: Object<'a>, failure: &Failure<'_>) -> Object<'a> {
    let object = object
        .string("message", failure.message)
        .string("type", failure.kind)
        .json("param", b"null");
    match failure.code {
        Some(code) => object.string("code", code),
        None => object.json("code", b"null"),
    }
}
