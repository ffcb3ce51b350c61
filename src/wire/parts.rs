//! The base of the wires that begin and end the parts of an answer, one by one.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::answer::Answer;
use super::object::some;
use super::wire::{Failure, Part, Source, Wire};
use crate::delta::{Delta, ToolCallDelta};

/// The kinds of parts that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Reasoning,
    Text,
    Refusal,
}

/// A tool call whose arguments arrive.
#[derive(Debug, Default)]
pub struct Call {
    provider_id: Option<String>,
    /// The id it is written with, once it has begun.
    pub id: String,
    pub name: String,
    /// The arguments so far, if they are kept.
    pub args: String,
    /// It was written. It waits for the first arguments, since some servers send names in pieces.
    has_begun: bool,
    /// For the wire: the position of its item.
    pub position: u64,
    /// How many calls of the answer came before it.
    order: u64,
}

/// The records of a wire's parts.
pub trait PartWire: Debug + Send + Sized {
    /// The start of a tool call ends the part that is open.
    const CALLS_END_PARTS: bool = false;

    /// The end of a tool call repeats its arguments, so that they are kept.
    const KEEPS_ARGS: bool = true;
    /// The parts that the wire cannot carry.
    const LACKS: &'static [Part];

    /// Writes the records before the first delta.
    fn start(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let _ = (answer, out);
    }

    /// Writes what comes before the first part, call, result or end, if it is not written yet.
    fn start_late(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let _ = (answer, out);
    }

    /// Writes the start of a part, and sets the constant parts of its pieces in `answer.piece`.
    fn begin_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind);

    /// Writes a piece of the open part.
    fn part_piece(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind, piece: &str) {
        let _ = kind;
        answer.piece.write(out, piece);
    }

    /// Writes the end of the open part.
    fn end_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind);

    /// Writes the start of a tool call, whose id and name are known.
    fn begin_call(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &mut Call);

    /// Writes a piece of the arguments of a tool call.
    fn call_piece(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &Call, args: &str);

    /// Writes the end of a tool call; of one that may lack arguments, if the answer `has_failed`.
    fn end_call(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &Call, has_failed: bool);

    /// Writes that another message of the model begins, after the results of tools.
    fn begin_step(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        let _ = (answer, out);
    }

    /// Writes a tool's result, behind the end of the step.
    fn tool_result(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str);

    /// Writes a source that the answer cites.
    fn source(parts: &mut Parts<Self>, answer: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>);

    /// Writes a JSON value that is neither text nor a message.
    fn data(&mut self, out: &mut Vec<u8>, document: &[u8]) {
        let _ = (out, document);
    }

    /// Writes the record that replaces `dropped` records, which were not sent, and leaves the open part, which was of that `kind`.
    fn snapshot(&mut self, out: &mut Vec<u8>, kind: Option<Kind>, text: &str, dropped: u64) {
        let _ = (out, kind, text, dropped);
    }

    /// Leaves the open part of an answer that failed, of that `kind`, where its end does not come from
    /// [`Self::end_part`]; returns whether it has.
    fn leave_part(&mut self, answer: &mut Answer, kind: Option<Kind>) -> bool {
        let _ = (answer, kind);
        false
    }

    /// Writes the end of an answer that failed, behind the ends of its parts.
    fn fail(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>);

    /// Writes the end of an answer that is complete, behind the ends of its parts.
    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>);
}

/// Keeps which part is open, and the tool calls whose arguments arrive.
///
/// Text, reasoning and a refusal are parts that follow each other: one ends where the next, or a tool call, begins.
/// The arguments of several tool calls may alternate, so these end together: at a finish reason, at a tool's result,
/// and at the end of the answer.
#[derive(Debug, Default)]
pub struct Parts<W> {
    /// The records.
    pub wire: W,
    open: Option<Kind>,
    calls: BTreeMap<u32, Call>,
    calls_seen: u64,
    /// A tool has returned: what follows is another message of the model.
    is_step_over: bool,
}

