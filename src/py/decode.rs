//! `StreamDecoder`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use smallvec::SmallVec;

use super::convert::{Given, bytes, exception, list, read_error, read_json};
use super::delta::PyDelta;
use super::state::{Shared, State, closed, optional, unpicklable};
use crate::decode::{Ended, Format, StreamDecoder};
use crate::delta::{Delta, Sink};
use crate::record::Records;

#[pyclass(frozen, name = "StreamDecoder", module = "millstream")]
pub struct PyStreamDecoder(Shared<StreamDecoder>);

/// What an instance hands out, and what those hear who then want something else of it.
struct Kind {
    name: &'static str,
    of_its_own: &'static str,
}

const DELTAS: Kind = Kind {
    name: "deltas",
    of_its_own: "deltas need one of their own",
};
const TEXT: Kind = Kind {
    name: "text",
    of_its_own: "text needs one of its own",
};
const RECORDS: Kind = Kind {
    name: "records",
    of_its_own: "records need one of their own",
};

/// The text of choice 0, nothing else.
struct Texts<'py> {
    py: Python<'py>,
    found: SmallVec<[Bound<'py, PyString>; 16]>,
}

impl<'py> Texts<'py> {
    fn new(py: Python<'py>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
        }
    }

    fn list(self) -> PyResult<Bound<'py, PyList>> {
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
struct Deltas<'py> {
    py: Python<'py>,
    found: SmallVec<[Py<PyDelta>; 16]>,
    error: Option<PyErr>,
}

impl<'py> Deltas<'py> {
    fn new(py: Python<'py>) -> Self {
        Self {
            py,
            found: SmallVec::new(),
            error: None,
        }
    }

    fn list(self) -> PyResult<Bound<'py, PyList>> {
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

impl PyStreamDecoder {
    fn feed_into(
        &self,
        data: &Bound<'_, PyAny>,
        kind: &Kind,
        sink: &mut impl Sink,
    ) -> PyResult<()> {
        let py = data.py();
        let data = bytes(data)?;
        let mut state = self.0.lock(py);
        state.check_open()?;
        check_kind(&mut state, kind)?;
        state.check_sound(py)?;
        state.core.feed(data.as_bytes(), sink);
        if state.core.failure().is_some() {
            note_failure(py, &mut state)?;
        }
        Ok(())
    }

    /// Returns the failure met in closing.
    fn close_into(
        &self,
        py: Python<'_>,
        kind: &Kind,
        sink: &mut impl Sink,
    ) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.0.lock(py);
        check_kind(&mut state, kind)?;
        if !state.check_close(py)? {
            return Ok(None);
        }
        state.core.close(sink);
        note_failure(py, &mut state)
    }
}

fn check_kind(state: &mut State<StreamDecoder>, kind: &Kind) -> PyResult<()> {
    let Some(first) = state.other_kind(kind.name) else {
        return Ok(());
    };
    let message = format!("this StreamDecoder hands out {first}: {}", kind.of_its_own);
    Err(PyValueError::new_err(message))
}

/// Keeps the failure that the core has just met.
fn note_failure(py: Python<'_>, state: &mut State<StreamDecoder>) -> PyResult<Option<Py<PyAny>>> {
    if let Some(error) = state.core.failure() {
        let failure = exception(py, error, state.core.text(), state.core.deltas_seen())?;
        state.fail(failure);
    }
    Ok(state.failure(py))
}

#[pymethods]
impl PyStreamDecoder {
    #[new]
    #[pyo3(
        signature = (format, *, surrogates=Given::Default, max_event_size=Given::Default),
        text_signature = "(format, *, surrogates='join', max_event_size=16777216)"
    )]
    fn new(
        format: &Bound<'_, PyAny>,
        surrogates: Given<'_>,
        max_event_size: Given<'_>,
    ) -> PyResult<Self> {
        let known = ["openai.chat", "openai.completions"];
        let name = Given::Value(format.clone()).option("format", "", &known)?;
        let surrogates = surrogates.option("surrogates", "join", &["join", "replace"])?;
        let size = max_event_size.event_size()?;
        let format = Format::from_name(&name)
            .ok_or_else(|| PyValueError::new_err(format!("unknown format {name}")))?;
        Ok(Self(Shared::new(StreamDecoder::new(
            format,
            surrogates == "join",
            size,
        ))))
    }

    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let mut deltas = Deltas::new(data.py());
        self.feed_into(data, &DELTAS, &mut deltas)?;
        deltas.list()
    }

    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut deltas = Deltas::new(py);
        let failure = self.close_into(py, &DELTAS, &mut deltas)?;
        closed(failure, deltas.list()?)
    }

    fn feed_text<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let mut texts = Texts::new(data.py());
        self.feed_into(data, &TEXT, &mut texts)?;
        texts.list()
    }

    fn close_text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut texts = Texts::new(py);
        let failure = self.close_into(py, &TEXT, &mut texts)?;
        closed(failure, texts.list()?)
    }

    fn feed_records<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        prefix: &[u8],
        suffix: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut records = Records::new(prefix, suffix);
        self.feed_into(data, &RECORDS, &mut records)?;
        Ok(PyBytes::new(data.py(), records.bytes()))
    }

    fn close_records<'py>(
        &self,
        py: Python<'py>,
        prefix: &[u8],
        suffix: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut records = Records::new(prefix, suffix);
        let failure = self.close_into(py, &RECORDS, &mut records)?;
        let bytes = PyBytes::new(py, records.bytes());
        let items = if records.bytes().is_empty() {
            vec![]
        } else {
            vec![&bytes]
        };
        closed(failure, PyList::new(py, items)?)?;
        Ok(bytes)
    }

    #[getter]
    fn finish_reason<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        optional(py, self.0.lock(py).core.finish_reason())
    }

    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let usage = self.0.lock(py).core.usage().map(str::to_owned);
        usage.map(|json| read_json(py, &json)).transpose()
    }

    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let error = self.0.lock(py).core.error().map(str::to_owned);
        error.map(|json| read_error(py, &json)).transpose()
    }

    #[getter]
    fn ended<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        optional(py, self.0.lock(py).core.ended().map(Ended::name))
    }

    #[getter]
    fn done(&self, py: Python<'_>) -> bool {
        self.0.lock(py).core.is_done()
    }

    #[getter]
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.lock(py).failure(py)
    }

    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.0.lock(py).core.text())
    }

    #[getter]
    fn deltas_seen(&self, py: Python<'_>) -> u64 {
        self.0.lock(py).core.deltas_seen()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!(
            "<millstream.StreamDecoder '{}'>",
            self.0.lock(py).core.format().name()
        )
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("StreamDecoder"))
    }
}
