//! `Delta`.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use smallvec::SmallVec;

use super::convert::{Argument, check_fields, immutable, read_error, read_kept, reduced, repr};
use super::plain::PlainDeltas;
use super::tool_call_delta::{PyToolCallDelta, string};

const NAME: &str = "Delta";
const FIELDS: [&str; 11] = [
    "index",
    "role",
    "text",
    "reasoning",
    "refusal",
    "tool_calls",
    "finish_reason",
    "usage",
    "error",
    "logprobs",
    "audio",
];

/// A provider's object: JSON text that is parsed on access.
pub enum LazyJson {
    Json(Box<[u8]>),
    Value(Py<PyAny>),
}

/// The increment of one choice in one payload: immutable, comparable, picklable.
///
/// A field is ``None`` (``tool_calls`` is empty) where the payload had nothing for it. Usage, and
/// an error the provider sent inside the stream, come as deltas of their own with ``index`` 0.
/// Every string can be encoded: no character is cut, no surrogate is left alone.
///
/// >>> from millstream import Delta
/// >>> delta = Delta(0, None, "Hello")
/// >>> delta.text, delta.finish_reason, delta.tool_calls
/// ('Hello', None, ())
#[pyclass(frozen, name = "Delta", module = "millstream")]
pub struct PyDelta {
    /// The choice this belongs to.
    #[pyo3(get)]
    pub index: u32,
    /// Who speaks: ``"assistant"``, in most cases with a choice's first delta only.
    #[pyo3(get)]
    role: Option<Py<PyString>>,
    /// A piece of the choice's text, never empty.
    #[pyo3(get)]
    text: Option<Py<PyString>>,
    /// A piece of the model's reasoning before its answer, never empty.
    #[pyo3(get)]
    reasoning: Option<Py<PyString>>,
    /// A piece of the model's refusal, never empty.
    #[pyo3(get)]
    refusal: Option<Py<PyString>>,
    /// The increments of the choice's tool calls.
    #[pyo3(get)]
    pub tool_calls: Py<PyTuple>,
    /// Why the choice ended, in the provider's word; only in the delta that ends it.
    #[pyo3(get)]
    finish_reason: Option<Py<PyString>>,
    // Few deltas have one of these: a pointer each keeps the others small.
    usage: Option<Box<LazyJson>>,
    error: Option<Box<LazyJson>>,
    logprobs: Option<Box<LazyJson>>,
    audio: Option<Box<LazyJson>>,
}

impl PyDelta {
    /// The Python object of the delta of that number.
    pub fn of<'py>(
        py: Python<'py>,
        deltas: &PlainDeltas<'_>,
        number: usize,
    ) -> PyResult<Bound<'py, Self>> {
        let Some(delta) = deltas.get(number) else {
            return Self::of_text(py, 0, b"");
        };
        let scratch = &deltas.scratch;
        let calls = deltas.calls(delta).iter();
        let tool_calls = calls.map(|call| PyToolCallDelta::of(py, call, scratch));
        let tool_calls = tool_calls.collect::<PyResult<SmallVec<[_; 4]>>>()?;
        let field = |span| string(py, scratch.field(span));
        let kept = |span| {
            scratch
                .field(span)
                .map(|json| Box::new(LazyJson::Json(json.into())))
        };
        Bound::new(
            py,
            Self {
                index: delta.index,
                role: field(delta.role)?,
                text: field(delta.text)?,
                reasoning: field(delta.reasoning)?,
                refusal: field(delta.refusal)?,
                tool_calls: PyTuple::new(py, tool_calls)?.unbind(),
                finish_reason: field(delta.finish_reason)?,
                usage: kept(delta.usage),
                error: kept(delta.error),
                logprobs: kept(delta.logprobs),
                audio: kept(delta.audio),
            },
        )
    }

    /// The Python object of a delta that has text and nothing else.
    pub fn of_text<'py>(py: Python<'py>, index: u32, text: &[u8]) -> PyResult<Bound<'py, Self>> {
        Bound::new(
            py,
            Self {
                index,
                role: None,
                text: string(py, Some(text))?,
                reasoning: None,
                refusal: None,
                tool_calls: PyTuple::empty(py).unbind(),
                finish_reason: None,
                usage: None,
                error: None,
                logprobs: None,
                audio: None,
            },
        )
    }

    /// The role, the text, the reasoning, the refusal and the finish reason.
    pub fn texts(&self) -> [Option<&Py<PyString>>; 5] {
        let texts = [
            &self.role,
            &self.text,
            &self.reasoning,
            &self.refusal,
            &self.finish_reason,
        ];
        texts.map(Option::as_ref)
    }

    /// The usage, the error, the log probabilities and the audio.
    pub fn kept(&self) -> [Option<&LazyJson>; 4] {
        let kept = [&self.usage, &self.error, &self.logprobs, &self.audio];
        kept.map(Option::as_deref)
    }

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (usage, error) = (self.usage(py)?, self.error(py)?);
        let head = self.hashed(py)?;
        let tail = (usage, error, self.logprobs(py)?, self.audio(py)?).into_pyobject(py)?;
        Ok(head.add(tail)?.cast_into()?)
    }

    /// The fields that hash.
    fn hashed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (
            self.index,
            &self.role,
            &self.text,
            &self.reasoning,
            &self.refusal,
            &self.tool_calls,
            &self.finish_reason,
        )
            .into_pyobject(py)
    }
}

