//! `encode_sse`.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyString};

use crate::sse::{Fields, encode};

/// Return one event as bytes: comment, event, id, retry and data lines, then a blank line.
///
/// ``data`` and ``comment`` become as many lines as they have, split at CRLF, CR and LF, so that
/// parsing gives the data back with LF line ends; bytes are written as they are, and ``None``
/// writes no line. ``retry`` is in milliseconds. What would let a value end its line raises
/// ``ValueError``: CR or LF in ``event``, CR, LF or NUL in ``id``; so does a ``retry`` that is not
/// an integer from 0 to 2**64 - 1. Other types raise ``TypeError``.
///
/// >>> from millstream import encode_sse
/// >>> encode_sse("two\nlines", event="greeting", id="7")
/// b'event: greeting\nid: 7\ndata: two\ndata: lines\n\n'
#[pyfunction]
#[pyo3(signature = (data, *, event=None, id=None, retry=None, comment=None))]
pub fn encode_sse<'py>(
    data: &Bound<'py, PyAny>,
    event: Option<&Bound<'py, PyAny>>,
    id: Option<&Bound<'py, PyAny>>,
    retry: Option<&Bound<'py, PyAny>>,
    comment: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = data.py();
    let data = value("data", Some(data).filter(|data| !data.is_none()), true)?;
    let event = value("event", event, false)?;
    let id = value("id", id, false)?;
    let comment = value("comment", comment, true)?;
    let fields = Fields {
        comment: comment.as_ref().map(PyBytesMethods::as_bytes),
        event: event.as_ref().map(PyBytesMethods::as_bytes),
        id: id.as_ref().map(PyBytesMethods::as_bytes),
        retry: retry.map(reconnection_time).transpose()?,
        data: data.as_ref().map(PyBytesMethods::as_bytes),
    };
    let encoded = encode(fields).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &encoded))
}

/// The bytes of a field's value, given as `str` or, for some, as `bytes`.
fn value<'py>(
    name: &str,
    value: Option<&Bound<'py, PyAny>>,
    takes_bytes: bool,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Some(value) = value else {
        return Ok(None);
    };
    if let Ok(text) = value.cast::<PyString>() {
        return encode_utf8(text).map(Some);
    }
    match value.cast::<PyBytes>() {
        Ok(bytes) if takes_bytes => Ok(Some(bytes.clone())),
        _ => {
            let kinds = if takes_bytes {
                "str, bytes or None"
            } else {
                "str or None"
            };
            let kind = value.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "{name} must be {kinds}, not {kind}"
            )))
        }
    }
}

/// `text` as UTF-8, U+FFFD for half a surrogate pair.
fn encode_utf8<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    let py = text.py();
    if let Ok(text) = text.to_str() {
        return Ok(PyBytes::new(py, text.as_bytes()));
    }
    let units = text.call_method1(intern!(py, "encode"), ("utf-16-le", "surrogatepass"))?;
    let units = units.cast_into::<PyBytes>()?;
    let (pairs, _) = units.as_bytes().as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Ok(PyBytes::new(
        py,
        String::from_utf16_lossy(&units).as_bytes(),
    ))
}

fn reconnection_time(retry: &Bound<'_, PyAny>) -> PyResult<u64> {
    let is_integer = retry.is_instance_of::<PyInt>() && !retry.is_instance_of::<PyBool>();
    retry.extract().ok().filter(|_| is_integer).ok_or_else(|| {
        PyValueError::new_err("retry must be an integer from 0 to 18446744073709551615")
    })
}
