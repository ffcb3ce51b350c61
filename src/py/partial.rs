//! `JSONAssembler`.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use pyo3::{PyTraverseError, PyVisit};

use super::convert::{Argument, Characters, code_points, values};
use super::state::{Shared, Stoppable, unpicklable};
use crate::error::Error;
use crate::json::{Build, ChangeValue, JsonAssembler, LEAST_DIGITS, Scalar, Tape};

/// Reads a JSON document that arrives piece by piece; the document so far is available at any time.
///
/// ``feed`` takes time linear in the text, whatever the pieces. ``value`` is the document so far, made
/// of new objects on each access, at the cost of its size; ``diff`` returns the changes. The
/// document is kept, without a limit of its own: at most some 25 bytes for a character of text (some 100
/// in the Python half), and less the longer its strings are.
///
/// A string is known as far as it has arrived, without an unfinished escape at its end or half a surrogate
/// pair; half a pair that stays alone is U+FFFD. A number is what it would be if it ended here (``1``
/// for ``1.``); of an unfinished number longer than 1,024 characters, only those are read. ``true``, ``false`` and
/// ``null`` are known when they are whole, a key when its value has begun. The last of equal keys
/// counts. Numbers are those of ``json.loads``: integers exact (floats from as many characters on as
/// ``sys.get_int_max_str_digits()`` says), other numbers floats, infinite where they are too large.
///
/// Text that RFC 8259 does not allow is an error at its first wrong character, and so is an array or object
/// at a depth of more than 128; the document before it stays. ``strict=False`` lets control characters
/// stand in strings, as ``json.loads`` does.
///
/// >>> from millstream import JSONAssembler
/// >>> json = JSONAssembler()
/// >>> json.feed('{"city": "Par')
/// >>> json.value, json.complete
/// ({'city': 'Par'}, False)
/// >>> json.feed('is", "days": [1')
/// >>> json.value
/// {'city': 'Paris', 'days': [1]}
#[pyclass(frozen, name = "JSONAssembler", module = "millstream")]
pub struct PyJsonAssembler(Shared<Stoppable<JsonAssembler>>);

/// Makes Python's values.
struct Objects<'py>(Python<'py>);

/// From how many characters on an integer is a float, as the interpreter has it now.
fn max_digits(py: Python<'_>) -> PyResult<usize> {
    let found = values(py)?.call_method0(intern!(py, "max_digits"))?;
    found.extract()
}

impl<'py> Build for Objects<'py> {
    type Value = Bound<'py, PyAny>;
    type Error = PyErr;

    fn max_digits(&self) -> PyResult<usize> {
        max_digits(self.0)
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> PyResult<Self::Value> {
        let py = self.0;
        Ok(match scalar {
            Scalar::Null => py.None().into_bound(py),
            Scalar::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            Scalar::Float(value) => PyFloat::new(py, value).into_any(),
            Scalar::String(value) => PyString::new(py, value).into_any(),
            Scalar::Integer(text) => match text.parse::<i64>() {
                Ok(value) => PyInt::new(py, value).into_any(),
                Err(_) => py.get_type::<PyInt>().call1((text,))?,
            },
        })
    }

    fn array(&mut self, elements: Vec<Self::Value>) -> PyResult<Self::Value> {
        Ok(PyList::new(self.0, elements)?.into_any())
    }

    fn object(&mut self, members: Vec<(&str, Self::Value)>) -> PyResult<Self::Value> {
        let object = PyDict::new(self.0);
        for (key, value) in members {
            object.set_item(key, value)?;
        }
        Ok(object.into_any())
    }
}

impl PyJsonAssembler {
    /// Reads on by `feed`. No Python object is made: the lock alone makes calls wait for each other.
    #[inline]
    fn read(
        &self,
        py: Python<'_>,
        feed: impl FnOnce(&mut JsonAssembler) -> Option<Error>,
    ) -> PyResult<()> {
        let mut state = self.0.lock(py);
        state.check_open()?;
        if state.is_stopped() {
            drop(state);
            return Err(self.0.stop_error(py));
        }
        // To move an error that is not there costs as much as it does to read a small piece.
        if let Some(error) = feed(&mut state.core.core) {
            state.core.error = Some(error);
        }
        Ok(())
    }

