//! `TextAssembler`.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use super::convert::{Given, bytes, exception};
use super::state::{Shared, unpicklable};
use crate::error::Error;
use crate::text::TextAssembler;
use crate::utf8::Errors;

/// Puts pieces of text together so that only whole code points come out.
///
/// Pieces are ``bytes`` of UTF-8, cut anywhere, or ``str`` that may end in half a surrogate pair;
/// one assembler takes one of the two. What comes out depends on the text alone and not on how it
/// was cut, and can always be encoded. A byte order mark is content.
///
/// ``errors`` says what becomes of what is no text: ``"replace"`` makes it U+FFFD (one per maximal
/// invalid subpart, one per unpaired surrogate), ``"ignore"`` drops it, ``"strict"`` makes it a
/// ``StreamDecodeError`` whose ``offset`` counts the bytes or characters before it.
///
/// >>> from millstream import TextAssembler
/// >>> text = TextAssembler()
/// >>> text.feed(b"caf\xc3"), text.feed(b"\xa9 \xf0\x9f"), text.close()
/// ('caf', 'é ', '�')
#[pyclass(frozen, name = "TextAssembler", module = "millstream")]
pub struct PyTextAssembler(Shared<TextAssembler>);

/// The kind of a piece.
fn kind_of(piece: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    if piece.is_instance_of::<PyString>() {
        return Ok("str");
    }
    let is_bytes = piece.is_instance_of::<PyBytes>()
        || piece.is_instance_of::<PyByteArray>()
        || piece.is_instance_of::<PyMemoryView>();
    if is_bytes {
        return Ok("bytes");
    }
    let kind = piece.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "feed() takes bytes or str, not {kind}"
    )))
}

/// What one half of the mixed pieces' owner hears.
fn mixed(first: &str, kind: &str) -> PyErr {
    let message =
        format!("this TextAssembler was fed {first}: {kind} pieces need one of their own");
    PyTypeError::new_err(message)
}

/// Feeds a string, halves of surrogate pairs among its characters or not.
fn feed_str(
    core: &mut TextAssembler,
    piece: &Bound<'_, PyString>,
) -> PyResult<(String, Option<Error>)> {
    if let Ok(text) = piece.to_str() {
        return Ok(core.feed_codes(text.chars().map(u32::from)));
    }
    let encode = intern!(piece.py(), "encode");
    let codes = piece.call_method1(encode, ("utf-32-le", "surrogatepass"))?;
    let codes = codes.cast_into::<PyBytes>()?;
    let (codes, _) = codes.as_bytes().as_chunks::<4>();
    Ok(core.feed_codes(codes.iter().map(|code| u32::from_le_bytes(*code))))
}

#[pymethods]
impl PyTextAssembler {
    #[new]
    #[pyo3(signature = (*, errors=Given::Default), text_signature = "(*, errors='replace')")]
    fn new(errors: Given<'_>) -> PyResult<Self> {
        let allowed = ["ignore", "replace", "strict"];
        let errors = match errors.option("errors", "replace", &allowed)?.as_str() {
            "ignore" => Errors::Ignore,
            "strict" => Errors::Strict,
            _ => Errors::Replace,
        };
        Ok(Self(Shared::new(TextAssembler::new(errors))))
    }

    /// Return the longest text that later pieces cannot change.
    ///
    /// At most 3 bytes, or one half of a surrogate pair, wait for the next piece. The piece in
    /// which a ``"strict"`` assembler meets an error gives the text before it and sets
    /// ``failure``. Raises ``TypeError`` if ``piece`` is not of the kind fed before, and
    /// ``ValueError`` after ``close``.
    fn feed<'py>(&self, piece: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
        let py = piece.py();
        let kind = kind_of(piece)?;
        let mut state = self.0.lock(py);
        state.check_open()?;
        if let Some(first) = state.other_kind(kind) {
            return Err(mixed(first, kind));
        }
        state.check_sound(py)?;
        let (text, error) = match piece.cast::<PyString>() {
            Ok(piece) => feed_str(&mut state.core, piece)?,
            Err(_) => state.core.feed_bytes(bytes(piece)?.as_bytes()),
        };
        state.fail(|_| Some(exception(py, &error?, "", 0)))?;
        Ok(PyString::new(py, &text))
    }

    /// Return what was still held: nothing, or U+FFFD for a character that never ended.
    ///
    /// Raises the ``StreamDecodeError`` of a ``"strict"`` assembler. Closing again returns ``""``.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let mut state = self.0.lock(py);
        let was_open = state.begin_close();
        state.check_sound(py)?;
        if !was_open {
            return Ok(PyString::new(py, ""));
        }
        let (text, error) = state.core.close();
        state.fail(|_| Some(exception(py, &error?, "", 0)))?;
        state.check_sound(py)?;
        Ok(PyString::new(py, &text))
    }

    /// The error that a ``"strict"`` assembler met, or ``None``; later calls raise it.
    #[getter]
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.lock(py).failure(py)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream.TextAssembler>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("TextAssembler"))
    }
}
