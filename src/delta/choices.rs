//! The state of a stream's choices: held surrogates, finish reasons, tool calls.

use std::borrow::Cow;
use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::known::{Field, FieldPiece, Known};
use super::message::{Content, Part, PartKind, append, piece, some, whole_piece};
use super::output::Output;
use super::payload::{Choice, Place};
use super::sink::{Delta, Sink, Text, ToolCallDelta};
use super::tools::{Entry, HeldArguments, Tools};
use crate::error::Limit;
use crate::json::Raw;
use crate::text::Held;

/// The choices of a stream.
#[derive(Debug, Default)]
pub struct Choices {
    /// Choice 0, where nearly everything happens.
    first: ChoiceState,
    others: BTreeMap<u32, ChoiceState>,
    /// Halves of surrogate pairs are held for the next piece of their field.
    joins: bool,
}

/// One choice.
#[derive(Debug, Default)]
struct ChoiceState {
    has_begun: bool,
    has_handed_out: bool,
    finish_reason: Option<String>,
    text: Held,
    reasoning: Held,
    refusal: Held,
    tools: Option<Box<Tools>>,
    arguments: HeldArguments,
}

/// The output of the choices of a payload, one after the other.
#[derive(Debug)]
pub struct Settled<'p>(SmallVec<[Option<Vec<Entry<'p>>>; 1]>);

impl Choices {
    /// The choices of a stream that has not begun.
    pub fn new(joins: bool) -> Self {
        Self {
            joins,
            ..Self::default()
        }
    }

    /// Choice 0's finish reason.
    pub fn finish_reason(&self) -> Option<&str> {
        self.first.finish_reason.as_deref()
    }

    /// Whether a choice has begun.
    pub fn have_begun(&self) -> bool {
        self.first.has_begun || !self.others.is_empty()
    }

    /// Whether a choice has begun, and every one that has is finished.
    pub fn are_finished(&self) -> bool {
        let mut begun = std::iter::once(&self.first)
            .chain(self.others.values())
            .filter(|state| state.has_begun)
            .peekable();
        begun.peek().is_some() && begun.all(|state| state.finish_reason.is_some())
    }

    /// Finds which choices and which tool calls `choices` belong to. Nothing is handed out before: a
    /// payload that passes a limit hands out nothing.
    pub fn settle<'p>(&mut self, choices: &[Choice<'p>]) -> Result<Settled<'p>, Limit> {
        let mut settled = SmallVec::new();
        for choice in choices {
            self.begin(choice.index)?;
            settled.push(self.state(choice.index).settle(choice)?);
        }
        Ok(Settled(settled))
    }

    /// Hands out the `choices` of a payload: one delta each, or one per run of its parts.
    pub fn take<'p>(
        &mut self,
        choices: &[Choice<'p>],
        settled: Settled<'p>,
        output: &mut Output,
        sink: &mut impl Sink,
    ) {
        for (choice, entries) in std::iter::zip(choices, settled.0) {
            self.take_choice(choice, entries, output, sink);
        }
    }

    fn take_choice<'p>(
        &mut self,
        choice: &Choice<'p>,
        entries: Option<Vec<Entry<'p>>>,
        output: &mut Output,
        sink: &mut impl Sink,
    ) {
        let joins = self.joins;
        let state = self.state(choice.index);
        let mut has_handed_out = false;
        let mut delta = Delta {
            index: choice.index,
            ..Delta::default()
        };
        if let Some(entries) = entries {
            let message = &choice.message;
            delta.role = some(message.role).map(Raw::whole);
            delta.reasoning = state.reasoning(message.reasoning(), joins);
            for part in &message.refusal {
                if let Some(text) = piece(&mut state.refusal, Some(*part), joins) {
                    append(&mut delta.refusal, text);
                }
            }
            match &message.content {
                Content::None => {}
                Content::Text(raw) => delta.text = piece(&mut state.text, Some(*raw), joins),
                Content::Parts(parts) => {
                    delta = state.parts(parts, delta, joins, |delta| {
                        has_handed_out |= output.hand_out(delta, sink);
                    });
                }
            }
            let entries = entries.into_iter();
            delta.tool_calls = entries
                .filter_map(|entry| state.arguments.take(entry, joins))
                .collect();
            delta.audio = message.audio;
        }
        delta.logprobs = choice.logprobs;
        let reason = choice.finish_reason.as_deref();
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            state.finish(reason, &mut delta);
        }
        has_handed_out |= output.hand_out(&delta, sink);
        state.has_handed_out |= has_handed_out;
    }

    /// Takes in `payload`, which is like a `known` one with another piece.
    #[inline]
    pub fn take_known(
        &mut self,
        known: &Known,
        piece: Raw<'_>,
        payload: &[u8],
        output: &mut Output,
        sink: &mut impl Sink,
    ) {
        sink.begin_payload(payload, known.is_plain());
        self.take_increment(&known.content(piece), output, sink);
        if known.has_usage()
            && let Some(usage) = known.usage(payload)
        {
            output.hand_out_usage(usage, sink);
        }
        sink.end_payload();
    }

    /// Hands out the piece of a payload like a known one, as [`Self::take`] does after reading it whole.
    pub fn take_increment(
        &mut self,
        increment: &FieldPiece<'_, '_>,
        output: &mut Output,
        sink: &mut impl Sink,
    ) {
        if increment.field != Field::Text || increment.role.is_some() {
            return self.take_other_increment(increment, output, sink);
        }
        let joins = self.joins;
        let state = self.state(increment.index);
        // Nearly every piece has nothing to unescape and nothing to join: it costs no call.
        let text = match increment.piece.plain() {
            Some(text) if state.text.is_none() => Cow::Borrowed(text),
            _ => whole_piece(&mut state.text, increment.piece, joins),
        };
        if !text.is_empty() {
            state.has_handed_out = true;
            output.hand_out_text(increment.index, &text, sink);
        }
    }

    /// Does it for a piece that is not text alone.
    #[inline(never)]
    fn take_other_increment(
        &mut self,
        increment: &FieldPiece<'_, '_>,
        output: &mut Output,
        sink: &mut impl Sink,
    ) {
        let joins = self.joins;
        let state = self.state(increment.index);
        let raw = increment.piece;
        let mut delta = Delta {
            index: increment.index,
            role: increment.role.map(Cow::Borrowed),
            ..Delta::default()
        };
        match increment.field {
            Field::Text => delta.text = piece(&mut state.text, Some(raw), joins),
            Field::Reasoning => delta.reasoning = piece(&mut state.reasoning, Some(raw), joins),
            Field::Arguments(index) => {
                delta.tool_calls.extend(state.arguments(index, raw, joins));
            }
        }
        state.has_handed_out |= output.hand_out(&delta, sink);
    }

    /// The choice `index` begins, if it has not.
    fn begin(&mut self, index: u32) -> Result<(), Limit> {
        if self.state(index).has_begun {
            return Ok(());
        }
        // Choice 0 has its place before it begins, and the new one has one already.
        let count = self.others.len() + usize::from(index == 0 || self.first.has_begun);
        if count > Limit::Choices.most() {
            return Err(Limit::Choices);
        }
        self.state(index).has_begun = true;
        Ok(())
    }

    #[inline]
    fn state(&mut self, index: u32) -> &mut ChoiceState {
        match index {
            0 => &mut self.first,
            index => self.other_state(index),
        }
    }

    #[inline(never)]
    fn other_state(&mut self, index: u32) -> &mut ChoiceState {
        self.others.entry(index).or_default()
    }

    /// Hands out U+FFFD for every half that still waits, a delta for each choice that has one.
    pub fn flush(&mut self, output: &mut Output, sink: &mut impl Sink) {
        let others = self.others.iter_mut().map(|(index, state)| (*index, state));
        for (index, state) in std::iter::once((0, &mut self.first)).chain(others) {
            let mut delta = Delta {
                index,
                ..Delta::default()
            };
            state.flush(&mut delta);
            state.has_handed_out |= output.hand_out(&delta, sink);
        }
    }
}