    /// The document as it is now. Making objects may run Python's collector, and so anything at all:
    /// it must not happen under the lock.
    fn tape(&self, py: Python<'_>) -> Arc<Tape> {
        self.0.lock(py).core.core.tape()
    }
}

#[pymethods]
impl PyJsonAssembler {
    #[new]
    #[pyo3(signature = (*, strict=Argument::Default), text_signature = "(*, strict=True)")]
    fn new(py: Python<'_>, strict: Argument<'_>) -> PyResult<Self> {
        let strict = strict.or(true, py)?.is_truthy()?;
        let core = JsonAssembler::new(strict);
        Ok(Self(Shared::new(Stoppable { core, error: None })))
    }

    /// Read on in the document.
    ///
    /// The text may end anywhere. The call that meets an error reads the text before it and sets
    /// ``failure``, a ``StreamDecodeError`` whose ``offset`` counts the characters before the wrong
    /// one; later calls raise it. Raises ``TypeError`` if ``text`` is not a ``str``, and ``ValueError``
    /// after ``close``.
    fn feed(&self, text: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = text.py();
        let Ok(text) = text.cast::<PyString>() else {
            let kind = text.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "feed() takes str, not {kind}"
            )));
        };
        match Characters::of(text)? {
            Characters::Whole(text) => self.read(py, |core| core.feed(text)),
            Characters::Halves(utf32) => {
                self.read(py, |core| core.feed_codes(code_points(utf32.as_bytes())))
            }
        }
    }

    /// End the text: nothing more may be fed.
    ///
    /// A document that is not whole is not an error: ``complete`` is ``False``, and ``value`` stays. Raises
    /// ``failure`` if there is one.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.0.lock(py);
        if state.begin_close() && !state.is_stopped() {
            state.core.core.close();
        }
        if state.is_stopped() {
            drop(state);
            return Err(self.0.stop_error(py));
        }
        Ok(())
    }

    /// Return the changes since the last call: operations like those of JSON Patch (RFC 6902).
    ///
    /// Each is a dict of ``op``, ``path`` (a JSON Pointer) and ``value``. ``"add"`` has a member or
    /// the next element, with everything in it so far; ``"replace"`` has the document when it begins, or
    /// a number whose value changed; ``"append"``, which JSON Patch lacks, has the text that a string has
    /// grown by. With ``append=False`` such a string is replaced whole, at the cost of its length.
    /// Otherwise the time taken is linear in the text fed since the last call and in the paths.
    #[pyo3(signature = (*, append=Argument::Default), text_signature = "(self, *, append=True)")]
    fn diff<'py>(&self, py: Python<'py>, append: Argument<'py>) -> PyResult<Bound<'py, PyList>> {
        let append = append.or(true, py)?.is_truthy()?;
        let mut objects = Objects(py);
        let mut state = self.0.lock(py);
        let mut max = LEAST_DIGITS;
        if state.core.core.needs_max_digits() {
            // Python code, which must not run under the lock.
            drop(state);
            max = max_digits(py)?;
            state = self.0.lock(py);
        }
        let core = &mut state.core.core;
        let (changes, tape) = (core.changes(append, max), core.tape());
        drop(state);
        let patch = PyList::empty(py);
        for change in changes {
            let value = match change.value {
                ChangeValue::Value(at) => tape.build(at, &mut objects)?,
                ChangeValue::Text(from, to) => PyString::new(py, tape.text(from, to)).into_any(),
            };
            let operation = PyDict::new(py);
            operation.set_item(intern!(py, "op"), change.operation.name())?;
            operation.set_item(intern!(py, "path"), change.path)?;
            operation.set_item(intern!(py, "value"), value)?;
            patch.append(operation)?;
        }
        Ok(patch)
    }

    /// The document so far, in new objects; ``None`` before it begins.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let tape = self.tape(py);
        if tape.is_empty() {
            return Ok(py.None().into_bound(py));
        }
        tape.build(0, &mut Objects(py))
    }

    /// Whether the document has begun: before, ``value`` is ``None``, as it is for ``null``.
    #[getter]
    fn started(&self, py: Python<'_>) -> bool {
        !self.tape(py).is_empty()
    }

    /// Whether the document is whole; a number that stands alone is when white space follows, or at ``close``.
    #[getter]
    fn complete(&self, py: Python<'_>) -> bool {
        self.0.lock(py).core.core.is_complete()
    }

    /// The error that ended the reading, or ``None``; later calls of ``feed`` and ``close`` raise it.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.failure(py)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream.JSONAssembler>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("JSONAssembler"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }
}
