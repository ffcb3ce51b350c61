//! `ToolCallDelta`.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::convert::{Argument, check_fields, immutable, optional, reduced, repr};
use super::plain::{PlainCall, Scratch};

const NAME: &str = "ToolCallDelta";
const FIELDS: [&str; 4] = ["index", "id", "name", "args"];

/// `text` as a string of an object, or `None`.
pub fn string(py: Python<'_>, text: Option<&[u8]>) -> PyResult<Option<Py<PyString>>> {
    Ok(optional(py, text)?.map(Bound::unbind))
}

/// The increment of one tool call: immutable, comparable, picklable.
///
/// ``index`` tells the calls of one choice apart. ``id`` and ``name`` come once, mostly with the
/// first increment; ``args`` are pieces of JSON text to put together.
///
/// >>> from millstream import ToolCallDelta
/// >>> ToolCallDelta(0, "call_1", "get_weather", "")
/// ToolCallDelta(index=0, id='call_1', name='get_weather', args='')
#[pyclass(frozen, name = "ToolCallDelta", module = "millstream")]
pub struct PyToolCallDelta {
    /// Which of its choice's tool calls this belongs to.
    #[pyo3(get)]
    pub index: u32,
    /// The provider's id of the call, or ``None`` where the payload had none.
    #[pyo3(get)]
    pub id: Option<Py<PyString>>,
    /// The function's name, or ``None`` where the payload had none.
    #[pyo3(get)]
    pub name: Option<Py<PyString>>,
    /// A piece of the arguments' JSON text; ``""`` if the payload had it so, ``None`` if it had none.
    #[pyo3(get)]
    pub args: Option<Py<PyString>>,
}

impl PyToolCallDelta {
    /// The Python object of a call whose fields stand in `scratch`.
    pub fn of(py: Python<'_>, call: &PlainCall, scratch: &Scratch<'_>) -> PyResult<Py<Self>> {
        let field = |span| string(py, scratch.field(span));
        Py::new(
            py,
            Self {
                index: call.index,
                id: field(call.id)?,
                name: field(call.name)?,
                args: field(call.args)?,
            },
        )
    }

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (self.index, &self.id, &self.name, &self.args).into_pyobject(py)
    }
}

#[pymethods]
impl PyToolCallDelta {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    #[new]
    #[pyo3(
        signature = (index=Argument::Default, id=None, name=None, args=None),
        text_signature = "(index=0, id=None, name=None, args=None)"
    )]
    fn new<'py>(
        py: Python<'py>,
        index: Argument<'py>,
        id: Option<Bound<'py, PyAny>>,
        name: Option<Bound<'py, PyAny>>,
        args: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let fields = (index.or(0, py)?, id, name, args).into_pyobject(py)?;
        check_fields(NAME, &fields)?;
        let (index, id, name, args) = fields.extract()?;
        Ok(Self {
            index,
            id,
            name,
            args,
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(NAME, &FIELDS, &self.fields(py)?)
    }

    // PyO3 returns `NotImplemented` for an object of another type.
    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        self.fields(py)?.eq(other.fields(py)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.fields(py)?.hash()
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
}
