//! The error that stopped a core object, and the exception for it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::Error;

/// The content of the exception for an error of a core object.
pub struct Failure {
    /// The error.
    pub error: Error,
    /// Choice 0's text before it, and whether that is all of it.
    pub text: String,
    pub has_whole_text: bool,
    /// How many deltas, or events, came before it.
    pub deltas_seen: u64,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            text: String::new(),
            has_whole_text: true,
            deltas_seen: 0,
        }
    }
}

/// The exception for what stopped a core object.
pub fn make_exception<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    let error = &failure.error;
    let name = if let Error::EventTooLarge { .. } = error {
        intern!(py, "EventTooLargeError")
    } else {
        intern!(py, "StreamDecodeError")
    };
    let details = PyDict::new(py);
    details.set_item(intern!(py, "offset"), error.offset())?;
    details.set_item(
        intern!(py, "frame"),
        error.frame().map(|frame| PyBytes::new(py, frame)),
    )?;
    details.set_item(intern!(py, "text"), &failure.text)?;
    details.set_item(intern!(py, "text_complete"), failure.has_whole_text)?;
    details.set_item(intern!(py, "deltas_seen"), failure.deltas_seen)?;
    let class = py.import(intern!(py, "millstream.errors"))?.getattr(name)?;
    class.call((error.to_string(),), Some(&details))
}

/// The error that raises `failure`, without the frames that raised it before.
pub fn to_error(failure: Bound<'_, PyAny>) -> PyErr {
    let py = failure.py();
    match failure.setattr(intern!(py, "__traceback__"), py.None()) {
        Ok(()) => PyErr::from_value(failure),
        Err(error) => error,
    }
}
