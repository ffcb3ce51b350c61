//! The payloads a stream has sent before: most of the next ones differ in one string.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::message::{Arguments, Content, ToolCall, some};
use super::payload::{Beside, Payload, Place};
use crate::json::{Raw, Reader, Skeleton};

/// A payload longer than this is not remembered, in bytes: what a stream keeps stays bounded, and
/// a long payload spends its time elsewhere.
const MAX_SIZE: usize = 4096;

/// The content of a payload like a known one: one piece of one field of one choice.
#[derive(Debug)]
pub struct FieldPiece<'a, 'p> {
    /// Which of the choices.
    pub index: u32,
    /// Who speaks.
    pub role: Option<&'a str>,
    /// The field.
    pub field: Field,
    /// The piece.
    pub piece: Raw<'p>,
}

/// The field that a piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The text of the answer.
    Text,
    /// The reasoning before it.
    Reasoning,
    /// The arguments of the newest tool call that began under this index.
    Arguments(u32),
}

/// A payload to remember, as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// The bytes before it in the stream.
    pub head: &'s [u8],
    /// The name of its event.
    pub event: &'s [u8],
    /// The payload.
    pub text: &'s str,
    /// Line ends in it stand so in the stream.
    pub may_have_lines: bool,
}

/// A payload with one piece of one field of one choice, and nothing else but a role and token counts.
#[derive(Debug)]
pub struct Known {
    skeleton: Skeleton,
    event: Vec<u8>,
    index: u32,
    role: Option<String>,
    field: Field,
    is_plain: bool,
    /// Where in the payload the token counts start and end.
    usage: Option<(usize, usize)>,
}

/// The known payloads: of two kinds, since two choices may alternate.
#[derive(Debug, Default)]
pub struct RecentPayloads {
    payloads: [Option<Known>; 2],
    /// Which of the two matched last.
    last: usize,
}

impl RecentPayloads {
    /// If `data` starts with the head of a known payload and a payload like it, returns the known one, the piece, and
    /// where the payload ends. Such a payload is valid JSON and differs from the known one only in the piece and in
    /// tokens that are ignored.
    #[inline]
    pub fn read_with_head<'p>(&mut self, data: &'p [u8]) -> Option<(&Known, Raw<'p>, usize)> {
        for at in [self.last, 1 - self.last] {
            let found = self.payloads[at]
                .as_ref()
                .and_then(|known| known.skeleton.read_with_head(data));
            if let Some((piece, end)) = found {
                self.last = at;
                return Some((self.payloads[at].as_ref()?, piece, end));
            }
        }
        None
    }

    /// If `data` starts with a payload like a known one of this `event`, returns the known one, the piece, and the
    /// length.
    #[inline]
    pub fn read<'p>(&mut self, event: &[u8], data: &'p [u8]) -> Option<(&Known, Raw<'p>, usize)> {
        for at in [self.last, 1 - self.last] {
            let found = self.payloads[at]
                .as_ref()
                .filter(|known| known.has_event(event))
                .and_then(|known| known.skeleton.read(data));
            if let Some((piece, length)) = found {
                self.last = at;
                return Some((self.payloads[at].as_ref()?, piece, length));
            }
        }
        None
    }

    /// Has the payload that matched last begin with `head` from now on.
    pub fn set_head(&mut self, head: &[u8]) {
        if let Some(known) = &mut self.payloads[self.last]
            && known.skeleton.head() != head
        {
            known.skeleton.set_head(head);
        }
    }

    /// Remembers the payload that `reader` has read from `sample`, if it is of the simple make.
    pub fn learn(
        &mut self,
        sample: &Sample<'_>,
        payload: &Payload<'_>,
        reader: &Reader<'_>,
        is_plain: bool,
    ) {
        // A payload with a line end came in several lines: in the stream, a field name follows it.
        let has_lines = || memchr::memchr(b'\n', sample.text.as_bytes()).is_some();
        let is_long = sample.text.len() > MAX_SIZE;
        if !payload.teaches || is_long || (!sample.may_have_lines && has_lines()) {
            return;
        }
        let Some((field, piece)) = only_piece(payload) else {
            return;
        };
        let Some(choice) = payload.choices.first() else {
            return;
        };
        let role = some(choice.message.role).map(|role| role.whole().into_owned());
        let mut skeleton = Skeleton::new(sample.text, piece.token(), reader.skipped_scalars());
        skeleton.set_head(sample.head);
        let new = Known {
            skeleton,
            event: sample.event.to_vec(),
            index: choice.index,
            role,
            field,
            is_plain,
            usage: payload
                .usage
                .as_deref()
                .and_then(|usage| place_of(usage, sample.text)),
        };
        let is_like_new =
            |known: &Option<Known>| known.as_ref().is_some_and(|known| known.is_like(&new));
        let position = self.payloads.iter().position(is_like_new);
        self.last = position.unwrap_or(1 - self.last);
        match &mut self.payloads[self.last] {
            Some(known) if position.is_some() => {
                known.usage = new.usage;
                known.skeleton.learn(new.skeleton);
            }
            make => *make = Some(new),
        }
    }
}

