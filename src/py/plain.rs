//! The output that a call gathers under the core's lock, where no Python object may be made: text that stands in
//! the data of the call or was copied from the core, and deltas and events whose fields are places in it.

use smallvec::SmallVec;

use crate::delta::{Delta, ToolCallDelta};

/// A place in a [`Scratch`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Whether nothing stands there.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// The text that a call hands out. Most of it stands in the call's data, as the server sent it; the rest
/// is copied, to the stack as long as it is little.
pub struct Scratch<'a> {
    data: &'a [u8],
    /// The text that was copied; its places follow those of the data.
    copied: SmallVec<[u8; 512]>,
}

impl<'a> Scratch<'a> {
    /// The room of a call with this data.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            copied: SmallVec::new(),
        }
    }

    /// Puts text in; returns where it stands.
    #[inline]
    pub fn push(&mut self, text: &str) -> Span {
        self.push_bytes(text.as_bytes())
    }

    /// Puts bytes in; returns where they stand.
    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Span {
        let at = bytes
            .as_ptr()
            .addr()
            .wrapping_sub(self.data.as_ptr().addr());
        let start = if at < self.data.len() && bytes.len() <= self.data.len() - at {
            at
        } else {
            self.copy(bytes)
        };
        Span {
            start,
            end: start + bytes.len(),
        }
    }

    /// Puts text in behind what stands at a place; returns where both stand.
    pub fn join(&mut self, first: Span, text: &str) -> Span {
        let mut joined = self.bytes(first).to_vec();
        joined.extend_from_slice(text.as_bytes());
        let start = self.copy(&joined);
        Span {
            start,
            end: start + joined.len(),
        }
    }

    /// Copies bytes; returns where they start.
    #[inline(never)]
    fn copy(&mut self, bytes: &[u8]) -> usize {
        let start = self.data.len() + self.copied.len();
        self.copied.extend_from_slice(bytes);
        start
    }

    /// The bytes at a place.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        let size = self.data.len();
        let found = if span.start < size {
            self.data.get(span.start..span.end)
        } else {
            self.copied.get(span.start - size..span.end - size)
        };
        found.unwrap_or_default()
    }

    /// The bytes at a place, if there is one.
    #[inline]
    pub fn field(&self, span: Option<Span>) -> Option<&[u8]> {
        span.map(|span| self.bytes(span))
    }

    fn push_field(&mut self, field: Option<&str>) -> Option<Span> {
        field.map(|text| self.push(text))
    }
}

/// Deltas whose fields stand in a [`Scratch`].
pub struct PlainDeltas<'a> {
    /// The text of the fields.
    pub scratch: Scratch<'a>,
    deltas: SmallVec<[PlainDelta; 1]>,
    calls: SmallVec<[PlainCall; 1]>,
}

/// A delta whose fields stand in a [`Scratch`].
pub struct PlainDelta {
    pub index: u32,
    pub role: Option<Span>,
    pub text: Option<Span>,
    pub reasoning: Option<Span>,
    pub refusal: Option<Span>,
    pub finish_reason: Option<Span>,
    pub usage: Option<Span>,
    pub error: Option<Span>,
    pub logprobs: Option<Span>,
    pub audio: Option<Span>,
    /// Where its tool calls begin and end among those of all deltas.
    calls: (usize, usize),
}

/// A tool call's delta whose fields stand in a [`Scratch`].
pub struct PlainCall {
    pub index: u32,
    pub id: Option<Span>,
    pub name: Option<Span>,
    pub args: Option<Span>,
}

impl<'a> PlainDeltas<'a> {
    /// No deltas yet, of a call with this data.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            scratch: Scratch::new(data),
            deltas: SmallVec::new(),
            calls: SmallVec::new(),
        }
    }

    /// Puts a delta in; returns its number.
    pub fn push(&mut self, delta: &Delta<'_>) -> usize {
        let begin = self.calls.len();
        for call in &delta.tool_calls {
            let call = PlainCall::new(call, &mut self.scratch);
            self.calls.push(call);
        }
        let scratch = &mut self.scratch;
        self.deltas.push(PlainDelta {
            index: delta.index,
            role: scratch.push_field(delta.role.as_deref()),
            text: scratch.push_field(delta.text.as_deref()),
            reasoning: scratch.push_field(delta.reasoning.as_deref()),
            refusal: scratch.push_field(delta.refusal.as_deref()),
            finish_reason: scratch.push_field(delta.finish_reason.as_deref()),
            usage: scratch.push_field(delta.usage),
            error: scratch.push_field(delta.error),
            logprobs: scratch.push_field(delta.logprobs),
            audio: scratch.push_field(delta.audio),
            calls: (begin, self.calls.len()),
        });
        self.deltas.len() - 1
    }

    /// The delta of that number.
    pub fn get(&self, number: usize) -> Option<&PlainDelta> {
        self.deltas.get(number)
    }

    /// The tool calls of a delta.
    pub fn calls(&self, delta: &PlainDelta) -> &[PlainCall] {
        let (begin, end) = delta.calls;
        self.calls.get(begin..end).unwrap_or_default()
    }
}

impl PlainCall {
    fn new(call: &ToolCallDelta<'_>, scratch: &mut Scratch<'_>) -> Self {
        Self {
            index: call.index,
            id: scratch.push_field(call.id.as_deref()),
            name: scratch.push_field(call.name.as_deref()),
            args: scratch.push_field(call.args.as_deref()),
        }
    }
}
