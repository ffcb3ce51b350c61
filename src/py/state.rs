//! What every class with `feed` and `close` keeps beside its core object: closed, failed, in use.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyList, PyString};

/// A core object behind a lock, so that its class can be frozen.
pub struct Shared<T>(Mutex<State<T>>);

/// The core object, and how it stands.
pub struct State<T> {
    /// The core object.
    pub core: T,
    is_closed: bool,
    failure: Option<Py<PyAny>>,
    /// What the first call decided: the kind of input, or of output.
    kind: Option<&'static str>,
}

impl<T> Shared<T> {
    /// `core`, open and sound.
    pub fn new(core: T) -> Self {
        Self(Mutex::new(State {
            core,
            is_closed: false,
            failure: None,
            kind: None,
        }))
    }

    /// Locks; whoever waits lets other threads run Python.
    pub fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State<T>>
    where
        T: Send,
    {
        self.0
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Raises what `feed` raises once its argument is known to be of a right type.
    pub fn check_feed(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open()?;
        self.check_sound(py)
    }

    /// Raises where `close` was called.
    pub fn check_open(&self) -> PyResult<()> {
        if self.is_closed {
            return Err(PyValueError::new_err("feed() after close()"));
        }
        Ok(())
    }

    /// Raises the failure, where there is one.
    pub fn check_sound(&self, py: Python<'_>) -> PyResult<()> {
        match &self.failure {
            None => Ok(()),
            Some(failure) => Err(PyErr::from_value(failure.bind(py).clone())),
        }
    }

    /// Returns the kind that the first call decided, if it is another one.
    pub fn other_kind(&mut self, kind: &'static str) -> Option<&'static str> {
        // Nearly always it is the very same string, which is quicker to see than that it is equal.
        Some(*self.kind.get_or_insert(kind))
            .filter(|first| !std::ptr::eq(*first, kind) && *first != kind)
    }

    /// Marks the object as closed; returns whether it was open.
    pub fn begin_close(&mut self) -> bool {
        !std::mem::replace(&mut self.is_closed, true)
    }

    /// The exception that stopped the object.
    pub fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.failure.as_ref().map(|failure| failure.clone_ref(py))
    }

    /// Keeps the exception that stopped the object, which `make` makes, where none is kept.
    pub fn fail<'py>(
        &mut self,
        make: impl FnOnce(&T) -> Option<PyResult<Bound<'py, PyAny>>>,
    ) -> PyResult<()> {
        if self.failure.is_none()
            && let Some(failure) = make(&self.core)
        {
            self.failure = Some(failure?.unbind());
        }
        Ok(())
    }
}

/// What `close` gives: the items, or the failure that it `met`, with the items inside.
pub fn closed(met: Option<Py<PyAny>>, items: Bound<'_, PyList>) -> PyResult<Bound<'_, PyList>> {
    let Some(failure) = met else {
        return Ok(items);
    };
    let failure = failure.into_bound(items.py());
    failure.setattr(intern!(items.py(), "items"), items)?;
    Err(PyErr::from_value(failure))
}

/// What `__reduce__` of a class that does not pickle raises.
pub fn unpicklable(name: &str) -> PyErr {
    PyTypeError::new_err(format!("{name} objects cannot be pickled"))
}

/// An optional string for Python.
pub fn optional<'py>(py: Python<'py>, text: Option<&str>) -> Option<Bound<'py, PyString>> {
    text.map(|text| PyString::new(py, text))
}