impl<W: PartWire> Parts<W> {
    /// Ends the open part, if there is one.
    fn close_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        if let Some(kind) = self.forget_part(answer) {
            self.wire.end_part(answer, out, kind);
        }
    }

    /// Leaves the open part without an end, and returns its kind.
    fn forget_part(&mut self, answer: &mut Answer) -> Option<Kind> {
        answer.piece.is_text = false;
        self.open.take()
    }

    /// Begins a part, unless it is open.
    #[inline(never)]
    pub fn open_part(&mut self, answer: &mut Answer, out: &mut Vec<u8>, kind: Kind) {
        if self.open == Some(kind) {
            return;
        }
        self.wire.start_late(answer, out);
        self.close_part(answer, out);
        self.go_on(answer, out);
        self.open = Some(kind);
        self.wire.begin_part(answer, out, kind);
    }

    /// Begins another message if a tool has returned.
    fn go_on(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_step_over, false) {
            self.wire.begin_step(answer, out);
        }
    }

    /// Takes in a piece of a tool call. Arguments of a call that has not begun, or is over, are left out.
    fn add_piece(&mut self, answer: &mut Answer, out: &mut Vec<u8>, piece: &ToolCallDelta<'_>) {
        let (id, name) = (
            piece.id.as_deref().and_then(some),
            piece.name.as_deref().and_then(some),
        );
        if let (Some(call), Some(id), Some(_)) = (self.calls.get(&piece.index), id, name)
            && call.provider_id.as_deref().is_some_and(|known| known != id)
            && let Some(mut call) = self.calls.remove(&piece.index)
        {
            self.end_call(answer, out, &mut call, false);
        }
        let args = piece.args.as_deref().and_then(some);
        match self.calls.get(&piece.index) {
            Some(call) => {
                if W::CALLS_END_PARTS && !call.has_begun && args.is_some() {
                    self.close_part(answer, out);
                }
            }
            None if id.is_none() && name.is_none() => return,
            None => {
                self.close_part(answer, out);
                self.go_on(answer, out);
                self.calls_seen += 1;
            }
        }
        let call = self.calls.entry(piece.index).or_insert_with(|| Call {
            order: self.calls_seen,
            ..Call::default()
        });
        if !call.has_begun {
            if let (None, Some(id)) = (&call.provider_id, id) {
                call.provider_id = Some(id.to_owned());
            }
            call.name.push_str(name.unwrap_or_default());
        }
        if let Some(args) = args {
            begin_call(&mut self.wire, answer, out, call);
            if W::KEEPS_ARGS {
                call.args.push_str(args);
            }
            self.wire.call_piece(answer, out, call, args);
        }
    }

    fn end_call(&mut self, answer: &mut Answer, out: &mut Vec<u8>, call: &mut Call, failed: bool) {
        if failed && !call.has_begun {
            return;
        }
        if W::CALLS_END_PARTS && !call.has_begun {
            self.close_part(answer, out);
        }
        begin_call(&mut self.wire, answer, out, call);
        self.wire.end_call(answer, out, call, failed);
    }

    /// Ends the calls, in the order in which they came.
    fn end_calls(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failed: bool) {
        if self.calls.is_empty() {
            return;
        }
        let calls = std::mem::take(&mut self.calls);
        let mut calls: Vec<Call> = calls.into_values().collect();
        calls.sort_by_key(|call| call.order);
        for mut call in calls {
            self.end_call(answer, out, &mut call, failed);
        }
    }

    /// Ends all that is open.
    fn end(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failed: bool) {
        self.close_part(answer, out);
        self.end_calls(answer, out, failed);
    }
}

/// Writes the start of a call, if it is not written yet.
fn begin_call(wire: &mut impl PartWire, answer: &mut Answer, out: &mut Vec<u8>, call: &mut Call) {
    if !call.has_begun {
        call.has_begun = true;
        call.id = answer.begin_call(0, call.provider_id.as_deref());
        wire.begin_call(answer, out, call);
    }
}

impl<W: PartWire> Wire for Parts<W> {
    fn lacks(&self) -> &'static [Part] {
        W::LACKS
    }

    fn start(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        self.wire.start(answer, out);
    }

    fn text(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str) {
        if self.open != Some(Kind::Text) {
            self.open_part(answer, out, Kind::Text);
        }
        self.wire.part_piece(answer, out, Kind::Text, text);
    }

    fn delta(&mut self, answer: &mut Answer, out: &mut Vec<u8>, delta: &Delta<'_>) {
        let pieces = [
            (Kind::Reasoning, &delta.reasoning),
            (Kind::Text, &delta.text),
            (Kind::Refusal, &delta.refusal),
        ];
        for (kind, piece) in pieces {
            if let Some(piece) = piece {
                self.open_part(answer, out, kind);
                self.wire.part_piece(answer, out, kind, piece);
            }
        }
        for piece in &delta.tool_calls {
            self.add_piece(answer, out, piece);
        }
        if delta.finish_reason.is_some() {
            self.end_calls(answer, out, false);
        }
    }

    fn tool_result(&mut self, answer: &mut Answer, out: &mut Vec<u8>, id: &str, text: &str) {
        self.wire.start_late(answer, out);
        self.end(answer, out, false);
        self.is_step_over = true;
        self.wire.tool_result(answer, out, id, text);
    }

    fn source(&mut self, answer: &mut Answer, out: &mut Vec<u8>, source: &Source<'_>) {
        W::source(self, answer, out, source);
    }

    fn data(&mut self, _: &mut Answer, out: &mut Vec<u8>, document: &[u8]) {
        self.wire.data(out, document);
    }

    fn snapshot(&mut self, answer: &mut Answer, out: &mut Vec<u8>, text: &str, dropped: u64) {
        let kind = self.forget_part(answer);
        self.wire.snapshot(out, kind, text, dropped);
    }

    fn fail(&mut self, answer: &mut Answer, out: &mut Vec<u8>, failure: &Failure<'_>) {
        self.wire.start_late(answer, out);
        if self.wire.leave_part(answer, self.open) {
            self.forget_part(answer);
        }
        self.end(answer, out, true);
        self.wire.fail(answer, out, failure);
    }

    fn close(&mut self, answer: &mut Answer, out: &mut Vec<u8>) {
        self.wire.start_late(answer, out);
        self.end(answer, out, false);
        self.wire.close(answer, out);
    }
}
