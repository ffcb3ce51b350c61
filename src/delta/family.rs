//! The interface of a provider family: it reads the payloads of its formats into the shape they share.

use std::borrow::Cow;
use std::fmt::Debug;

use super::message::some;
use super::payload::Payload;
use crate::json::{InvalidJson, Raw, Reader};
use crate::utf8;

/// Where a payload stood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'s> {
    /// The name of its event; empty where it has none.
    pub event: &'s [u8],
    /// It is a body that is one document, not a part of a stream.
    pub is_body: bool,
}

impl Source<'_> {
    /// The type of a payload: the one that it `says`, or else the name of its event.
    pub(super) fn kind<'k>(&'k self, says: Option<Raw<'k>>) -> Cow<'k, str> {
        match some(says) {
            Some(kind) => kind.whole(),
            None => utf8::decode(self.event),
        }
    }
}

/// A payload that came in an envelope: the name of its event, and its text.
#[derive(Debug)]
pub struct Enclosed {
    /// The name of its event; empty where it has none.
    pub event: String,
    /// The payload.
    pub data: Vec<u8>,
}

/// A provider family, with the state it keeps of one stream.
pub trait Family: Debug + Send {
    /// Reads the value that `reader` begins with into `payload`, which is new. A value that is not an object says
    /// nothing.
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<(), InvalidJson>;

    /// Does what [`Self::read`] does, for a value that is the whole document.
    fn read_document<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        source: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<(), InvalidJson> {
        self.read(reader, source, payload)?;
        reader.end()
    }

    /// The payload that `data`, the payload of an event, is the envelope of; `None` where it is none.
    ///
    /// # Errors
    ///
    /// It is said to hold one that cannot be read; the error says why.
    fn unwrap(&self, event: &[u8], data: &[u8]) -> Result<Option<Enclosed>, &'static str> {
        let _ = (event, data);
        Ok(None)
    }

    /// The role that an answer has, which says nothing.
    fn usual_role(&self) -> &'static str {
        "assistant"
    }

    /// The error that an event called `error` reports, as JSON text, where it is not read as in every format.
    fn error_text(&self, data: &[u8]) -> Option<String> {
        let _ = data;
        None
    }
}
