//! The formats of streams, and how a stream ends.

use std::fmt;

use crate::delta::anthropic::Anthropic;
use crate::delta::bedrock::{BedrockAnthropic, Converse};
use crate::delta::cohere::Cohere;
use crate::delta::family::Family;
use crate::delta::gemini::Gemini;
use crate::delta::llamacpp::LlamaCpp;
use crate::delta::ollama::{OllamaChat, OllamaGenerate};
use crate::delta::openai::{OpenAiChat, OpenAiCompletions};
use crate::delta::responses::Responses;
use crate::delta::tgi::Tgi;
use crate::delta::unidentified::Unidentified;

/// How the payloads of a format stand in the body, and the family that reads them.
struct Row {
    name: &'static str,
    framing: Framing,
    family: fn() -> Box<dyn Family>,
}

/// How the payloads of a format stand in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events, or one document.
    Events,
    /// The same, or one array.
    EventsOrArray,
    /// Lines of JSON, or server-sent events around them.
    Lines,
    /// AWS's binary messages, or one document.
    Messages,
    /// Any of these.
    Any,
}

/// The formats spoken here, by the names of the wire vectors. A format is one line here, and its family
/// one file of `delta`.
const FORMATS: [Row; 13] = [
    row("anthropic.messages", Framing::Events, boxed::<Anthropic>),
    row("auto", Framing::Any, boxed::<Unidentified>),
    row(
        "bedrock.anthropic",
        Framing::Messages,
        boxed::<BedrockAnthropic>,
    ),
    row("bedrock.converse", Framing::Messages, boxed::<Converse>),
    row("cohere.v2", Framing::Events, boxed::<Cohere>),
    row("gemini.generate", Framing::EventsOrArray, boxed::<Gemini>),
    row("llamacpp.completion", Framing::Events, boxed::<LlamaCpp>),
    row("ollama.chat", Framing::Lines, boxed::<OllamaChat>),
    row("ollama.generate", Framing::Lines, boxed::<OllamaGenerate>),
    row("openai.chat", Framing::Events, boxed::<OpenAiChat>),
    row(
        "openai.completions",
        Framing::Events,
        boxed::<OpenAiCompletions>,
    ),
    row("openai.responses", Framing::Events, boxed::<Responses>),
    row("tgi.generate", Framing::EventsOrArray, boxed::<Tgi>),
];

fn boxed<F: Family + Default + 'static>() -> Box<dyn Family> {
    Box::<F>::default()
}

const fn row(name: &'static str, framing: Framing, family: fn() -> Box<dyn Family>) -> Row {
    Row {
        name,
        framing,
        family,
    }
}

/// A format of streams.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Format(usize);

impl Format {
    /// `auto`: the format that the stream turns out to have.
    pub const AUTO: Self = Self(1);
    /// `openai.chat`
    pub const OPENAI_CHAT: Self = Self(9);
    /// `openai.completions`
    pub const OPENAI_COMPLETIONS: Self = Self(10);

    /// All formats, by their names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FORMATS.len()).map(Self)
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|format| format.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FORMATS[self.0].name
    }

    /// Whether the first payload that identifies one decides which it is.
    pub(crate) fn is_to_be_found(self) -> bool {
        self == Self::AUTO
    }

    pub(crate) fn framing(self) -> Framing {
        FORMATS[self.0].framing
    }

    /// The reader of its payloads, at the start of a stream.
    pub(crate) fn family(self) -> Box<dyn Family> {
        (FORMATS[self.0].family)()
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With the sentinel.
    Done,
    /// With the end of its own that the format has.
    Event,
    /// With the end of the array that the body is.
    ArrayEnd,
    /// The provider sent an error.
    Error,
    /// With the body, every choice finished.
    Eof,
    /// With the body, a choice unfinished or none begun.
    Truncated,
}

impl Ended {
    /// Its name in the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "[DONE]",
            Self::Event => "event",
            Self::ArrayEnd => "array-end",
            Self::Error => "error",
            Self::Eof => "eof",
            Self::Truncated => "truncated",
        }
    }
}
