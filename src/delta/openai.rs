//! The payloads of OpenAI's completions and chat completions, and of everybody who speaks them.

use smallvec::SmallVec;

use super::provider_error::is_unnamed;
use crate::json::{Invalid, Raw, Reader};

type Result<T> = std::result::Result<T, Invalid>;

/// What to read a payload as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `choices[].text`
    Completions,
    /// `choices[].delta`
    Chat,
    /// `choices[].message`: a chat completion that did not stream.
    ChatBody,
}

/// What a payload says, as it was sent: strings unread, objects as slices.
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
    told: [Option<Raw<'p>>; TOLD.len()],
}

/// The members that describe the response. The first is kept once, the others whenever they change.
pub const TOLD: [&str; 4] = ["id", "model", "system_fingerprint", "service_tier"];

/// One element of `choices`.
#[derive(Debug, Default)]
pub struct Choice<'p> {
    /// `index`, or the element's position.
    pub index: u32,
    /// What the choice says.
    pub message: Message<'p>,
    /// `finish_reason`
    pub finish_reason: Option<Raw<'p>>,
    /// `logprobs`, an object.
    pub logprobs: Option<&'p str>,
    usage: Option<&'p str>,
    error: Option<&'p str>,
}

/// `delta`, or `message`, or what stands for it.
#[derive(Debug, Default)]
pub struct Message<'p> {
    /// `role`
    pub role: Option<Raw<'p>>,
    /// `content`, or the `text` of a completion.
    pub content: Content<'p>,
    pub(super) reasoning_content: Option<Raw<'p>>,
    pub(super) reasoning: Option<Raw<'p>>,
    /// `refusal`
    pub refusal: Option<Raw<'p>>,
    /// `tool_calls`
    pub tool_calls: Vec<ToolCall<'p>>,
    /// `function_call`, the older way to call a tool.
    pub function_call: Option<Function<'p>>,
}

/// `content`: text, or a list of typed parts.
#[derive(Debug, Default)]
pub enum Content<'p> {
    /// Absent.
    #[default]
    None,
    /// A string.
    Text(Raw<'p>),
    /// Parts, in order.
    Parts(Vec<Part<'p>>),
}

/// A typed part of `content`; a thinking part may be a list of texts, here one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// Of `type` `thinking`, not `text`.
    pub is_thinking: bool,
    /// The part's text.
    pub text: Raw<'p>,
}

/// One element of `tool_calls`.
#[derive(Debug, Default)]
pub struct ToolCall<'p> {
    /// `index`
    pub index: Option<u32>,
    /// `id`
    pub id: Option<Raw<'p>>,
    /// `function`
    pub function: Function<'p>,
}

/// A function's name and arguments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Function<'p> {
    /// `name`
    pub name: Option<Raw<'p>>,
    /// `arguments`, JSON text in a string.
    pub arguments: Option<Raw<'p>>,
}

impl<'p> Payload<'p> {
    /// An unread payload that keeps the members of `wanted`, the end of [`TOLD`], for [`Self::told`].
    /// If it `has_one_choice`, the first one is kept alone, as choice 0 whatever its index.
    pub fn new(has_one_choice: bool, wanted: &'static [&'static str]) -> Self {
        Self {
            has_one_choice,
            wanted,
            ..Self::default()
        }
    }

    /// Reads the document of `reader`; one that is no object says nothing.
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
                    let at = TOLD.len() - self.wanted.len() + at;
                    self.told[at] = reader.string_or_skip()?;
                }
                None => reader.pass()?,
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

    /// The strings that describe the response, under the wanted names of [`TOLD`].
    pub fn told(&self) -> [Option<Raw<'p>>; TOLD.len()] {
        self.told.map(some)
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
        reader.members(|reader, name| {
            match (name, shape) {
                ("index", _) if has_index => {
                    self.index = reader.index_or_skip()?.unwrap_or(position);
                }
                ("finish_reason", _) => self.finish_reason = reader.string_or_skip()?,
                ("logprobs", _) => self.logprobs = reader.object_or_skip()?,
                ("usage", _) => self.usage = reader.object_or_skip()?,
                ("error", _) => self.error = error_or_skip(reader)?,
                ("text", Shape::Completions) => self.message.content = text(reader)?,
                ("delta", Shape::Chat) | ("message", Shape::ChatBody) => {
                    self.message = Message::default();
                    object(reader, |reader, name| self.message.member(reader, name))?;
                }
                _ => reader.pass()?,
            }
            Ok(())
        })
    }
}

