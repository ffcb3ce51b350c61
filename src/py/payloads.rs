//! Payloads → Python objects: the text of those that have nothing else, and the others whole.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use smallvec::SmallVec;

use super::convert::{Make, list, string};
use super::plain::{Scratch, Span};
use crate::delta::{Delta, Sink};

/// A payload that came out.
enum Item {
    /// Its text, which is all it has.
    Text(Span),
    /// All of it, and its text.
    Payload(Span, Option<Span>),
}

/// Payloads of choice 0: its text where a payload has nothing else but the role of the assistant, and
/// otherwise the payload with its text.
pub struct PayloadTexts<'a> {
    scratch: Scratch<'a>,
    found: SmallVec<[Item; 16]>,
    /// The payload whose deltas are coming.
    payload: Option<Span>,
    text: Option<Span>,
    says_more: bool,
    has_failed: bool,
}

impl<'a> PayloadTexts<'a> {
    /// No payloads yet, of a call with this data.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            scratch: Scratch::new(data),
            found: SmallVec::new(),
            payload: None,
            text: None,
            says_more: false,
            has_failed: false,
        }
    }

    /// The objects.
    pub fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let scratch = &self.scratch;
        list(py, self.found.iter().map(|item| Placed { item, scratch }))
    }
}

impl Sink for PayloadTexts<'_> {
    fn begin_payload(&mut self, payload: &[u8], is_plain: bool) {
        self.payload = Some(self.scratch.push_bytes(payload));
        self.text = None;
        self.says_more = !is_plain;
        self.has_failed = false;
    }

    fn delta(&mut self, delta: &Delta<'_>) {
        if delta.index != 0 {
            return;
        }
        if let Some(text) = &delta.text {
            self.text(0, text);
        }
        self.has_failed |= delta.error.is_some();
        self.says_more |= !delta.has_only_text_and_role();
    }

    fn text(&mut self, index: u32, text: &str) {
        if index == 0 {
            match (&self.payload, self.text) {
                (None, _) => {
                    let text = self.scratch.push(text);
                    self.found.push(Item::Text(text));
                }
                (Some(_), None) => self.text = Some(self.scratch.push(text)),
                (Some(_), Some(earlier)) => self.text = Some(self.scratch.join(earlier, text)),
            }
        }
    }

    fn end_payload(&mut self) {
        let Some(payload) = self.payload.take() else {
            return;
        };
        match self.text {
            Some(text) if self.has_failed || !self.says_more => self.found.push(Item::Text(text)),
            text if !self.has_failed => self.found.push(Item::Payload(payload, text)),
            _ => {}
        }
    }
}

/// An item, with what its places are in.
struct Placed<'a> {
    item: &'a Item,
    scratch: &'a Scratch<'a>,
}

impl Make for Placed<'_> {
    #[inline]
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = |span: Span| PyString::from_bytes(py, self.scratch.bytes(span));
        match *self.item {
            Item::Text(span) => Ok(text(span)?.into_any()),
            Item::Payload(payload, span) => {
                let payload = string(py, self.scratch.bytes(payload));
                let text = span.map(text).transpose()?;
                Ok((payload, text).into_pyobject(py)?.into_any())
            }
        }
    }
}
