//! The writer of one answer.

use std::borrow::Cow;

use super::ag_ui::AgUiWire;
use super::answer::{Answer, Settings};
use super::choices::ChoiceWire;
use super::ndjson::NdjsonWire;
use super::openai_chat::Chat;
use super::openai_completions::Completions;
use super::openai_responses::ResponsesWire;
use super::parts::Parts;
use super::text::TextWire;
use super::vercel_ui::VercelUiWire;
use super::wire::{Failure, Part, Source, Unsupported, Wire};
use crate::delta::{Delta, ResponseInfo};

/// The wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum WireName {
    AgUi,
    Ndjson,
    OpenAiChat,
    OpenAiCompletions,
    OpenAiResponses,
    Text,
    VercelUi,
}

impl WireName {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AgUi,
        Self::Ndjson,
        Self::OpenAiChat,
        Self::OpenAiCompletions,
        Self::OpenAiResponses,
        Self::Text,
        Self::VercelUi,
    ];

    /// The wire of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wire| wire.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgUi => "ag-ui",
            Self::Ndjson => "ndjson",
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiResponses => "openai.responses",
            Self::Text => "text",
            Self::VercelUi => "vercel.ui",
        }
    }

    fn wire(self) -> Box<dyn Wire> {
        match self {
            Self::AgUi => Box::<Parts<AgUiWire>>::default(),
            Self::Ndjson => Box::<NdjsonWire>::default(),
            Self::OpenAiChat => Box::<ChoiceWire<Chat>>::default(),
            Self::OpenAiCompletions => Box::<ChoiceWire<Completions>>::default(),
            Self::OpenAiResponses => Box::<Parts<ResponsesWire>>::default(),
            Self::Text => Box::new(TextWire),
            Self::VercelUi => Box::<Parts<VercelUiWire>>::default(),
        }
    }
}

/// Writes one answer in the records of a wire.
///
/// ```
/// use millstream::wire::{Settings, WireName, WireWriter};
///
/// let mut writer = WireWriter::new(WireName::Ndjson, Settings::default());
/// let mut out = Vec::new();
/// writer.text(&mut out, 0, "Hi");
/// writer.close(&mut out);
/// assert_eq!(out, b"{\"text\":\"Hi\"}\n{\"finish_reason\":\"stop\"}\n");
/// ```
#[derive(Debug)]
pub struct WireWriter {
    answer: Answer,
    wire: Box<dyn Wire>,
    has_started: bool,
    has_ended: bool,
    /// Something was written that a snapshot does not replace: it is neither text nor reasoning.
    has_other_parts: bool,
}

impl WireWriter {
    /// A writer at the start of an answer.
    pub fn new(name: WireName, settings: Settings) -> Self {
        Self {
            answer: Answer::new(settings),
            wire: name.wire(),
            has_started: false,
            has_ended: false,
            has_other_parts: false,
        }
    }

    /// Whether the end has been written. Nothing may be written after it.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Writes the records before the first delta, if they are not written yet. Comes before all else but text and
    /// deltas, which do it themselves.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.has_started {
            self.has_started = true;
            self.wire.start(&mut self.answer, out);
        }
    }

    /// Writes a piece of a choice's text, which is not empty: the most frequent call.
    #[inline]
    pub fn text(&mut self, out: &mut Vec<u8>, index: u32, text: &str) {
        if index == 0 && self.answer.piece.is_text {
            self.answer.piece.write(out, text);
        } else {
            self.other_text(out, index, text);
        }
    }

    #[inline(never)]
    fn other_text(&mut self, out: &mut Vec<u8>, index: u32, text: &str) {
        if index == 0 {
            self.begin(out);
            return self.wire.text(&mut self.answer, out, text);
        }
        let delta = Delta {
            index,
            text: Some(Cow::Borrowed(text)),
            ..Delta::default()
        };
        self.delta(out, &delta);
    }

    /// Writes a delta, if it is one of a choice that is written.
    pub fn delta(&mut self, out: &mut Vec<u8>, delta: &Delta<'_>) {
        if delta.index == 0 || self.answer.settings.all_choices {
            self.begin(out);
            self.has_other_parts |= !delta.tool_calls.is_empty();
            self.answer.remember(delta);
            self.wire.delta(&mut self.answer, out, delta);
        }
    }

    /// Takes in the description of the response: it names the model, where that is not known.
    pub fn response_info(&mut self, info: &ResponseInfo) {
        if let [_, Some(name), ..] = info {
            self.name_model(name);
        }
    }

    /// Names the model, where that is not known. Records that show the name all show the one that the first did.
    pub fn name_model(&mut self, name: &str) {
        let model = &mut self.answer.settings.model;
        if model.is_empty() {
            name.clone_into(model);
        }
    }

    /// Refuses a part that the wire cannot carry; it must not be written then.
    pub fn check(&self, part: Part) -> Result<(), Unsupported> {
        if self.wire.lacks().contains(&part) {
            return Err(Unsupported(part));
        }
        if part == Part::Snapshots && self.has_other_parts {
            return Err(Unsupported(Part::SnapshotsOfMore));
        }
        Ok(())
    }

    /// Writes a tool's result: the tool calls before it are complete, and a new message follows.
    pub fn tool_result(&mut self, out: &mut Vec<u8>, id: &str, text: &str) {
        self.wire.tool_result(&mut self.answer, out, id, text);
        self.answer.begin_step();
        self.has_other_parts = true;
    }

    /// Writes a source that the answer cites.
    pub fn source(&mut self, out: &mut Vec<u8>, source: &Source<'_>) {
        self.wire.source(&mut self.answer, out, source);
        self.has_other_parts = true;
    }

    /// Writes `document`, valid JSON that is neither text nor a message, compact.
    pub fn data(&mut self, out: &mut Vec<u8>, document: &[u8]) {
        self.wire.data(&mut self.answer, out, document);
        self.has_other_parts = true;
    }

    /// Writes the record that replaces `dropped` records, which were not sent; `text` is all text so far.
    pub fn snapshot(&mut self, out: &mut Vec<u8>, text: &str, dropped: u64) {
        self.wire.snapshot(&mut self.answer, out, text, dropped);
    }

    /// Writes the end of an answer that failed.
    pub fn fail(&mut self, out: &mut Vec<u8>, failure: &Failure<'_>) {
        self.has_ended = true;
        self.wire.fail(&mut self.answer, out, failure);
    }

    /// Writes the end of an answer that is complete.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        self.has_ended = true;
        self.wire.close(&mut self.answer, out);
    }
}
