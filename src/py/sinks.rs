//! Deltas → Python objects: what each kind of `feed` hands out.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::convert::list;
use super::delta::PyDelta;
use crate::delta::{Delta, Sink, Told};
use crate::record::Records;

/// As much room for records is kept for the thread's next call.
const MAX_ROOM: usize = 1 << 18;

thread_local! {
    /// Where records are put together: a call of its own for room costs as much as a small read.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for records, to be given back.
pub fn room() -> Vec<u8> {
    ROOM.take()
}

/// Gives room back, unless it grew too large to be kept.
pub fn give_back(room: Vec<u8>) {
    if room.capacity() <= MAX_ROOM {
        ROOM.set(room);
    }
}

/// The text of choice 0, nothing else.
pub struct Texts<'py> {
    py: Python<'py>,
    found: SmallVec<[Bound<'py, PyString>; 16]>,
}

impl<'py> Texts<'py> {
    /// Nothing yet.
    pub fn new(py: Python<'py>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
        }
    }

    /// What was found.
    pub fn list(self) -> PyResult<Bound<'py, PyList>> {
        list(self.py, self.found)
    }
}

impl Sink for Texts<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match (delta.index, &delta.text, &delta.finish_reason) {
            (0, Some(text), _) => self.text(0, text),
            (0, None, Some(_)) => self.text(0, ""),
            _ => {}
        }
    }

    fn text(&mut self, index: u32, text: &str) {
        if index == 0 {
            self.found.push(PyString::new(self.py, text));
        }
    }
}

/// Every delta, as a Python object.
pub struct Deltas<'py> {
    py: Python<'py>,
    found: SmallVec<[Py<PyDelta>; 16]>,
    error: Option<PyErr>,
}

impl<'py> Deltas<'py> {
    /// Nothing yet.
    pub fn new(py: Python<'py>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
            error: None,
        }
    }

    /// What was found.
    pub fn list(self) -> PyResult<Bound<'py, PyList>> {
        match self.error {
            Some(error) => Err(error),
            None => list(self.py, self.found),
        }
    }
}

impl Sink for Deltas<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match PyDelta::from_delta(self.py, delta) {
            Ok(delta) => self.found.push(delta),
            Err(error) => self.error = Some(error),
        }
    }
}

/// Choice 0 in parts: text that comes alone as strings, or as records; other deltas; what is told.
pub struct Parts<'py, 'a> {
    py: Python<'py>,
    found: SmallVec<[Bound<'py, PyAny>; 16]>,
    /// Where text goes, if it is to become records.
    records: Option<Records<'a>>,
    error: Option<PyErr>,
}

impl<'py, 'a> Parts<'py, 'a> {
    /// Nothing yet; text becomes records with these constant parts, where they are given.
    pub fn new(py: Python<'py>, constant: Option<(&'a [u8], &'a [u8])>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
            records: constant.map(|(prefix, suffix)| Records::reusing(room(), prefix, suffix)),
            error: None,
        }
    }

    /// What was found, as a list.
    pub fn list(self) -> PyResult<Bound<'py, PyList>> {
        match self.error {
            Some(error) => Err(error),
            None => list(self.py, self.found),
        }
    }

    /// What was found: bytes, where it was nothing but records, and a list of parts otherwise.
    pub fn records(mut self) -> PyResult<Bound<'py, PyAny>> {
        let records = if self.found.is_empty() && self.error.is_none() {
            let records = self.records.as_ref().map_or(&[][..], Records::bytes);
            Some(PyBytes::new(self.py, records).into_any())
        } else {
            self.finish_records();
            None
        };
        if let Some(records) = self.records.take() {
            give_back(records.into_room());
        }
        match records {
            Some(records) => Ok(records),
            None => Ok(self.list()?.into_any()),
        }
    }

    /// Puts the records so far before what comes next.
    fn finish_records(&mut self) {
        if let Some(records) = &mut self.records
            && !records.bytes().is_empty()
        {
            let bytes = PyBytes::new(self.py, records.bytes());
            self.found.push(bytes.into_any());
            records.clear();
        }
    }

    fn push<T>(&mut self, part: PyResult<Bound<'py, T>>) {
        self.finish_records();
        match part {
            Ok(part) => self.found.push(part.into_any()),
            Err(error) => self.error = Some(error),
        }
    }
}

impl Sink for Parts<'_, '_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match (&delta.text, delta.index) {
            (Some(text), 0) if delta.is_text_at_most() => self.text(0, text),
            (_, 0) => {
                let py = self.py;
                self.push(PyDelta::from_delta(py, delta).map(|delta| delta.into_bound(py)));
            }
            _ => {}
        }
    }

    fn text(&mut self, index: u32, text: &str) {
        match &mut self.records {
            _ if index != 0 => {}
            Some(records) => records.text(0, text),
            None => self.found.push(PyString::new(self.py, text).into_any()),
        }
    }

    fn told(&mut self, told: &Told) {
        self.push(PyTuple::new(self.py, told));
    }
}
