//! One answer: its settings, and the state that is written at its end.

use std::collections::{BTreeMap, BTreeSet};

use super::piece::PieceRecord;
use crate::delta::{Delta, Text, ToolCallDelta};

/// The settings of an answer, known before its first delta.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The bare id, from which each wire makes its own.
    pub id: String,
    /// When the answer began, in seconds since 1970.
    pub created: u64,
    /// The model's name; empty until the provider has named it.
    pub model: String,
    /// The counts of tokens are written, where the wire has them.
    pub include_usage: bool,
    /// All choices are written, where the wire has room for them.
    pub all_choices: bool,
    /// The id of the conversation.
    pub thread_id: String,
    /// The id of the run.
    pub run_id: String,
}

/// One answer: its settings, and the state that is written at its end.
#[derive(Debug, Default)]
pub struct Answer {
    pub settings: Settings,
    /// The last finish reason of each choice, in the provider's word.
    pub finish_reasons: BTreeMap<u32, String>,
    /// The last usage, a JSON object, which is read at the end: some servers count with every token.
    pub usage: Option<String>,
    /// How many tool calls have begun: a call without an id is named after it.
    calls_begun: u64,
    /// The choices that have called a tool, whose result is not known.
    calling: BTreeSet<u32>,
    /// The record of a piece of the open part.
    pub piece: PieceRecord,
}

impl Answer {
    /// An answer that has not begun.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Keeps the finish reason and the usage of `delta` for the end.
    pub fn remember(&mut self, delta: &Delta<'_>) {
        if let Some(reason) = &delta.finish_reason {
            let reason = reason.clone().into_owned();
            self.finish_reasons.insert(delta.index, reason);
        }
        if let (Some(usage), true) = (delta.usage, self.settings.include_usage) {
            usage.clone_into(self.usage.get_or_insert_default());
        }
    }

    /// The finish reason of a choice, in `OpenAI`'s word where there is one; without any it ended by itself.
    ///
    /// A choice that called tools and ended by itself, for a provider that has no word for that, waits for them.
    pub fn finish_reason(&self, index: u32) -> &str {
        let reason = self.finish_reasons.get(&index).map_or("", String::as_str);
        match openai_word(reason) {
            "stop" if reason != "stop" && self.calling.contains(&index) => "tool_calls",
            word => word,
        }
    }

    /// Notes that a choice calls a tool, and returns the call's id: the provider's, or one that is made.
    pub fn begin_call(&mut self, index: u32, id: Option<&str>) -> String {
        self.calling.insert(index);
        self.calls_begun += 1;
        match id {
            Some(id) => id.to_owned(),
            None => format!("call_{}_{}", self.settings.id, self.calls_begun),
        }
    }

    /// Notes that a choice calls a tool, for a wire that does not follow its calls; arguments alone call none.
    pub fn note_calls(&mut self, index: u32, pieces: &[ToolCallDelta<'_>]) {
        let has_text = |text: &Option<Text<'_>>| text.as_ref().is_some_and(|text| !text.is_empty());
        if pieces
            .iter()
            .any(|piece| has_text(&piece.id) || has_text(&piece.name))
        {
            self.calling.insert(index);
        }
    }

    /// Notes that a tool has returned: the model's next message has a finish reason of its own.
    pub fn begin_step(&mut self) {
        self.calling.clear();
        self.finish_reasons.clear();
    }
}

/// The word of `OpenAI` for a finish reason of another provider, or the reason itself.
fn openai_word(reason: &str) -> &str {
    match reason {
        "" | "end_turn" | "stop_sequence" | "STOP" | "COMPLETE" | "STOP_SEQUENCE" | "completed"
        | "eos" | "word" => "stop",
        "max_tokens"
        | "MAX_TOKENS"
        | "limit"
        | "incomplete:max_output_tokens"
        | "model_context_window_exceeded" => "length",
        "tool_use" | "TOOL_CALL" => "tool_calls",
        "refusal"
        | "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "guardrail_intervened"
        | "content_filtered"
        | "incomplete:content_filter" => "content_filter",
        _ if reason.starts_with("blocked:") => "content_filter",
        _ => reason,
    }
}
