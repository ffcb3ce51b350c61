//! The payloads a stream has sent before: most of the next ones differ in one string.

use smallvec::SmallVec;

use super::message::{Arguments, Content, ToolCall, some};
use super::openai::{Payload, Place};
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

/// A payload with one piece of one field of one choice, and nothing else but a role.
#[derive(Debug)]
struct Known {
    skeleton: Skeleton,
    index: u32,
    role: Option<String>,
    field: Field,
}

/// The known payloads: of two kinds, since two choices may alternate.
#[derive(Debug, Default)]
pub struct RecentPayloads {
    payloads: [Option<Known>; 2],
    /// Which of the two matched last.
    last: usize,
}

impl RecentPayloads {
    /// If `data` starts with a payload like a known one, returns its piece and its length. Such a payload
    /// is valid JSON and differs from the known one only in the piece and in tokens that are ignored.
    #[inline]
    pub fn read<'p>(&mut self, data: &'p [u8]) -> Option<(FieldPiece<'_, 'p>, usize)> {
        for at in [self.last, 1 - self.last] {
            let found = self.payloads[at]
                .as_ref()
                .and_then(|known| known.skeleton.read(data));
            if let (Some((piece, length)), Some(known)) = (found, &self.payloads[at]) {
                self.last = at;
                let increment = FieldPiece {
                    index: known.index,
                    role: known.role.as_deref(),
                    field: known.field,
                    piece,
                };
                return Some((increment, length));
            }
        }
        None
    }

    /// Remembers the payload that `reader` has read from `text`, if it is of the simple make.
    pub fn learn(&mut self, text: &str, payload: &Payload<'_>, reader: &Reader<'_>) {
        // A payload with a line end came in several lines: in the stream, a field name follows it.
        if text.len() > MAX_SIZE || memchr::memchr(b'\n', text.as_bytes()).is_some() {
            return;
        }
        let Some((field, piece)) = only_piece(payload) else {
            return;
        };
        let Some(choice) = payload.choices.first() else {
            return;
        };
        let role = some(choice.message.role).map(|role| role.whole().into_owned());
        let skeleton = Skeleton::new(text, piece.token(), reader.skipped_scalars());
        let new = Known {
            skeleton,
            index: choice.index,
            role,
            field,
        };
        let is_like_new =
            |known: &Option<Known>| known.as_ref().is_some_and(|known| known.is_like(&new));
        let position = self.payloads.iter().position(is_like_new);
        self.last = position.unwrap_or(1 - self.last);
        match &mut self.payloads[self.last] {
            Some(known) if position.is_some() => known.skeleton.learn(new.skeleton),
            make => *make = Some(new),
        }
    }
}

impl Known {
    fn is_like(&self, other: &Self) -> bool {
        self.index == other.index
            && self.role == other.role
            && self.field == other.field
            && self.skeleton.is_like(&other.skeleton)
    }
}

/// The one piece of `payload`, and its field, if the payload has nothing else but a role.
///
/// The fields that are absent or empty here are so in every payload that compares equal, so those
/// differ in the piece alone.
fn only_piece<'p>(payload: &Payload<'p>) -> Option<(Field, Raw<'p>)> {
    let [choice] = payload.choices.as_slice() else {
        return None;
    };
    let message = &choice.message;
    let says_more = payload.usage().is_some()
        || payload.error().is_some()
        || choice.place == Place::Message
        || choice.logprobs.is_some()
        || some(choice.finish_reason).is_some()
        || some(message.refusal).is_some()
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
