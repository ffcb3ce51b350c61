//! `TextAssembler`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use pyo3::{PyTraverseError, PyVisit};

use super::convert::{Argument, Characters, bytes, code_points};
use super::state::{Shared, Stoppable, unpicklable};
use crate::text::TextAssembler;
use crate::utf8::Errors;

/// Puts pieces of text together so that only whole code points come out.
///
/// Pieces are ``bytes`` of UTF-8, cut anywhere, or ``str`` that may end in half a surrogate pair;
/// one assembler takes one of the two. What comes out depends on the text alone and not on how it
/// was cut, and can always be encoded. A byte order mark is content.
///
/// ``errors`` says what becomes of anything that is not text: ``"replace"`` makes it U+FFFD (one per maximal
/// invalid subpart, one per unpaired surrogate), ``"ignore"`` drops it, ``"strict"`` makes it a
/// ``StreamDecodeError`` whose ``offset`` counts the bytes or characters before it.
///
/// >>> from millstream import TextAssembler
/// >>> text = TextAssembler()
/// >>> text.feed(b"caf\xc3"), text.feed(b"\xa9 \xf0\x9f"), text.close()
/// ('caf', 'é ', '�')
#[pyclass(frozen, name = "TextAssembler", module = "millstream")]
pub struct PyTextAssembler(Shared<Stoppable<TextAssembler>>);

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

/// The error for mixing `bytes` and `str` pieces.
fn mixing_error(first: &str, kind: &str) -> PyErr {
    let message =
        format!("this TextAssembler was fed {first}: {kind} pieces need one of their own");
    PyTypeError::new_err(message)
}

/// A piece to feed.
enum Piece<'a, 'py> {
    Bytes(Bound<'py, PyBytes>),
    Characters(Characters<'a, 'py>),
}

impl<'a, 'py> Piece<'a, 'py> {
    fn of(piece: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(match piece.cast::<PyString>() {
            Ok(text) => Self::Characters(Characters::of(text)?),
            Err(_) => Self::Bytes(bytes(piece)?),
        })
    }
}

impl Stoppable<TextAssembler> {
    fn feed(&mut self, piece: &Piece<'_, '_>) -> String {
        let (text, error) = match piece {
            Piece::Bytes(bytes) => self.core.feed_bytes(bytes.as_bytes()),
            Piece::Characters(Characters::Whole(text)) => {
                self.core.feed_codes(text.chars().map(u32::from))
            }
            Piece::Characters(Characters::Halves(utf32)) => {
                self.core.feed_codes(code_points(utf32.as_bytes()))
            }
        };
        if error.is_some() {
            self.error = error;
        }
        text
    }
}

#[pymethods]
impl PyTextAssembler {
    #[new]
    #[pyo3(signature = (*, errors=Argument::Default), text_signature = "(*, errors='replace')")]
    fn new(errors: Argument<'_>) -> PyResult<Self> {
        let allowed = ["ignore", "replace", "strict"];
        let errors = match errors.option("errors", "replace", &allowed)?.as_str() {
            "ignore" => Errors::Ignore,
            "strict" => Errors::Strict,
            _ => Errors::Replace,
        };
        let core = TextAssembler::new(errors);
        Ok(Self(Shared::new(Stoppable { core, error: None })))
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
        let piece = Piece::of(piece)?;
        let (_turn, mut state) = self.0.begin(py)?;
        state.check_open()?;
        if let Some(first) = state.conflicting_kind(kind) {
            return Err(mixing_error(first, kind));
        }
        if state.is_stopped() {
            drop(state);
            return Err(self.0.stop_error(py));
        }
        let text = state.core.feed(&piece);
        drop(state);
        self.0
            .pass_on(py, PyString::from_bytes(py, text.as_bytes()))
    }

    /// End the text, and return the rest: nothing, or U+FFFD for a character that never ended.
    ///
    /// Raises the ``StreamDecodeError`` of a ``"strict"`` assembler. Closing again returns ``""``.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let (_turn, mut state) = self.0.begin(py)?;
        let was_open = state.begin_close();
        let mut text = String::new();
        if was_open && !state.is_stopped() {
            (text, state.core.error) = state.core.core.close();
        }
        if state.is_stopped() {
            drop(state);
            return Err(self.0.stop_error(py));
        }
        drop(state);
        self.0
            .pass_on(py, PyString::from_bytes(py, text.as_bytes()))
    }

    /// The error that a ``"strict"`` assembler met, or ``None``; later calls raise it.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.failure(py)
    }

    fn __repr__(&self) -> &'static str {
        "<millstream.TextAssembler>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("TextAssembler"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }
}
