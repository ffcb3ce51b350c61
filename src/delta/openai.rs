//! The payloads of OpenAI's completions and chat completions, and of other servers of these formats.

use super::family::{Family, Source};
use super::message::{Content, Message, array, object};
use super::payload::{Choice, Payload, Place};
use super::provider_error::{error_or_skip, is_empty_object, is_unnamed};
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// Completions: the content of a choice is its `text`.
#[derive(Debug, Default)]
pub struct OpenAiCompletions;

/// Chat completions: the content of a choice is its `delta`, and in a body that is one document its `message`.
#[derive(Debug, Default)]
pub struct OpenAiChat;

/// The shapes of payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `choices[].text`
    Completions,
    /// `choices[].delta`
    Chat,
    /// `choices[].message`: a chat completion that did not stream.
    ChatBody,
}

/// The members of a payload that are not its choices.
#[derive(Debug, Default)]
struct Members<'p> {
    has_choices: bool,
    usage: Option<&'p str>,
    error: Option<&'p str>,
    /// The usage and the error that Groq's servers have in `x_groq`.
    groq: [Option<&'p str>; 2],
    is_error: bool,
    /// The first usage of a choice, and the first error.
    of_choices: [Option<&'p str>; 2],
}

impl Family for OpenAiCompletions {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        read(reader, Shape::Completions, payload)
    }
}

impl Family for OpenAiChat {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let shape = if source.is_body {
            Shape::ChatBody
        } else {
            Shape::Chat
        };
        read(reader, shape, payload)
    }
}

fn read<'p>(reader: &mut Reader<'p>, shape: Shape, payload: &mut Payload<'p>) -> Result<()> {
    let mut members = Members::default();
    object(reader, |reader, name| {
        members.member(reader, name, payload, shape)
    })?;
    payload.usage = members.usage().map(Into::into);
    payload.error = members.error(reader.text()).map(Into::into);
    Ok(())
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
        shape: Shape,
    ) -> Result<()> {
        match name {
            "choices" => self.choices(reader, payload, shape)?,
            "usage" => self.usage = reader.object_noting()?,
            "x_groq" => {
                let mut groq = [None; 2];
                object(reader, |reader, name| match name {
                    "usage" => reader.object_or_skip().map(|object| groq[0] = object),
                    "error" => error_or_skip(reader).map(|error| groq[1] = error),
                    _ => reader.skip(),
                })?;
                self.groq = groq;
            }
            "error" => self.error = error_or_skip(reader)?,
            "object" => {
                self.is_error = reader
                    .string_or_skip()?
                    .is_some_and(|raw| raw.whole() == "error");
            }
            _ => payload.info_member(reader, name)?,
        }
        Ok(())
    }

    /// Reads `choices` in place: an element is large, and moving it costs more than reading it.
    fn choices(
        &mut self,
        reader: &mut Reader<'p>,
        payload: &mut Payload<'p>,
        shape: Shape,
    ) -> Result<()> {
        payload.choices.clear();
        self.of_choices = [None; 2];
        self.has_choices = reader.peek() == b'[';
        let has_one_choice = payload.has_one_choice();
        let mut position = 0;
        array(reader, |reader| {
            let is_passed_over = has_one_choice && !payload.choices.is_empty();
            if is_passed_over || reader.peek() != b'{' {
                reader.skip()?;
            } else {
                payload.choices.push(Choice {
                    index: if has_one_choice { 0 } else { position },
                    ..Choice::default()
                });
                if let Some(choice) = payload.choices.last_mut() {
                    self.choice(reader, choice, shape, !has_one_choice)?;
                }
            }
            position += 1;
            Ok(())
        })
    }

    /// Reads a choice; its index counts only if it `has_index`.
    fn choice(
        &mut self,
        reader: &mut Reader<'p>,
        choice: &mut Choice<'p>,
        shape: Shape,
        has_index: bool,
    ) -> Result<()> {
        let position = choice.index;
        if shape == Shape::ChatBody {
            choice.place = Place::Body;
        }
        let mut has_message = false;
        // The content that counts where `message` is absent.
        let mut other: Option<Box<Message<'_>>> = None;
        let (mut usage, mut error) = (None, None);
        reader.members(|reader, name| {
            match (name, shape) {
                ("index", _) if has_index => {
                    choice.index = reader.index_or_skip()?.unwrap_or(position);
                }
                ("finish_reason", _) => {
                    choice.finish_reason = reader.string_or_skip()?.map(Raw::whole);
                }
                ("logprobs", _) => choice.logprobs = reader.object_or_skip()?,
                ("usage", _) => usage = reader.object_or_skip()?,
                ("error", _) => error = error_or_skip(reader)?,
                ("text", Shape::Completions) => choice.message.content = Content::text(reader)?,
                ("delta", Shape::Chat) | ("message", Shape::ChatBody) => {
                    has_message = choice.message.read(reader, name)?;
                }
                ("message", Shape::Chat) | ("delta", Shape::ChatBody) => {
                    let mut message = Box::<Message<'_>>::default();
                    other = message.read(reader, name)?.then_some(message);
                }
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        let error = error.filter(|error| !is_empty_object(error));
        self.of_choices = [self.of_choices[0].or(usage), self.of_choices[1].or(error)];
        if let (false, Some(other)) = (has_message, other) {
            choice.message = *other;
            if shape == Shape::Chat {
                choice.place = Place::Message;
            }
        }
        Ok(())
    }

    /// The token counts: `usage`, or Groq's place for it, or a choice's.
    fn usage(&self) -> Option<&'p str> {
        self.usage.or(self.groq[0]).or(self.of_choices[0])
    }

    /// The provider's error, a JSON object or string: one that is called so, or the whole payload, `text`.
    fn error(&self, text: &'p str) -> Option<&'p str> {
        let is_bare = !self.has_choices && self.usage().is_none();
        let reports = |error: &&str| is_bare || !is_empty_object(error);
        self.error
            .filter(reports)
            .or(self.groq[1].filter(reports))
            .or(self.of_choices[1])
            .or_else(|| {
                let is_error = self.is_error || (is_bare && is_unnamed(text));
                is_error.then(|| text.trim_ascii())
            })
    }
}
