//! Text that is put together in Python.

use std::sync::OnceLock;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{PyTraverseError, PyVisit};

use super::convert::string;

/// A `GrowingText`, once there is a need for it: Python alone can make a string longer where it stands.
#[derive(Default)]
pub struct Growing(OnceLock<Py<PyAny>>);

impl Growing {
    /// Appends `piece`, which ends with a whole character.
    pub fn append(&self, py: Python<'_>, piece: &[u8]) -> PyResult<()> {
        self.call(py, intern!(py, "append"), piece)?;
        Ok(())
    }

    /// The whole text, of which `piece` is the end; the next one starts with nothing.
    pub fn finish<'py>(&self, py: Python<'py>, piece: &[u8]) -> PyResult<Bound<'py, PyString>> {
        let text = self.call(py, intern!(py, "finish"), piece)?;
        Ok(text.cast_into::<PyString>()?)
    }

    /// Visits the kept objects for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.0.get())
    }

    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        piece: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let text = if let Some(text) = self.0.get() {
            text
        } else {
            let module = py.import(intern!(py, "millstream._growing"))?;
            let text = module.getattr(intern!(py, "GrowingText"))?.call0()?;
            self.0.get_or_init(|| text.unbind())
        };
        text.bind(py).call_method1(method, (string(py, piece),))
    }
}
