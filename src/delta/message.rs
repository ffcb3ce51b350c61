//! The content of a choice, as it was sent: a `delta` or `message`, its text, its tool calls.

use smallvec::SmallVec;

use super::sink::Text;
pub(super) use super::values::{array, error_string, members_of, object, positioned};
use crate::json::{InvalidJson, Raw, Reader};
use crate::text::Held;

type Result<T> = std::result::Result<T, InvalidJson>;

/// `delta`, or `message`, or the field in its place.
#[derive(Debug, Default)]
pub struct Message<'p> {
    /// `role`
    pub role: Option<Raw<'p>>,
    /// `content`, or the `text` of a completion.
    pub content: Content<'p>,
    pub(super) reasoning_content: Content<'p>,
    pub(super) reasoning: Content<'p>,
    /// `refusal`, or its pieces, none of which is empty.
    pub refusal: SmallVec<[Raw<'p>; 1]>,
    /// `tool_calls`
    pub tool_calls: Vec<ToolCall<'p>>,
    /// `function_call`, the older way to call a tool.
    pub function_call: Option<Function<'p>>,
    /// `audio`, an object.
    pub audio: Option<&'p str>,
}

/// `content`: text, or typed parts, or one of them.
#[derive(Debug, Default)]
pub enum Content<'p> {
    /// Absent.
    #[default]
    None,
    /// A string.
    Text(Raw<'p>),
    /// Parts, in order; none of them is empty.
    Parts(Vec<Part<'p>>),
}

/// A typed part of `content`; a thinking part may be a list of texts, here one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// Where its text goes.
    pub kind: PartKind,
    /// The part's text.
    pub text: Raw<'p>,
}

/// The kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Text of the answer.
    Text,
    /// Reasoning.
    Thinking,
}

/// One element of `tool_calls`.
#[derive(Clone, Copy, Debug, Default)]
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
    /// `arguments`
    pub arguments: Option<Arguments<'p>>,
}

/// `arguments`: JSON text in a string, or the JSON itself.
#[derive(Clone, Copy, Debug)]
pub enum Arguments<'p> {
    /// A string.
    Text(Raw<'p>),
    /// An object or array, as it was sent.
    Json(&'p str),
}

impl<'p> Message<'p> {
    /// Reads the value called `name` in place of what was there. Returns whether it says anything: an
    /// object does, and so does a string that is called `delta`.
    pub(super) fn read(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<bool> {
        *self = Self::default();
        match reader.peek() {
            b'{' => reader.members(|reader, name| self.member(reader, name))?,
            b'"' if name == "delta" => self.content = Content::text(reader)?,
            _ => {
                reader.skip()?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Has `text` alone as its content.
    pub(super) fn set_text(&mut self, text: Option<Raw<'p>>) {
        self.content = text.map_or(Content::None, Content::Text);
    }

    /// Has `text` as its reasoning.
    pub(super) fn set_reasoning(&mut self, text: Option<Raw<'p>>) {
        self.reasoning_content = text.map_or(Content::None, Content::Text);
    }

    /// Adds a part behind what is there: nothing, or parts.
    pub(super) fn push_part(&mut self, kind: PartKind, text: Option<Raw<'p>>) {
        let Some(text) = some(text) else {
            return;
        };
        match &mut self.content {
            Content::Parts(parts) => parts.push(Part { kind, text }),
            content => *content = Content::Parts(vec![Part { kind, text }]),
        }
    }

    /// How many parts there are, those of a refusal too.
    pub(super) fn count_parts(&self) -> usize {
        let parts = match &self.content {
            Content::Parts(parts) => parts.len(),
            _ => 0,
        };
        parts + self.refusal.len()
    }

    /// Makes one part alone what a field of its own would be.
    pub(super) fn settle_parts(&mut self) {
        let Content::Parts(parts) = &self.content else {
            return;
        };
        match **parts {
            [
                Part {
                    kind: PartKind::Text,
                    text,
                },
            ] => self.content = Content::Text(text),
            [
                Part {
                    kind: PartKind::Thinking,
                    text,
                },
            ] if self.reasoning_content.is_empty() => {
                self.content = Content::None;
                self.reasoning_content = Content::Text(text);
            }
            _ => {}
        }
    }

    /// The reasoning: `reasoning_content`, or else `reasoning`.
    pub fn reasoning(&self) -> &Content<'p> {
        if self.reasoning_content.is_empty() {
            &self.reasoning
        } else {
            &self.reasoning_content
        }
    }

    /// The entries of `tool_calls`; without any, a call in OpenAI's first form.
    pub fn entries(&self) -> impl Iterator<Item = ToolCall<'p>> {
        let first_form = |function| ToolCall {
            index: Some(0),
            id: None,
            function,
        };
        let alone = self.function_call.filter(|_| self.tool_calls.is_empty());
        let calls = self.tool_calls.iter().copied();
        calls.chain(alone.map(first_form))
    }

    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<()> {
        match name {
            "role" => self.role = reader.string_or_skip()?,
            "content" => self.content = Content::read(reader)?,
            "reasoning_content" => self.reasoning_content = Content::read(reader)?,
            "reasoning" => self.reasoning = Content::read(reader)?,
            "refusal" => {
                self.refusal.clear();
                self.refusal.extend(some(reader.string_or_skip()?));
            }
            "tool_calls" => self.tool_calls = tool_calls(reader)?,
            "function_call" => {
                let is_object = reader.peek() == b'{';
                let call = function(reader)?;
                self.function_call = is_object.then_some(call);
            }
            "audio" => self.audio = reader.object_or_skip()?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }
}

impl<'p> Content<'p> {
    /// Reads a value; a string is text.
    pub(super) fn text(reader: &mut Reader<'p>) -> Result<Self> {
        Ok(reader.string_or_skip()?.map_or(Self::None, Self::Text))
    }

    /// Reads a value: text, a list of parts, or one part.
    fn read(reader: &mut Reader<'p>) -> Result<Self> {
        if !matches!(reader.peek(), b'[' | b'{') {
            return Self::text(reader);
        }
        let mut parts = Vec::new();
        read_parts(reader, &mut parts)?;
        Ok(Self::Parts(parts))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Text(raw) => raw.is_empty(),
            Self::Parts(parts) => parts.is_empty(),
        }
    }
}

impl<'p> ToolCall<'p> {
    /// A piece of the arguments of the call `index`.
    pub(super) fn piece(index: u32, arguments: Arguments<'p>) -> Self {
        Self {
            index: Some(index),
            id: None,
            function: Function {
                name: None,
                arguments: Some(arguments),
            },
        }
    }

    /// Whether it has neither an id nor a name nor arguments.
    pub(super) fn is_empty(&self) -> bool {
        let id = some(self.id).filter(|id| id.plain() != Some("null"));
        id.is_none() && some(self.function.name).is_none() && self.function.arguments.is_none()
    }
}

impl<'p> Arguments<'p> {
    /// A string without characters.
    pub(super) const EMPTY: Self = Self::Text(Raw::EMPTY);

    /// Whether they are a string without characters, or an object or array without members.
    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Text(raw) => raw.is_empty(),
            Self::Json(text) => {
                let inside = text.get(1..text.len().saturating_sub(1));
                inside.is_none_or(|inside| inside.trim_ascii().is_empty())
            }
        }
    }

    /// Their text.
    pub fn whole(self) -> Text<'p> {
        match self {
            Self::Text(raw) => raw.whole(),
            Self::Json(text) => text.into(),
        }
    }
}