impl ChoiceState {
    /// Reads typed parts into `delta`; where the kind changes, the delta so far is handed out first.
    fn parts<'p>(
        &mut self,
        parts: &[Part<'p>],
        mut delta: Delta<'p>,
        joins: bool,
        mut hand_out: impl FnMut(&Delta<'_>),
    ) -> Delta<'p> {
        let mut run = None;
        for part in parts.iter().filter(|part| !part.text.is_empty()) {
            if run.is_some_and(|kind| kind != part.kind) {
                hand_out(&delta);
                delta = Delta {
                    index: delta.index,
                    ..Delta::default()
                };
            }
            run = Some(part.kind);
            let (held, field) = match part.kind {
                PartKind::Text => (&mut self.text, &mut delta.text),
                PartKind::Thinking => (&mut self.reasoning, &mut delta.reasoning),
            };
            if let Some(text) = piece(held, Some(part.text), joins) {
                append(field, text);
            }
        }
        delta
    }

    /// The tool calls to hand out of a choice; `None` where its message does not count:
    /// one in a stream, of a choice that has handed out something. Some servers repeat it there.
    fn settle<'p>(&mut self, choice: &Choice<'p>) -> Result<Option<Vec<Entry<'p>>>, Limit> {
        if choice.place == Place::Message && self.has_handed_out {
            return Ok(None);
        }
        let mut entries = Vec::new();
        for call in choice.message.entries() {
            let tools = self.tools.get_or_insert_default();
            entries.push(tools.settle(&call, choice.place != Place::Delta)?);
        }
        Ok(Some(entries))
    }

    /// The delta of a piece of arguments that has nothing else but the index of its call.
    fn arguments<'p>(
        &mut self,
        index: u32,
        piece: Raw<'p>,
        joins: bool,
    ) -> Option<ToolCallDelta<'p>> {
        let entry = self.tools.as_mut()?.settle_piece(index, piece)?;
        self.arguments.take(entry, joins)
    }

    fn reasoning<'p>(&mut self, content: &Content<'p>, joins: bool) -> Option<Text<'p>> {
        match content {
            Content::None => None,
            Content::Text(raw) => piece(&mut self.reasoning, Some(*raw), joins),
            Content::Parts(parts) => {
                let mut text = None;
                for part in parts {
                    if let Some(piece) = piece(&mut self.reasoning, Some(part.text), joins) {
                        append(&mut text, piece);
                    }
                }
                text
            }
        }
    }

    /// Ends the choice: held halves are handed out with the reason. The same reason again changes nothing.
    fn finish(&mut self, reason: &str, delta: &mut Delta<'_>) {
        if self.finish_reason.as_deref() == Some(reason) {
            return;
        }
        self.flush(delta);
        self.finish_reason = Some(reason.to_owned());
        delta.finish_reason = Some(Cow::Owned(reason.to_owned()));
    }

    fn flush(&mut self, delta: &mut Delta<'_>) {
        let fields = [
            (&mut self.reasoning, &mut delta.reasoning),
            (&mut self.text, &mut delta.text),
            (&mut self.refusal, &mut delta.refusal),
        ];
        for (held, field) in fields {
            if held.take().is_some() {
                append(field, Cow::Borrowed("\u{FFFD}"));
            }
        }
        self.arguments.flush(&mut delta.tool_calls);
    }
}
