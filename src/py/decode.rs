//! `StreamDecoder`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use smallvec::SmallVec;

use super::convert::{Given, bytes, exception, list, read_error, read_json};
use super::delta::PyDelta;
use super::state::{Shared, State, closed, optional, unpicklable};
use crate::decode::{Ended, Format, StreamDecoder};
use crate::delta::{Delta, Sink};

#[pyclass(frozen, name = "StreamDecoder", module = "millstream")]
pub struct PyStreamDecoder(Shared<StreamDecoder>);

/// Collects what a call returns.
trait Collect<'py>: Sink {
    /// The kind of output, as its messages name it.
    const KIND: &'static str;
    /// What a user of the other kind hears.
    const MIXED: &'static str;
    /// Collects nothing yet.
    fn new(py: Python<'py>) -> Self;
    /// The items.
    fn list(self) -> PyResult<Bound<'py, PyList>>;
}

/// The text of choice 0, nothing else.
struct Texts<'py> {
    py: Python<'py>,
    found: SmallVec<[Bound<'py, PyString>; 16]>,
}

impl Sink for Texts<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match (delta.index, &delta.text, &delta.finish_reason) {
            (0, Some(text), _) => self.found.push(PyString::new(self.py, text)),
            (0, None, Some(_)) => self.found.push(PyString::new(self.py, "")),
            _ => {}
        }
    }

    fn text(&mut self, index: u32, text: &str) {
        if index == 0 {
            self.found.push(PyString::new(self.py, text));
        }
    }
}

impl<'py> Collect<'py> for Texts<'py> {
    const KIND: &'static str = "text";
    const MIXED: &'static str = "this StreamDecoder hands out deltas: text needs one of its own";

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

/// Every delta, as a Python object.
struct Deltas<'py> {
    py: Python<'py>,
    found: SmallVec<[Py<PyDelta>; 16]>,
    error: Option<PyErr>,
}

impl Sink for Deltas<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match PyDelta::from_delta(self.py, delta) {
            Ok(delta) => self.found.push(delta),
            Err(error) => self.error = Some(error),
        }
    }
}

impl<'py> Collect<'py> for Deltas<'py> {
    const KIND: &'static str = "deltas";
    const MIXED: &'static str = "this StreamDecoder hands out text: deltas need one of their own";

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

impl PyStreamDecoder {
    fn feed_as<'py, C: Collect<'py>>(
        &self,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = data.py();
        let data = bytes(data)?;
        let mut items = C::new(py);
        {
            let mut state = self.0.lock(py);
            state.check_open()?;
            check_kind::<C>(&mut state)?;
            state.check_sound(py)?;
            state.core.feed(data.as_bytes(), &mut items);
            if state.core.failure().is_some() {
                note_failure(py, &mut state)?;
            }
        }
        items.list()
    }

    fn close_as<'py, C: Collect<'py>>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut items = C::new(py);
        let mut failure = None;
        {
            let mut state = self.0.lock(py);
            check_kind::<C>(&mut state)?;
            if state.check_close(py)? {
                state.core.close(&mut items);
                failure = note_failure(py, &mut state)?;
            }
        }
        closed(failure, items.list()?)
    }
}

fn check_kind<'py, C: Collect<'py>>(state: &mut State<StreamDecoder>) -> PyResult<()> {
    match state.other_kind(C::KIND) {
        None => Ok(()),
        Some(_) => Err(PyValueError::new_err(C::MIXED)),
    }
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
        self.feed_as::<Deltas<'py>>(data)
    }

    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.close_as::<Deltas<'py>>(py)
    }

    fn feed_text<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.feed_as::<Texts<'py>>(data)
    }

    fn close_text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.close_as::<Texts<'py>>(py)
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
