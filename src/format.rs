//! The formats of streams, and how a stream ends.

use std::fmt;

use crate::delta::anthropic::Anthropic;
use crate::delta::family::Family;
use crate::delta::openai::OpenAi;

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
const FORMATS: [Row; 3] = [
    row("anthropic.messages", Framing::Events, || {
        Box::<Anthropic>::default()
    }),
    row("openai.chat", Framing::Events, || Box::new(OpenAi::Chat)),
    row("openai.completions", Framing::Events, || {
        Box::new(OpenAi::Completions)
    }),
];

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
    /// `openai.chat`
    pub const OPENAI_CHAT: Self = Self(1);
    /// `openai.completions`
    pub const OPENAI_COMPLETIONS: Self = Self(2);

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
