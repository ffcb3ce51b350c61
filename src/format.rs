//! The formats of streams, and how a stream ends.

use crate::delta::openai::Shape;

/// The formats spoken here, by the names of the wire vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `openai.completions`
    OpenAiCompletions,
    /// `openai.chat`
    OpenAiChat,
}

impl Format {
    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "openai.completions" => Some(Self::OpenAiCompletions),
            "openai.chat" => Some(Self::OpenAiChat),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiChat => "openai.chat",
        }
    }

    /// The shape of a payload: one of a stream, or a body that is one document.
    pub(crate) fn shape(self, is_body: bool) -> Shape {
        match (self, is_body) {
            (Self::OpenAiCompletions, _) => Shape::Completions,
            (Self::OpenAiChat, false) => Shape::Chat,
            (Self::OpenAiChat, true) => Shape::ChatBody,
        }
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With the sentinel.
    Done,
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
            Self::Error => "error",
            Self::Eof => "eof",
            Self::Truncated => "truncated",
        }
    }
}