impl Known {
    /// The length of what stands before the payload in the stream.
    #[inline]
    pub fn head_length(&self) -> usize {
        self.skeleton.head().len()
    }

    /// The piece says all that the payload says.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The content of a payload that is like the known one, with this piece.
    #[inline]
    pub fn content<'p>(&self, piece: Raw<'p>) -> FieldPiece<'_, 'p> {
        FieldPiece {
            index: self.index,
            role: self.role.as_deref(),
            field: self.field,
            piece,
        }
    }

    /// Whether there are token counts beside the piece.
    #[inline]
    pub fn has_usage(&self) -> bool {
        self.usage.is_some()
    }

    /// The token counts in `payload`, which is like the known one.
    #[inline(never)]
    pub fn usage<'p>(&self, payload: &'p [u8]) -> Option<&'p str> {
        let (start, end) = self.usage?;
        let start = self.skeleton.locate(payload, start)?;
        let end = self.skeleton.locate(payload, end)?;
        std::str::from_utf8(payload.get(start..end)?).ok()
    }

    /// Whether payloads like it come with this event. Most have none: comparing two empty slices is a call, and a
    /// slow one where they are nowhere.
    #[inline]
    fn has_event(&self, event: &[u8]) -> bool {
        self.event.len() == event.len() && (event.is_empty() || self.event == event)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.index == other.index
            && self.event == other.event
            && self.role == other.role
            && self.field == other.field
            && self.is_plain == other.is_plain
            && self.usage.is_some() == other.usage.is_some()
            && self.skeleton.is_like(&other.skeleton)
    }
}

/// Where `part` starts and ends in `text`, if it is a part of it.
fn place_of(part: &str, text: &str) -> Option<(usize, usize)> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start + part.len();
    (end <= text.len()).then_some((start, end))
}

/// The one piece of `payload`, and its field, if the payload has nothing else but a role and token counts as
/// they were sent.
///
/// The fields that are absent or empty here are so in every payload that compares equal, so those
/// differ in the piece alone.
fn only_piece<'p>(payload: &Payload<'p>) -> Option<(Field, Raw<'p>)> {
    let [choice] = payload.choices.as_slice() else {
        return None;
    };
    let message = &choice.message;
    let finish = choice.finish_reason.as_deref();
    let says_more = matches!(payload.usage, Some(Cow::Owned(_)))
        || payload.error.is_some()
        || payload.ends
        || payload.beside == Beside::Block
        || choice.place == Place::Message
        || choice.logprobs.is_some()
        || finish.is_some_and(|reason| !reason.is_empty())
        || !message.refusal.is_empty()
        || message.function_call.is_some()
        || message.audio.is_some();
    if says_more {
        return None;
    }
    let pieces = [
        (Field::Text, &message.content),
        (Field::Reasoning, &message.reasoning_content),
        (Field::Reasoning, &message.reasoning),
    ];
    let mut texts = SmallVec::<[(Field, Raw<'p>); 3]>::new();
    for (field, content) in pieces {
        match content {
            Content::None => {}
            Content::Text(text) => texts.push((field, *text)),
            Content::Parts(_) => return None,
        }
    }
    let mut said = texts.iter().filter(|(_, text)| !text.is_empty());
    match (said.next(), said.next(), message.tool_calls.as_slice()) {
        (None, _, [call]) => only_arguments(call),
        (None, _, []) => texts.into_iter().find(|(field, _)| *field == Field::Text),
        (only, None, []) => only.copied(),
        _ => None,
    }
}

/// The piece of arguments of `call`, if it has nothing else but the index of its call.
fn only_arguments<'p>(call: &ToolCall<'p>) -> Option<(Field, Raw<'p>)> {
    if some(call.id).is_some() || some(call.function.name).is_some() {
        return None;
    }
    match (call.index, call.function.arguments) {
        (Some(index), Some(Arguments::Text(piece))) => Some((Field::Arguments(index), piece)),
        _ => None,
    }
}
