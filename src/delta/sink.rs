//! Deltas, and the trait of what receives them.

use std::borrow::Cow;

/// Text that borrows from the payload where it can.
pub type Text<'p> = Cow<'p, str>;

/// An increment of one choice. What the payload did not have is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta<'p> {
    /// Which of the choices.
    pub index: u32,
    /// Who speaks.
    pub role: Option<Text<'p>>,
    /// Text of the answer.
    pub text: Option<Text<'p>>,
    /// Text of the reasoning before it.
    pub reasoning: Option<Text<'p>>,
    /// Text of a refusal.
    pub refusal: Option<Text<'p>>,
    /// Pieces of tool calls.
    pub tool_calls: Vec<ToolCallDelta<'p>>,
    /// Why the choice ended.
    pub finish_reason: Option<Text<'p>>,
    /// Token counts, the provider's JSON object.
    pub usage: Option<&'p str>,
    /// The provider's error, a JSON object or string.
    pub error: Option<&'p str>,
    /// Log probabilities, the provider's JSON object.
    pub logprobs: Option<&'p str>,
    /// Spoken output, the provider's JSON object.
    pub audio: Option<&'p str>,
}

impl Delta<'_> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_none() && self.has_only_text()
    }

    /// The text that counts where choice 0's text alone is wanted: `""` for a finish reason without text.
    pub fn first_text(&self) -> Option<&str> {
        match (self.index, &self.text, &self.finish_reason) {
            (0, Some(text), _) => Some(text),
            (0, None, Some(_)) => Some(""),
            _ => None,
        }
    }

    /// Whether the model says something in it: text, reasoning, a refusal, a tool call, audio.
    pub fn has_content(&self) -> bool {
        self.text.is_some()
            || self.reasoning.is_some()
            || self.refusal.is_some()
            || !self.tool_calls.is_empty()
            || self.audio.is_some()
    }

    /// Whether there is nothing but text in it.
    pub fn has_only_text(&self) -> bool {
        self.role.is_none() && self.has_only_text_and_role()
    }

    /// Whether there is nothing but text and a role in it.
    pub fn has_only_text_and_role(&self) -> bool {
        self.reasoning.is_none()
            && self.refusal.is_none()
            && self.tool_calls.is_empty()
            && self.finish_reason.is_none()
            && self.usage.is_none()
            && self.error.is_none()
            && self.logprobs.is_none()
            && self.audio.is_none()
    }
}

/// The members that describe the response. The first is kept once, the others whenever they change.
pub const INFO_MEMBERS: [&str; 4] = ["id", "model", "system_fingerprint", "service_tier"];

/// The description of a stream's response so far, under the names of [`INFO_MEMBERS`].
pub type ResponseInfo = [Option<String>; INFO_MEMBERS.len()];

/// An increment of one tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCallDelta<'p> {
    /// Which of the choice's tool calls.
    pub index: u32,
    /// The call's ID, with its first increment.
    pub id: Option<Text<'p>>,
    /// The tool's name, with the first increment.
    pub name: Option<Text<'p>>,
    /// A piece of the arguments' JSON text; empty where the payload had it so.
    pub args: Option<Text<'p>>,
}

/// Receives deltas as they are decoded.
pub trait Sink {
    /// Receives one.
    fn delta(&mut self, delta: &Delta<'_>);

    /// Receives one that has text and nothing else: most are so, and need no `Delta`.
    fn text(&mut self, index: u32, text: &str) {
        self.delta(&Delta {
            index,
            text: Some(Cow::Borrowed(text)),
            ..Delta::default()
        });
    }

    /// Receives the bytes of a payload, without white space around them, before its deltas. Held halves and the
    /// error of a frame that announces it come outside of any payload. If it `is_plain`, its text of choice 0
    /// stands for it where it has nothing else.
    #[inline]
    fn begin_payload(&mut self, payload: &[u8], is_plain: bool) {
        let _ = (payload, is_plain);
    }

    /// The deltas of a payload that began have been received.
    #[inline]
    fn end_payload(&mut self) {}

    /// Receives the description of the response, whenever it has changed.
    fn response_info(&mut self, info: &ResponseInfo) {
        let _ = info;
    }
}