#[pymethods]
impl PyDelta {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    #[new]
    #[pyo3(
        signature = (
            index=Argument::Default, role=None, text=None, reasoning=None, refusal=None,
            tool_calls=Argument::Default, finish_reason=None, usage=None, error=None, logprobs=None, audio=None
        ),
        text_signature = "(index=0, role=None, text=None, reasoning=None, refusal=None, tool_calls=(), finish_reason=None, usage=None, error=None, logprobs=None, audio=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn new<'py>(
        py: Python<'py>,
        index: Argument<'py>,
        role: Option<Bound<'py, PyAny>>,
        text: Option<Bound<'py, PyAny>>,
        reasoning: Option<Bound<'py, PyAny>>,
        refusal: Option<Bound<'py, PyAny>>,
        tool_calls: Argument<'py>,
        finish_reason: Option<Bound<'py, PyAny>>,
        usage: Option<Bound<'py, PyAny>>,
        error: Option<Bound<'py, PyAny>>,
        logprobs: Option<Bound<'py, PyAny>>,
        audio: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let (index, tool_calls) = (index.or(0, py)?, tool_calls.or(PyTuple::empty(py), py)?);
        let texts = (role, text, reasoning, refusal);
        let texts = texts.into_pyobject(py)?;
        let head = PyTuple::new(py, [index])?.add(&texts)?;
        let ends = (
            &tool_calls,
            finish_reason,
            &usage,
            &error,
            &logprobs,
            &audio,
        );
        let ends = ends.into_pyobject(py)?;
        let fields = head.add(ends)?.cast_into::<PyTuple>()?;
        check_fields(NAME, &fields)?;
        let (role, text, reasoning, refusal) = texts.extract()?;
        let kept = |value: Bound<'_, PyAny>| Box::new(LazyJson::Value(value.unbind()));
        Ok(Self {
            index: fields.get_item(0)?.extract()?,
            role,
            text,
            reasoning,
            refusal,
            tool_calls: tool_calls.extract()?,
            finish_reason: fields.get_item(6)?.extract()?,
            usage: usage.map(kept),
            error: error.map(kept),
            logprobs: logprobs.map(kept),
            audio: audio.map(kept),
        })
    }

    /// The provider's count of tokens, parsed when read.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        read(py, self.usage.as_deref(), read_kept)
    }

    /// The error the provider sent inside the stream, with a ``message`` in every case, parsed when read.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        read(py, self.error.as_deref(), read_error)
    }

    /// The provider's log probabilities for this delta, parsed when read.
    #[getter]
    fn logprobs<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        read(py, self.logprobs.as_deref(), read_kept)
    }

    /// The provider's object of spoken output, such as a piece of sound and its transcript, parsed when read.
    #[getter]
    fn audio<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        read(py, self.audio.as_deref(), read_kept)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(NAME, &FIELDS, &self.fields(py)?)
    }

    // PyO3 returns `NotImplemented` for an object of another type.
    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        self.fields(py)?.eq(other.fields(py)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.hashed(py)?.hash()
    }

    fn __setattr__(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = (name, value);
        Err(immutable(NAME))
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        let _ = name;
        Err(immutable(NAME))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        reduced(py, NAME, self.fields(py)?)
    }

    // As for a tuple: its references never change, so that a cycle is broken elsewhere.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tool_calls)?;
        for kept in [&self.usage, &self.error, &self.logprobs, &self.audio] {
            if let Some(LazyJson::Value(value)) = kept.as_deref() {
                visit.call(value)?;
            }
        }
        Ok(())
    }
}

/// The value of a kept object, read by the Python function of both halves.
fn read<'py>(
    py: Python<'py>,
    kept: Option<&LazyJson>,
    reader: impl Fn(&Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match kept {
        None => Ok(None),
        Some(LazyJson::Json(json)) => reader(&PyString::from_bytes(py, json)?).map(Some),
        Some(LazyJson::Value(value)) => Ok(Some(value.bind(py).clone())),
    }
}
