//! The payloads of OpenAI's completions and chat completions, and of other servers of these formats.

use smallvec::SmallVec;

use super::message::{Content, Message, array, object, some};
use super::provider_error::is_unnamed;
use super::sink::INFO_MEMBERS;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// The shapes of payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `choices[].text`
    Completions,
    /// `choices[].delta`
    Chat,
    /// `choices[].message`: a chat completion that did not stream.
    ChatBody,
}

/// The content of a payload, as it was sent: strings unread, objects as slices.
#[derive(Debug, Default)]
pub struct Payload<'p> {
    /// The objects of `choices`, in order.
    pub choices: SmallVec<[Choice<'p>; 1]>,
    has_choices: bool,
    usage: Option<&'p str>,
    error: Option<&'p str>,
    /// The usage and the error that Groq's servers have in `x_groq`.
    groq: [Option<&'p str>; 2],
    is_error: bool,
    text: &'p str,
    has_one_choice: bool,
    wanted: &'static [&'static str],
    info: [Option<Raw<'p>>; INFO_MEMBERS.len()],
}

/// Where the content of a choice stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// In a `delta`, or the field in its place.
    #[default]
    Delta,
    /// In the `message` of a payload of a stream.
    Message,
    /// In a body that is one document.
    Body,
}

/// One element of `choices`.
#[derive(Debug, Default)]
pub struct Choice<'p> {
    /// `index`, or the element's position.
    pub index: u32,
    /// The content of the choice.
    pub message: Message<'p>,
    pub(super) place: Place,
    has_message: bool,
    /// The content that counts where `message` is absent.
    other: Option<Box<Message<'p>>>,
    /// `finish_reason`
    pub finish_reason: Option<Raw<'p>>,
    /// `logprobs`, an object.
    pub logprobs: Option<&'p str>,
    usage: Option<&'p str>,
    error: Option<&'p str>,
}

impl<'p> Payload<'p> {
    /// An unread payload that keeps the members of `wanted`, the end of [`INFO_MEMBERS`], for [`Self::info`].
    /// If it `has_one_choice`, the first one is kept alone, as choice 0 whatever its index.
    pub fn new(has_one_choice: bool, wanted: &'static [&'static str]) -> Self {
        Self {
            has_one_choice,
            wanted,
            ..Self::default()
        }
    }

    /// Reads the document of `reader`; one that is not an object is skipped.
    pub fn read(&mut self, reader: &mut Reader<'p>, shape: Shape) -> Result<()> {
        self.text = reader.text();
        object(reader, |reader, name| self.member(reader, name, shape))?;
        reader.end()
    }

    fn member(&mut self, reader: &mut Reader<'p>, name: &str, shape: Shape) -> Result<()> {
        match name {
            "choices" => self.choices(reader, shape)?,
            "usage" => self.usage = reader.object_or_skip()?,
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
            _ => match self.wanted.iter().position(|wanted| *wanted == name) {
                Some(at) => {
                    let at = INFO_MEMBERS.len() - self.wanted.len() + at;
                    self.info[at] = reader.string_or_skip()?;
                }
                None => reader.skip_noting()?,
            },
        }
        Ok(())
    }

    /// Reads `choices` in place: an element is large, and moving it costs more than reading it.
    fn choices(&mut self, reader: &mut Reader<'p>, shape: Shape) -> Result<()> {
        self.choices.clear();
        self.has_choices = reader.peek() == b'[';
        let mut position = 0;
        array(reader, |reader| {
            let is_passed_over = self.has_one_choice && !self.choices.is_empty();
            if is_passed_over || reader.peek() != b'{' {
                reader.skip()?;
            } else {
                self.choices.push(Choice {
                    index: if self.has_one_choice { 0 } else { position },
                    ..Choice::default()
                });
                if let Some(choice) = self.choices.last_mut() {
                    choice.read(reader, shape, !self.has_one_choice)?;
                }
            }
            position += 1;
            Ok(())
        })
    }

    /// The strings that describe the response, under the wanted names of [`INFO_MEMBERS`].
    pub fn info(&self) -> [Option<Raw<'p>>; INFO_MEMBERS.len()] {
        self.info.map(some)
    }

    /// The token counts: `usage`, or Groq's place for it, or a choice's.
    pub fn usage(&self) -> Option<&'p str> {
        let of_choices = || self.choices.iter().find_map(|choice| choice.usage);
        self.usage.or(self.groq[0]).or_else(of_choices)
    }

    /// The provider's error, a JSON object or string: one that is called so, or the whole payload.
    pub fn error(&self) -> Option<&'p str> {
        let is_bare = !self.has_choices && self.usage().is_none();
        let reports = |error: &&str| is_bare || !is_empty_object(error);
        self.error
            .filter(reports)
            .or(self.groq[1].filter(reports))
            .or_else(|| {
                let errors = self.choices.iter().filter_map(|choice| choice.error);
                errors.into_iter().find(|error| !is_empty_object(error))
            })
            .or_else(|| {
                let is_error = self.is_error || (is_bare && is_unnamed(self.text));
                is_error.then(|| self.text.trim_ascii())
            })
    }
}

impl<'p> Choice<'p> {
    /// Reads the choice; its index counts only if it `has_index`.
    fn read(&mut self, reader: &mut Reader<'p>, shape: Shape, has_index: bool) -> Result<()> {
        let position = self.index;
        if shape == Shape::ChatBody {
            self.place = Place::Body;
        }
        reader.members(|reader, name| {
            match (name, shape) {
                ("index", _) if has_index => {
                    self.index = reader.index_or_skip()?.unwrap_or(position);
                }
                ("finish_reason", _) => self.finish_reason = reader.string_or_skip()?,
                ("logprobs", _) => self.logprobs = reader.object_or_skip()?,
                ("usage", _) => self.usage = reader.object_or_skip()?,
                ("error", _) => self.error = error_or_skip(reader)?,
                ("text", Shape::Completions) => self.message.content = Content::text(reader)?,
                ("delta", Shape::Chat) | ("message", Shape::ChatBody) => {
                    self.has_message = self.message.read(reader, name)?;
                }
                ("message", Shape::Chat) | ("delta", Shape::ChatBody) => {
                    let mut other = Box::<Message<'_>>::default();
                    self.other = other.read(reader, name)?.then_some(other);
                }
                _ => reader.skip_noting()?,
            }
            Ok(())
        })?;
        if let (false, Some(other)) = (self.has_message, self.other.take()) {
            self.message = *other;
            if shape == Shape::Chat {
                self.place = Place::Message;
            }
        }
        Ok(())
    }
}

fn is_empty_object(text: &str) -> bool {
    let inside = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Reads a value; an object, and a string that is not empty, may be an error.
fn error_or_skip<'p>(reader: &mut Reader<'p>) -> Result<Option<&'p str>> {
    let first = reader.peek();
    let text = reader.value()?;
    Ok(match first {
        b'{' => Some(text),
        b'"' if text.len() > 2 => Some(text),
        _ => None,
    })
}
