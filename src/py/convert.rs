//! Values across the boundary: strings, the shared Python functions, exceptions.

use std::convert::Infallible;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PyModule, PyString, PyTuple};

use crate::seen::{Missing, Seen};
use crate::utf8;

/// The default limit of an event, in bytes.
const MAX_EVENT_SIZE: usize = 16 * 1024 * 1024;

/// The module of what both halves do through Python.
pub fn values(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "millstream._values"))
}

/// The argument of `feed` as bytes; other buffers are copied.
#[inline]
pub fn bytes<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    bytes_for("feed", data)
}

/// The argument of `method` as bytes; other buffers are copied.
#[inline]
pub fn bytes_for<'py>(method: &str, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        Ok(bytes.clone())
    } else {
        copied(method, data)
    }
}

#[cold]
fn copied<'py>(method: &str, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let copy = values(data.py())?.call_method1(intern!(data.py(), "as_bytes"), (data, method))?;
    Ok(copy.cast_into::<PyBytes>()?)
}

/// The arguments of `method` that stand before and after each record.
#[inline]
pub fn affixes<'py>(
    method: &str,
    prefix: &Bound<'py, PyAny>,
    suffix: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    Ok((bytes_for(method, prefix)?, bytes_for(method, suffix)?))
}

/// `text` as a string, or `None`.
pub fn optional<'py>(
    py: Python<'py>,
    text: Option<&[u8]>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    text.map(|text| PyString::from_bytes(py, text)).transpose()
}

/// `bytes` as a string, with U+FFFD for invalid UTF-8. Python decodes valid bytes in one pass.
pub fn string<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match PyString::from_bytes(py, bytes) {
        Ok(text) => text,
        Err(_) => PyString::new(py, &utf8::decode(bytes)),
    }
}

/// A value that becomes a Python object once the core's lock is dropped.
pub trait Make {
    /// Makes it.
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

/// A value to be made, as PyO3 takes it.
struct ToMake<T>(T);

impl<'py, T: Make> IntoPyObject<'py> for ToMake<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    #[inline]
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        self.0.make(py)
    }
}

/// The list that `feed` returns. Most small reads complete nothing: an empty list is cheaper.
#[inline]
pub fn list<T: Make>(
    py: Python<'_>,
    items: impl ExactSizeIterator<Item = T>,
) -> PyResult<Bound<'_, PyList>> {
    if items.len() == 0 {
        Ok(PyList::empty(py))
    } else {
        PyList::new(py, items.map(ToMake))
    }
}

/// A description of what a decoder has seen of its stream.
pub fn describe_seen<'py>(
    py: Python<'py>,
    seen: &Seen,
    format: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let missing = seen.missing.map(|missing| match missing {
        Missing::LineEnds => "no line ends",
        Missing::BlankLines => "no blank lines",
    });
    let (head, keys) = (PyBytes::new(py, &seen.head), PyList::new(py, &seen.keys)?);
    let fields = (seen.frames, &seen.event, keys, head, missing, format);
    values(py)?.call_method1(intern!(py, "describe_seen"), fields)
}

/// The value of JSON text.
pub fn read_json<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = text.py();
    values(py)?.call_method1(intern!(py, "read_json"), (text,))
}

/// The provider's object, from JSON text: usage or log probabilities.
pub fn read_kept<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = text.py();
    values(py)?.call_method1(intern!(py, "read_kept"), (text,))
}

/// The provider's error object, from JSON text.
pub fn read_error<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = text.py();
    values(py)?.call_method1(intern!(py, "read_error"), (text,))
}

/// Whether `n`, the number of choices asked for, is 1; checked as the pure half does.
pub fn asks_for_one(n: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let Some(n) = n else {
        return Ok(false);
    };
    // A valid argument needs no call of Python.
    if n.is_exact_instance_of::<PyInt>() && n.eq(1)? {
        return Ok(true);
    }
    let py = n.py();
    let one = values(py)?.call_method1(intern!(py, "asks_for_one"), (n,))?;
    one.extract()
}

