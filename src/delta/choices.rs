//! What a stream remembers of its choices: held surrogates, finish reasons, tool calls.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::known::Increment;
use super::openai::{Choice, Content, Message, Part, ToolCall, some};
use super::{Delta, Sink, Text, ToolCallDelta};
use crate::json::Raw;
use crate::text::Held;

/// The text of choice 0 so far, and the count of deltas: what every delta passes on its way out.
#[derive(Debug, Default)]
pub struct Outlet {
    /// Choice 0's text so far.
    pub text: String,
    /// How many deltas came out.
    pub deltas_seen: u64,
}

impl Outlet {
    /// Hands `delta` out, if there is anything in it.
    pub fn hand_out(&mut self, delta: &Delta<'_>, sink: &mut impl Sink) {
        if delta.is_empty() {
            return;
        }
        self.deltas_seen += 1;
        if let (0, Some(text)) = (delta.index, &delta.text) {
            self.text.push_str(text);
        }
        sink.delta(delta);
    }

    /// Hands out a delta that has `text`, which is not empty, and nothing else.
    fn hand_out_text(&mut self, index: u32, text: &str, sink: &mut impl Sink) {
        self.deltas_seen += 1;
        if index == 0 {
            self.text.push_str(text);
        }
        sink.text(index, text);
    }
}

/// The choices of a stream.
#[derive(Debug, Default)]
pub struct Choices {
    /// Choice 0, where nearly everything happens.
    first: State,
    others: BTreeMap<u32, State>,
    /// Halves of surrogate pairs are held for the next piece of their field.
    joins: bool,
}

/// One choice.
#[derive(Debug, Default)]
struct State {
    has_begun: bool,
    finish_reason: Option<String>,
    text: Held,
    reasoning: Held,
    refusal: Held,
    tools: Option<Box<Tools>>,
}

/// The tool calls of a choice.
#[derive(Debug, Default)]
struct Tools {
    /// The half that each call's arguments may wait with.
    held: BTreeMap<u32, Held>,
    by_id: HashMap<String, u32>,
    last: u32,
}

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

    /// Hands out what a payload says of one choice: one delta, or one per run of its parts.
    pub fn take(&mut self, choice: &Choice<'_>, outlet: &mut Outlet, sink: &mut impl Sink) {
        let joins = self.joins;
        let state = self.state(choice.index);
        state.has_begun = true;
        let message = &choice.message;
        let mut delta = Delta {
            index: choice.index,
            role: some(message.role).map(Raw::whole),
            reasoning: piece(&mut state.reasoning, message.reasoning(), joins),
            refusal: piece(&mut state.refusal, message.refusal, joins),
            ..Delta::default()
        };
        match &message.content {
            Content::None => {}
            Content::Text(raw) => delta.text = piece(&mut state.text, Some(*raw), joins),
            Content::Parts(parts) => {
                delta = state.parts(parts, delta, joins, |delta| outlet.hand_out(delta, sink));
            }
        }
        delta.logprobs = choice.logprobs;
        state.tool_calls(message, &mut delta, joins);
        if let Some(reason) = some(choice.finish_reason) {
            state.finish(&reason.whole(), &mut delta);
        }
        outlet.hand_out(&delta, sink);
    }

    /// Hands out what a payload like a known one brings: what [`Self::take`] would of the whole.
    pub fn take_increment(
        &mut self,
        increment: &Increment<'_, '_>,
        outlet: &mut Outlet,
        sink: &mut impl Sink,
    ) {
        let joins = self.joins;
        let state = self.state(increment.index);
        state.has_begun = true;
        let held = if increment.is_reasoning {
            &mut state.reasoning
        } else {
            &mut state.text
        };
        let piece = piece(held, Some(increment.piece), joins);
        if let (Some(text), None, false) = (&piece, increment.role, increment.is_reasoning) {
            return outlet.hand_out_text(increment.index, text, sink);
        }
        let role = increment.role.map(Cow::Borrowed);
        let mut delta = Delta {
            index: increment.index,
            role,
            ..Delta::default()
        };
        *(if increment.is_reasoning {
            &mut delta.reasoning
        } else {
            &mut delta.text
        }) = piece;
        outlet.hand_out(&delta, sink);
    }

    fn state(&mut self, index: u32) -> &mut State {
        match index {
            0 => &mut self.first,
            index => self.others.entry(index).or_default(),
        }
    }

    /// Hands out U+FFFD for every half that still waits, a delta for each choice that has one.
    pub fn flush(&mut self, outlet: &mut Outlet, sink: &mut impl Sink) {
        let others = self.others.iter_mut().map(|(index, state)| (*index, state));
        for (index, state) in std::iter::once((0, &mut self.first)).chain(others) {
            let mut delta = Delta {
                index,
                ..Delta::default()
            };
            state.flush(&mut delta);
            outlet.hand_out(&delta, sink);
        }
    }
}

