//! llama.cpp's own completions.

use std::collections::BTreeSet;

use super::family::{Family, Source};
use super::message::object;
use super::payload::Payload;
use super::provider_error::ErrorMembers;
use super::usage::counts;
use crate::json::{InvalidJson, Raw, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// A stream of completions: the choices that have begun and are not finished.
#[derive(Debug, Default)]
pub struct LlamaCpp {
    open: BTreeSet<u32>,
}

/// The members of a payload.
#[derive(Debug, Default)]
struct Members<'p> {
    index: Option<u32>,
    content: Option<Raw<'p>>,
    stop: Option<bool>,
    stop_type: Option<Raw<'p>>,
    /// `stopped_eos`, `stopped_word` and `stopped_limit`, which older servers send.
    stopped: [bool; 3],
    counts: [Option<&'p str>; 2],
    errors: ErrorMembers<'p>,
}

impl Family for LlamaCpp {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        let mut members = Members::default();
        object(reader, |reader, name| members.member(reader, name, payload))?;
        let known = members.content.is_some() || members.stop.is_some();
        if known {
            let choice = payload.choice(members.index.unwrap_or_default());
            choice.message.set_text(members.content);
            self.open.insert(choice.index);
            if members.stop == Some(true) {
                choice.finish_reason = members.finish_reason();
                if choice.finish_reason.is_some() {
                    self.open.remove(&choice.index);
                }
                payload.usage = counts(&["tokens_evaluated", "tokens_predicted"], members.counts);
                payload.ends = self.open.is_empty();
            }
        }
        payload.error = members.errors.error(reader.text(), known, false);
        Ok(())
    }
}

impl<'p> Members<'p> {
    fn member(
        &mut self,
        reader: &mut Reader<'p>,
        name: &str,
        payload: &mut Payload<'p>,
    ) -> Result<()> {
        match name {
            "index" => self.index = reader.index_or_skip()?,
            "content" => self.content = reader.string_or_skip()?,
            "stop" => self.stop = reader.bool_or_skip()?,
            "stop_type" => self.stop_type = reader.string_or_skip()?,
            "stopped_eos" => self.stopped[0] = reader.value()? == "true",
            "stopped_word" => self.stopped[1] = reader.value()? == "true",
            "stopped_limit" => self.stopped[2] = reader.value()? == "true",
            "tokens_evaluated" => self.counts[0] = reader.number_or_skip()?,
            "tokens_predicted" => self.counts[1] = reader.number_or_skip()?,
            _ if self.errors.member(reader, name)? => {}
            "model" => payload.info_member(reader, name)?,
            _ => reader.skip_noting()?,
        }
        Ok(())
    }

    fn finish_reason(&self) -> Option<std::borrow::Cow<'p, str>> {
        let names = ["eos", "word", "limit"];
        let older = std::iter::zip(self.stopped, names).find(|(is_so, _)| *is_so);
        let stop_type = super::message::some(self.stop_type).map(Raw::whole);
        stop_type.or(older.map(|(_, name)| name.into()))
    }
}
