//! The shape that the payloads of every provider family are read into.

use smallvec::SmallVec;

use super::message::{Message, some};
use super::sink::{INFO_MEMBERS, Text};
use crate::json::{InvalidJson, Raw, Reader};

/// The content of a payload, as it was sent: strings unread, objects as slices.
#[derive(Debug)]
pub struct Payload<'p> {
    /// The choices, in order.
    pub choices: SmallVec<[Choice<'p>; 1]>,
    /// The token counts, an object.
    pub usage: Option<Text<'p>>,
    /// The provider's error, a JSON object or string.
    pub error: Option<Text<'p>>,
    /// The stream ends with it.
    pub ends: bool,
    /// What it says beside its deltas.
    pub beside: Beside,
    /// A payload like it may be compared with it instead of being read.
    pub teaches: bool,
    has_one_choice: bool,
    wanted: &'static [&'static str],
    info: [Option<Raw<'p>>; INFO_MEMBERS.len()],
}

/// What a payload says beside its deltas, to a reader of raw payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beside {
    /// Nothing: where it has text alone, the text stands for it.
    #[default]
    Nothing,
    /// More than its text.
    More,
    /// It begins a block: what was learnt of the payloads of the block before does not hold any more.
    Block,
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

/// One choice of a payload.
#[derive(Debug, Default)]
pub struct Choice<'p> {
    /// Which of the choices.
    pub index: u32,
    /// The content of the choice.
    pub message: Message<'p>,
    pub(super) place: Place,
    /// Why the choice ended.
    pub finish_reason: Option<Text<'p>>,
    /// Log probabilities, an object.
    pub logprobs: Option<&'p str>,
}

impl Default for Payload<'_> {
    fn default() -> Self {
        Self::new(false, &[])
    }
}

impl<'p> Payload<'p> {
    /// An unread payload that keeps the members of `wanted`, the end of [`INFO_MEMBERS`], for [`Self::info`].
    /// If it `has_one_choice`, the first one is kept alone, as choice 0 whatever its index.
    pub fn new(has_one_choice: bool, wanted: &'static [&'static str]) -> Self {
        Self {
            choices: SmallVec::new(),
            usage: None,
            error: None,
            ends: false,
            beside: Beside::Nothing,
            teaches: true,
            has_one_choice,
            wanted,
            info: [None; INFO_MEMBERS.len()],
        }
    }

    /// Whether the first choice counts alone.
    pub(super) fn has_one_choice(&self) -> bool {
        self.has_one_choice
    }

    /// Choice 0, where it stands alone.
    pub(super) fn first(&mut self) -> &mut Choice<'p> {
        self.choice(0)
    }

    /// The last choice, if it is `index`, and otherwise a new one. Where one choice counts, it is choice 0 in any case.
    pub(super) fn choice(&mut self, index: u32) -> &mut Choice<'p> {
        let index = if self.has_one_choice { 0 } else { index };
        if self.choices.last().is_none_or(|last| last.index != index) {
            self.choices.push(Choice {
                index,
                ..Choice::default()
            });
        }
        let last = self.choices.len() - 1;
        &mut self.choices[last]
    }

    /// Reads a member that describes the response under `name`, one of [`INFO_MEMBERS`], where it may be news;
    /// otherwise it says nothing.
    pub(super) fn info_member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
    ) -> Result<(), InvalidJson> {
        match self.wanted.iter().position(|wanted| *wanted == name) {
            Some(at) => {
                let at = INFO_MEMBERS.len() - self.wanted.len() + at;
                self.info[at] = reader.string_or_skip()?;
                Ok(())
            }
            None => reader.skip_noting(),
        }
    }

    /// Reads a member that would describe the response under `name`; what it says, where that may be news.
    pub(super) fn wanted_string(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
    ) -> Result<Option<Raw<'p>>, InvalidJson> {
        if self.wanted.contains(&name) {
            return reader.string_or_skip();
        }
        reader.skip_noting()?;
        Ok(None)
    }

    /// Describes the response under `name`, one of [`INFO_MEMBERS`], where that may be news.
    pub(super) fn set_info(&mut self, name: &str, text: Option<Raw<'p>>) {
        if let Some(at) = self.wanted.iter().position(|wanted| *wanted == name) {
            self.info[INFO_MEMBERS.len() - self.wanted.len() + at] = text;
        }
    }

    /// The strings that describe the response, under the wanted names of [`INFO_MEMBERS`].
    pub fn info(&self) -> [Option<Raw<'p>>; INFO_MEMBERS.len()] {
        self.info.map(some)
    }
}