impl State {
    /// Reads typed parts into `delta`; where the kind changes, what there is is handed out first.
    fn parts<'p>(
        &mut self,
        parts: &[Part<'p>],
        mut delta: Delta<'p>,
        joins: bool,
        mut hand_out: impl FnMut(&Delta<'_>),
    ) -> Delta<'p> {
        let mut run = None;
        for part in parts.iter().filter(|part| !part.text.is_empty()) {
            if run.is_some_and(|is_thinking| is_thinking != part.is_thinking) {
                hand_out(&delta);
                delta = Delta {
                    index: delta.index,
                    ..Delta::default()
                };
            }
            run = Some(part.is_thinking);
            let (held, field) = if part.is_thinking {
                (&mut self.reasoning, &mut delta.reasoning)
            } else {
                (&mut self.text, &mut delta.text)
            };
            if let Some(text) = piece(held, Some(part.text), joins) {
                append(field, text);
            }
        }
        delta
    }

    fn tool_calls<'p>(&mut self, message: &Message<'p>, delta: &mut Delta<'p>, joins: bool) {
        if message.tool_calls.is_empty() && message.function_call.is_none() {
            return;
        }
        let tools = self.tools.get_or_insert_default();
        for call in &message.tool_calls {
            delta.tool_calls.extend(tools.take(call, joins));
        }
        if let Some(function) = message.function_call {
            let call = ToolCall {
                index: Some(0),
                id: None,
                function,
            };
            delta.tool_calls.extend(tools.take(&call, joins));
        }
    }

    /// The choice ends: what waits comes out with the reason. The same reason again says nothing.
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
        if let Some(tools) = &mut self.tools {
            tools.flush(&mut delta.tool_calls);
        }
    }
}

impl Tools {
    /// Reads one element of `tool_calls`; `None` if there is nothing in it.
    fn take<'p>(&mut self, call: &ToolCall<'p>, joins: bool) -> Option<ToolCallDelta<'p>> {
        let id = some(call.id).map(Raw::whole);
        let index = call.index.unwrap_or_else(|| self.index(id.as_deref()));
        let held = self.held.entry(index).or_default();
        self.last = index;
        if let Some(id) = &id {
            self.by_id.insert(id.clone().into_owned(), index);
        }
        let name = some(call.function.name).map(Raw::whole);
        let args = call
            .function
            .arguments
            .map(|raw| whole_piece(held, raw, joins));
        let is_empty = id.is_none() && name.is_none() && args.is_none();
        (!is_empty).then_some(ToolCallDelta {
            index,
            id,
            name,
            args,
        })
    }

    /// The index of a call that was sent without one: calls are told apart by new IDs.
    fn index(&self, id: Option<&str>) -> u32 {
        match id {
            None => self.last,
            Some(id) => self.by_id.get(id).copied().unwrap_or_else(|| {
                self.held
                    .last_key_value()
                    .map_or(0, |(highest, _)| highest.saturating_add(1))
            }),
        }
    }

    /// Adds U+FFFD for every half that waits to the last piece of its call, or as a piece.
    fn flush(&mut self, calls: &mut Vec<ToolCallDelta<'_>>) {
        let last = calls.iter().enumerate().map(|(at, call)| (call.index, at));
        let last: HashMap<u32, usize> = last.collect();
        for (index, held) in &mut self.held {
            if held.take().is_none() {
                continue;
            }
            let half = Cow::Borrowed("\u{FFFD}");
            match last.get(index).and_then(|at| calls.get_mut(*at)) {
                Some(call) => append(&mut call.args, half),
                None => calls.push(ToolCallDelta {
                    index: *index,
                    args: Some(half),
                    ..ToolCallDelta::default()
                }),
            }
        }
    }
}

/// The next piece of a field; `None` where nothing can be handed out yet.
fn piece<'p>(held: &mut Held, raw: Option<Raw<'p>>, joins: bool) -> Option<Text<'p>> {
    let text = whole_piece(held, some(raw)?, joins);
    (!text.is_empty()).then_some(text)
}

fn whole_piece<'p>(held: &mut Held, raw: Raw<'p>, joins: bool) -> Text<'p> {
    if joins { raw.joined(held) } else { raw.whole() }
}

fn append<'p>(field: &mut Option<Text<'p>>, text: Text<'p>) {
    match field {
        None => *field = Some(text),
        Some(before) => before.to_mut().push_str(&text),
    }
}
