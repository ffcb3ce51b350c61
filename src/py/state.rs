//! The state that every class with `feed` and `close` keeps beside its core object: closed, failed, in use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;
use pyo3::{PyTraverseError, PyVisit};

use super::failure::{Failure, make_exception, to_error};
use crate::error::Error;

/// A core object that an error in its input may stop.
pub trait Core: Send {
    /// Whether an error stopped it.
    fn has_failed(&self) -> bool;

    /// The error that stopped it.
    fn failure(&self) -> Option<Failure>;
}

/// An assembler, and the error that stopped it.
pub struct Stoppable<T> {
    /// The assembler.
    pub core: T,
    /// The error.
    pub error: Option<Error>,
}

impl<T: Send> Core for Stoppable<T> {
    fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    fn failure(&self) -> Option<Failure> {
        self.error.clone().map(Failure::from)
    }
}

/// How long a thread sleeps before it looks again whether another one's call is over.
const WAIT: Duration = Duration::from_micros(50);

/// A core object that any thread may use, so that its class can be frozen.
///
/// The lock is held while the core runs, and no Python code runs under it: properties always answer. So
/// no Python object is made under it but strings, which cannot start the collector. A call of `feed` or `close` has its [`Turn`] until its objects are
/// made too: other threads wait for it, and the same thread (a callback of the collector, a profiler,
/// a signal handler) gets an exception.
pub struct Shared<T> {
    state: Mutex<State<T>>,
    /// The thread whose turn it is, as [`thread_id`] names it; 0 for none. Set under the lock.
    owner: AtomicUsize,
    /// The exception for the core's failure, once it was asked for. The collector visits it, without
    /// a lock that it would have to wait for.
    failure: OnceLock<Py<PyAny>>,
}

/// The core object, and how it stands.
pub struct State<T> {
    /// The core object.
    pub core: T,
    is_closed: bool,
    /// An exception was raised between reading data and returning its output.
    is_interrupted: bool,
    /// The kind of input, or of output, that the first call decided.
    kind: Option<&'static str>,
}

/// One call of `feed` or `close`, until it is dropped.
pub struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

/// An address that no other running thread has.
#[inline]
fn thread_id() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

/// Locks `mutex`; a thread that has to wait lets others run Python code.
#[inline]
pub fn lock<'a, V>(mutex: &'a Mutex<V>, py: Python<'_>) -> MutexGuard<'a, V> {
    match mutex.try_lock() {
        Ok(locked) => locked,
        Err(TryLockError::Poisoned(locked)) => locked.into_inner(),
        Err(TryLockError::WouldBlock) => wait_for(mutex, py),
    }
}

#[cold]
fn wait_for<'a, V>(mutex: &'a Mutex<V>, py: Python<'_>) -> MutexGuard<'a, V> {
    let locked = mutex.lock_py_attached(py);
    locked.unwrap_or_else(PoisonError::into_inner)
}

impl<T: Core> Shared<T> {
    /// `core`, open and sound.
    pub fn new(core: T) -> Self {
        Self {
            owner: AtomicUsize::new(0),
            state: Mutex::new(State {
                core,
                is_closed: false,
                is_interrupted: false,
                kind: None,
            }),
            failure: OnceLock::new(),
        }
    }

    /// Begins a call of `feed` or `close`, and locks the state; waits for the calls of other threads.
    #[inline]
    pub fn begin(&self, py: Python<'_>) -> PyResult<(Turn<'_>, MutexGuard<'_, State<T>>)> {
        let thread = thread_id();
        let state = self.lock(py);
        let owner = self.owner.load(Ordering::Acquire);
        let state = if owner == 0 {
            state
        } else {
            drop(state);
            self.wait(py, owner, thread)?
        };
        self.owner.store(thread, Ordering::Relaxed);
        Ok((Turn(&self.owner), state))
    }

    /// Waits for the call of `owner`, another thread, and locks the state when no call is running.
    #[cold]
    fn wait(
        &self,
        py: Python<'_>,
        mut owner: usize,
        thread: usize,
    ) -> PyResult<MutexGuard<'_, State<T>>> {
        loop {
            if owner == thread {
                return Err(PyRuntimeError::new_err("feed() is running"));
            }
            // Rare enough that the end of the other call costs nothing for it.
            py.detach(|| std::thread::sleep(WAIT));
            py.check_signals()?;
            let state = self.lock(py);
            owner = self.owner.load(Ordering::Acquire);
            if owner == 0 {
                return Ok(state);
            }
        }
    }

    /// Locks the state: until it is unlocked no Python code may run, and no Python object but a string may be made.
    #[inline]
    pub fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State<T>> {
        lock(&self.state, py)
    }

    /// The exception for the error that stopped the core, made when it is asked for first.
    ///
    /// The core keeps its error, so an exception that is raised while this one is made loses nothing.
    pub fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.failure.get().is_none() {
            let Some(failure) = self.lock(py).core.failure() else {
                return Ok(None);
            };
            // Another thread may have been quicker: the first exception stays.
            let _ = self.failure.set(make_exception(py, &failure)?.unbind());
        }
        Ok(self.failure.get().map(|failure| failure.bind(py).clone()))
    }

    /// The exception of a call after [`State::is_stopped`] says that nothing more can be read.
    #[cold]
    pub fn stop_error(&self, py: Python<'_>) -> PyErr {
        match self.failure(py) {
            Err(error) => error,
            Ok(Some(failure)) => to_error(failure),
            Ok(None) => PyRuntimeError::new_err(
                "an exception interrupted feed() or close(): part of the stream is lost",
            ),
        }
    }

    /// Passes on the objects `made` of the data that was read. An exception means that the data is lost.
    #[inline]
    pub fn pass_on<V>(&self, py: Python<'_>, made: PyResult<V>) -> PyResult<V> {
        made.inspect_err(|_| self.interrupt(py))
    }

    #[cold]
    fn interrupt(&self, py: Python<'_>) {
        self.lock(py).is_interrupted = true;
    }

    /// Raises the failure that the core met in closing, with the items that came before it.
    pub fn check_close(&self, py: Python<'_>, items: &Bound<'_, PyList>) -> PyResult<()> {
        let Some(failure) = self.failure(py)? else {
            return Ok(());
        };
        failure.setattr(intern!(py, "items"), items)?;
        Err(to_error(failure))
    }

    /// Visits the kept objects for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.failure.get())
    }
}

impl<T: Core> State<T> {
    /// Raises where `close` was called.
    #[inline]
    pub fn check_open(&self) -> PyResult<()> {
        if self.is_closed {
            return Err(PyValueError::new_err("feed() after close()"));
        }
        Ok(())
    }

    /// Whether nothing more can be read: the core failed, or output was lost.
    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.is_interrupted || self.core.has_failed()
    }

    /// Returns the kind that the first call decided, if it is another one.
    #[inline]
    pub fn conflicting_kind(&mut self, kind: &'static str) -> Option<&'static str> {
        // Nearly always it is the very same string, which is quicker to see than that it is equal.
        Some(*self.kind.get_or_insert(kind))
            .filter(|first| !std::ptr::eq(*first, kind) && *first != kind)
    }

    /// Marks the object as closed; returns whether it was open.
    pub fn begin_close(&mut self) -> bool {
        !std::mem::replace(&mut self.is_closed, true)
    }
}

/// The exception of `__reduce__` for a class that does not pickle.
pub fn unpicklable(name: &str) -> PyErr {
    PyTypeError::new_err(format!("{name} objects cannot be pickled"))
}
