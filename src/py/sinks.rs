//! Deltas → Python objects: the output of each kind of `feed`.
//!
//! A sink gathers plain values while the core runs, under its lock; all objects but strings are made afterwards.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::buffer;
use super::convert::{Make, list};
use super::delta::PyDelta;
use super::plain::{PlainDeltas, Span};
use crate::delta::{Delta, ResponseInfo, Sink};
use crate::record::Records;

/// The text of choice 0, nothing else.
///
/// Its strings are made under the lock: the collector does not know strings, so making one starts no
/// Python code, and writing it while the next frame is decoded costs less than writing all of them after.
pub struct Texts<'py> {
    py: Python<'py>,
    pieces: SmallVec<[Bound<'py, PyString>; 16]>,
    error: Option<PyErr>,
}

impl<'py> Texts<'py> {
    /// No text yet.
    #[inline]
    pub fn new(py: Python<'py>) -> Self {
        Self {
            py,
            pieces: SmallVec::new(),
            error: None,
        }
    }

    /// The objects.
    #[inline]
    pub fn list(&mut self) -> PyResult<Bound<'py, PyList>> {
        match self.error.take() {
            Some(error) => Err(error),
            None if self.pieces.is_empty() => Ok(PyList::empty(self.py)),
            None => PyList::new(self.py, self.pieces.drain(..)),
        }
    }
}

impl Sink for Texts<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        if let Some(text) = delta.first_text() {
            self.text(0, text);
        }
    }

    #[inline]
    fn text(&mut self, index: u32, text: &str) {
        if index == 0 {
            match PyString::from_bytes(self.py, text.as_bytes()) {
                Ok(piece) => self.pieces.push(piece),
                Err(error) => self.error = Some(error),
            }
        }
    }
}

/// Records of the text of choice 0.
pub struct RecordBytes<'a>(Records<'a>);

impl<'a> RecordBytes<'a> {
    /// No records yet, of a run with these constant parts.
    #[inline]
    pub fn new(prefix: &'a [u8], suffix: &'a [u8]) -> Self {
        Self(Records::with_buffer(buffer::take(), prefix, suffix))
    }

    /// The records, one behind the other.
    pub fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.bytes())
    }
}

impl Drop for RecordBytes<'_> {
    fn drop(&mut self) {
        buffer::keep(self.0.take_buffer());
    }
}

impl Sink for RecordBytes<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.delta(delta);
    }

    fn text(&mut self, index: u32, text: &str) {
        self.0.text(index, text);
    }
}

/// An item of the output.
enum Item {
    /// A delta that has text and nothing else.
    Text(u32, Span),
    /// Another delta, by its number.
    Delta(usize),
    /// Records, from there to there.
    Records(usize, usize),
    ResponseInfo(Box<ResponseInfo>),
}

/// An item, with what its places are in.
struct PlacedItem<'a> {
    item: &'a Item,
    plain: &'a PlainDeltas<'a>,
    records: &'a [u8],
    /// Text comes as a delta.
    as_delta: bool,
}

impl Make for PlacedItem<'_> {
    #[inline]
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let plain = self.plain;
        Ok(match self.item {
            Item::Text(index, span) if self.as_delta => {
                PyDelta::of_text(py, *index, plain.scratch.bytes(*span))?.into_any()
            }
            Item::Text(_, span) => PyString::from_bytes(py, plain.scratch.bytes(*span))?.into_any(),
            Item::Delta(number) => PyDelta::of(py, plain, *number)?.into_any(),
            Item::ResponseInfo(info) => PyTuple::new(py, info.iter())?.into_any(),
            Item::Records(start, end) => {
                let records = self.records.get(*start..*end);
                PyBytes::new(py, records.unwrap_or_default()).into_any()
            }
        })
    }
}

/// Every delta, as a Python object.
pub struct Deltas<'a> {
    plain: PlainDeltas<'a>,
    found: SmallVec<[Item; 16]>,
}

impl<'a> Deltas<'a> {
    /// No deltas yet, of a call with this data.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            plain: PlainDeltas::new(data),
            found: SmallVec::new(),
        }
    }

    /// The objects.
    pub fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = self.found.iter().map(|item| PlacedItem {
            item,
            plain: &self.plain,
            records: b"",
            as_delta: true,
        });
        list(py, items)
    }
}

impl Sink for Deltas<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.found.push(Item::Delta(self.plain.push(delta)));
    }

    fn text(&mut self, index: u32, text: &str) {
        self.found
            .push(Item::Text(index, self.plain.scratch.push(text)));
    }
}

/// Choice 0 in parts: text that comes alone as strings, or as records; other deltas; descriptions of the response.
pub struct Parts<'a> {
    plain: PlainDeltas<'a>,
    found: SmallVec<[Item; 16]>,
    /// Where text goes, if it is to become records.
    records: Option<RecordBytes<'a>>,
    /// How much of the records is in `found`.
    recorded: usize,
}

impl<'a> Parts<'a> {
    /// Nothing yet, of a call with this data; text becomes records with these constant parts, where
    /// they are given.
    #[inline]
    pub fn new(data: &'a [u8], constant: Option<(&'a [u8], &'a [u8])>) -> Self {
        Self {
            plain: PlainDeltas::new(data),
            found: SmallVec::new(),
            records: constant.map(|(prefix, suffix)| RecordBytes::new(prefix, suffix)),
            recorded: 0,
        }
    }

    /// The parts, as a list.
    pub fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = self.found.iter().map(|item| PlacedItem {
            item,
            plain: &self.plain,
            records: self.record_bytes(),
            as_delta: false,
        });
        list(py, items)
    }

    /// The parts: bytes, if there are records alone, and otherwise a list.
    pub fn records<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.found.is_empty() {
            return Ok(PyBytes::new(py, self.record_bytes()).into_any());
        }
        self.finish_records();
        Ok(self.list(py)?.into_any())
    }

    fn record_bytes(&self) -> &[u8] {
        self.records
            .as_ref()
            .map_or(&[], |records| records.0.bytes())
    }

    /// Puts the records so far before the next item.
    fn finish_records(&mut self) {
        let end = self.record_bytes().len();
        if end > self.recorded {
            self.found.push(Item::Records(self.recorded, end));
            self.recorded = end;
        }
    }

    fn push(&mut self, item: Item) {
        self.finish_records();
        self.found.push(item);
    }
}

impl Sink for Parts<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match (&delta.text, delta.index) {
            (Some(text), 0) if delta.has_only_text() => self.text(0, text),
            (_, 0) => {
                let number = self.plain.push(delta);
                self.push(Item::Delta(number));
            }
            _ => {}
        }
    }

    fn text(&mut self, index: u32, text: &str) {
        match &mut self.records {
            _ if index != 0 => {}
            Some(records) => records.text(0, text),
            None => self
                .found
                .push(Item::Text(0, self.plain.scratch.push(text))),
        }
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.push(Item::ResponseInfo(Box::new(info.clone())));
    }
}