impl<'p> Message<'p> {
    /// The reasoning: `reasoning_content`, or else `reasoning`.
    pub fn reasoning(&self) -> Option<Raw<'p>> {
        some(self.reasoning_content).or(some(self.reasoning))
    }

    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "role" => self.role = reader.string_or_skip()?,
            "content" => self.content = content(reader)?,
            "reasoning_content" => self.reasoning_content = reader.string_or_skip()?,
            "reasoning" => self.reasoning = reader.string_or_skip()?,
            "refusal" => self.refusal = reader.string_or_skip()?,
            "tool_calls" => self.tool_calls = tool_calls(reader)?,
            "function_call" => {
                let is_object = reader.peek() == b'{';
                let call = function(reader)?;
                self.function_call = is_object.then_some(call);
            }
            _ => reader.pass()?,
        }
        Ok(())
    }
}

/// A string that is there and not empty.
pub fn some(raw: Option<Raw<'_>>) -> Option<Raw<'_>> {
    raw.filter(|raw| !raw.is_empty())
}

/// Reads a value; if it is an object, member by member.
fn object<'p>(
    reader: &mut Reader<'p>,
    member: impl FnMut(&mut Reader<'p>, &str) -> Result<()>,
) -> Result<()> {
    if reader.peek() == b'{' {
        reader.members(member)
    } else {
        reader.skip()
    }
}

/// Reads a value; if it is an array, element by element.
fn array<'p>(
    reader: &mut Reader<'p>,
    element: impl FnMut(&mut Reader<'p>) -> Result<()>,
) -> Result<()> {
    if reader.peek() == b'[' {
        reader.elements(element)
    } else {
        reader.skip()
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

fn text<'p>(reader: &mut Reader<'p>) -> Result<Content<'p>> {
    Ok(reader
        .string_or_skip()?
        .map_or(Content::None, Content::Text))
}

fn content<'p>(reader: &mut Reader<'p>) -> Result<Content<'p>> {
    if reader.peek() != b'[' {
        return Ok(reader
            .string_or_skip()?
            .map_or(Content::None, Content::Text));
    }
    let mut parts = Vec::new();
    reader.elements(|reader| part(reader, &mut parts))?;
    Ok(Content::Parts(parts))
}

/// Reads a part; its `type` may come after its text.
fn part<'p>(reader: &mut Reader<'p>, parts: &mut Vec<Part<'p>>) -> Result<()> {
    let mut kind = None;
    let mut text = None;
    let mut thinking = Vec::new();
    object(reader, |reader, name| {
        match name {
            "type" => kind = reader.string_or_skip()?,
            "text" => text = reader.string_or_skip()?,
            "thinking" => thinking = thoughts(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    match kind.map(Raw::whole).as_deref() {
        Some("text") => parts.extend(text.map(|text| Part {
            is_thinking: false,
            text,
        })),
        Some("thinking") => {
            parts.extend(thinking.into_iter().map(|text| Part {
                is_thinking: true,
                text,
            }));
        }
        _ => {}
    }
    Ok(())
}

/// `thinking`: a string, or a list of parts, of which those of `type` `text` count.
fn thoughts<'p>(reader: &mut Reader<'p>) -> Result<Vec<Raw<'p>>> {
    if reader.peek() == b'"' {
        return Ok(reader.string_or_skip()?.into_iter().collect());
    }
    let mut parts = Vec::new();
    array(reader, |reader| part(reader, &mut parts))?;
    let texts = parts.iter().filter(|part| !part.is_thinking);
    Ok(texts.map(|part| part.text).collect())
}

fn tool_calls<'p>(reader: &mut Reader<'p>) -> Result<Vec<ToolCall<'p>>> {
    let mut calls = Vec::new();
    array(reader, |reader| {
        if reader.peek() != b'{' {
            return reader.skip();
        }
        let mut call = ToolCall::default();
        reader.members(|reader, name| {
            match name {
                "index" => call.index = reader.index_or_skip()?,
                "id" => call.id = reader.string_or_skip()?,
                "function" => call.function = function(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        calls.push(call);
        Ok(())
    })?;
    Ok(calls)
}

fn function<'p>(reader: &mut Reader<'p>) -> Result<Function<'p>> {
    let mut function = Function::default();
    object(reader, |reader, name| {
        match name {
            "name" => function.name = reader.string_or_skip()?,
            "arguments" => function.arguments = reader.string_or_skip()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(function)
}