/// An option of a constructor, `None` among its values' types.
pub enum Argument<'py> {
    /// It was left out.
    Default,
    /// It was given.
    Value(Bound<'py, PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Argument<'py> {
    type Error = Infallible;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self::Value(value.to_owned()))
    }
}

impl<'py> Argument<'py> {
    /// The argument, or else `default`.
    pub fn or(
        self,
        default: impl IntoPyObject<'py>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Default => default.into_bound_py_any(py),
        }
    }

    /// The option `name`, checked as the pure half does.
    pub fn option(self, name: &str, default: &'static str, allowed: &[&str]) -> PyResult<String> {
        let Self::Value(value) = self else {
            return Ok(default.to_owned());
        };
        // A valid argument needs no call of Python.
        if let Ok(text) = value.cast_exact::<PyString>()
            && let Ok(text) = text.to_str()
            && allowed.contains(&text)
        {
            return Ok(text.to_owned());
        }
        let py = value.py();
        let allowed = PyTuple::new(py, allowed)?;
        values(py)?
            .call_method1(intern!(py, "check_option"), (name, value, allowed))?
            .extract()
    }

    /// `max_event_size`, checked as the pure half does.
    pub fn event_size(self) -> PyResult<usize> {
        let Self::Value(value) = self else {
            return Ok(MAX_EVENT_SIZE);
        };
        // A valid argument needs no call of Python.
        if value.is_exact_instance_of::<PyInt>()
            && let Ok(size @ 1..) = value.extract::<isize>()
        {
            return Ok(size.unsigned_abs());
        }
        let py = value.py();
        values(py)?
            .call_method1(intern!(py, "check_event_size"), (value,))?
            .extract()
    }
}

/// Checks a user's values for the fields of a value class as the pure half does.
pub fn check_fields(name: &str, fields: &Bound<'_, PyTuple>) -> PyResult<()> {
    let py = fields.py();
    values(py)?.call_method1(intern!(py, "check_fields"), (name, fields))?;
    Ok(())
}

/// The characters of a string.
pub enum Characters<'a, 'py> {
    /// It can be encoded.
    Whole(&'a str),
    /// It has halves of surrogate pairs: its code points, in UTF-32.
    Halves(Bound<'py, PyBytes>),
}

impl<'a, 'py> Characters<'a, 'py> {
    /// The characters of `text`.
    #[inline]
    pub fn of(text: &'a Bound<'py, PyString>) -> PyResult<Self> {
        match text.to_str() {
            Ok(text) => Ok(Self::Whole(text)),
            Err(_) => Self::halves(text),
        }
    }

    #[cold]
    fn halves(text: &Bound<'py, PyString>) -> PyResult<Self> {
        let encode = intern!(text.py(), "encode");
        let codes = text.call_method1(encode, ("utf-32-le", "surrogatepass"))?;
        Ok(Self::Halves(codes.cast_into::<PyBytes>()?))
    }
}

/// The code points of UTF-32.
pub fn code_points(utf32: &[u8]) -> impl Iterator<Item = u32> {
    let (codes, _) = utf32.as_chunks::<4>();
    codes.iter().map(|code| u32::from_le_bytes(*code))
}

/// The result of `__reduce__` for a value class.
pub fn reduced<'py>(
    py: Python<'py>,
    name: &str,
    fields: Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyTuple>> {
    let rebuild = values(py)?.getattr(intern!(py, "rebuild"))?;
    let arguments = PyTuple::new(py, [PyString::new(py, name).into_any(), fields.into_any()])?;
    PyTuple::new(py, [rebuild, arguments.into_any()])
}

/// The exception for setting an attribute of a value class.
pub fn immutable(name: &str) -> PyErr {
    PyAttributeError::new_err(format!("{name} is immutable"))
}

/// `Name(field=value, …)`
pub fn repr(name: &str, names: &[&str], fields: &Bound<'_, PyTuple>) -> PyResult<String> {
    let mut parts = Vec::with_capacity(names.len());
    for (field, value) in names.iter().zip(fields.iter()) {
        parts.push(format!("{field}={}", value.repr()?.to_str()?));
    }
    Ok(format!("{name}({})", parts.join(", ")))
}