/// A string that is there and not empty.
pub fn some(raw: Option<Raw<'_>>) -> Option<Raw<'_>> {
    raw.filter(|raw| !raw.is_empty())
}

/// Reads a list of parts, or one part.
fn read_parts<'p>(reader: &mut Reader<'p>, parts: &mut Vec<Part<'p>>) -> Result<()> {
    if reader.peek() == b'{' {
        return read_part(reader, parts);
    }
    array(reader, |reader| read_part(reader, parts))
}

/// Reads a part; its `type` may come after its text.
fn read_part<'p>(reader: &mut Reader<'p>, parts: &mut Vec<Part<'p>>) -> Result<()> {
    let mut kind = None;
    let mut text = None;
    let mut thinking = Vec::new();
    object(reader, |reader, name| {
        match name {
            "type" => kind = reader.string_or_skip()?,
            "text" => text = reader.string_or_skip()?,
            "thinking" => thinking = read_thoughts(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let (kind, texts) = match kind.map(Raw::whole).as_deref() {
        Some("text") => (PartKind::Text, text.into_iter().collect()),
        Some("thinking") => (PartKind::Thinking, thinking),
        _ => return Ok(()),
    };
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    parts.extend(texts.map(|text| Part { kind, text }));
    Ok(())
}

/// `thinking`: a string, or parts, of which those of `type` `text` count.
fn read_thoughts<'p>(reader: &mut Reader<'p>) -> Result<Vec<Raw<'p>>> {
    if reader.peek() == b'"' {
        return Ok(reader.string_or_skip()?.into_iter().collect());
    }
    let mut parts = Vec::new();
    read_parts(reader, &mut parts)?;
    let texts = parts.iter().filter(|part| part.kind == PartKind::Text);
    Ok(texts.map(|part| part.text).collect())
}

fn tool_calls<'p>(reader: &mut Reader<'p>) -> Result<Vec<ToolCall<'p>>> {
    let mut calls = Vec::new();
    array(reader, |reader| {
        calls.extend(tool_call(reader)?);
        Ok(())
    })?;
    Ok(calls)
}

/// Reads a value; an object is a tool call.
pub(super) fn tool_call<'p>(reader: &mut Reader<'p>) -> Result<Option<ToolCall<'p>>> {
    if reader.peek() != b'{' {
        reader.skip()?;
        return Ok(None);
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
    Ok(Some(call))
}

fn function<'p>(reader: &mut Reader<'p>) -> Result<Function<'p>> {
    let mut function = Function::default();
    object(reader, |reader, name| {
        match name {
            "name" => function.name = reader.string_or_skip()?,
            "arguments" => function.arguments = arguments(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(function)
}

/// Reads a value; an object or array, and a string, may be arguments.
pub(super) fn arguments<'p>(reader: &mut Reader<'p>) -> Result<Option<Arguments<'p>>> {
    if matches!(reader.peek(), b'{' | b'[') {
        return Ok(Some(Arguments::Json(reader.value()?)));
    }
    Ok(reader.string_or_skip()?.map(Arguments::Text))
}

/// The next piece of a field; `None` where nothing can be handed out yet.
pub(super) fn piece<'p>(held: &mut Held, raw: Option<Raw<'p>>, joins: bool) -> Option<Text<'p>> {
    let text = whole_piece(held, some(raw)?, joins);
    (!text.is_empty()).then_some(text)
}

/// The next piece of a field, which may be empty.
pub(super) fn whole_piece<'p>(held: &mut Held, raw: Raw<'p>, joins: bool) -> Text<'p> {
    if joins { raw.joined(held) } else { raw.whole() }
}

/// Appends to a field.
pub(super) fn append<'p>(field: &mut Option<Text<'p>>, text: Text<'p>) {
    match field {
        None => *field = Some(text),
        Some(before) => before.to_mut().push_str(&text),
    }
}
