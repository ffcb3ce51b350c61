//! `ChunkTimes`.

use std::sync::Mutex;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::state::{lock, unpicklable};

const BOUNDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Measures the times of one stream's chunks; its clock starts with the object.
///
/// A decoder that writes with a measured writer counts each call that returns records as a chunk. ``BOUNDS`` are the
/// upper bounds of the histogram in seconds, each inclusive.
#[pyclass(frozen, name = "ChunkTimes", module = "millstream")]
pub struct PyChunkTimes {
    start: Instant,
    chunks: Mutex<Chunks>,
}

/// The chunks so far.
#[derive(Clone, Copy)]
struct Chunks {
    last: Instant,
    first: Option<f64>,
    counts: [u64; BOUNDS.len() + 1],
    total: f64,
}

#[pymethods]
impl PyChunkTimes {
    #[classattr]
    #[allow(non_snake_case)]
    fn BOUNDS(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, BOUNDS)
    }

    #[new]
    pub fn new() -> Self {
        let start = Instant::now();
        let chunks = Chunks {
            last: start,
            first: None,
            counts: Default::default(),
            total: 0.0,
        };
        Self {
            start,
            chunks: Mutex::new(chunks),
        }
    }

    /// The seconds from the object's creation to the first chunk, or ``None`` if there was none.
    #[getter]
    fn first(&self, py: Python<'_>) -> Option<f64> {
        lock(&self.chunks, py).first
    }

    /// How many chunks came how long after the one before: one count for each bound, and one beyond them.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let counts = lock(&self.chunks, py).counts;
        PyTuple::new(py, counts)
    }

    /// The seconds from the first chunk to the last one.
    #[getter]
    fn total(&self, py: Python<'_>) -> f64 {
        lock(&self.chunks, py).total
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let chunks = *lock(&self.chunks, py);
        let later: u64 = chunks.counts.iter().sum();
        let count = later + u64::from(chunks.first.is_some());
        format!("<millstream.ChunkTimes of {count} chunks>")
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("ChunkTimes"))
    }
}

impl PyChunkTimes {
    /// Takes note of a chunk.
    pub fn note(&self, py: Python<'_>) {
        let mut chunks = lock(&self.chunks, py);
        let now = Instant::now();
        if chunks.first.is_none() {
            chunks.first = Some((now - self.start).as_secs_f64());
        } else {
            let seconds = (now - chunks.last).as_secs_f64();
            let place = BOUNDS.partition_point(|bound| *bound < seconds);
            if let Some(count) = chunks.counts.get_mut(place) {
                *count += 1;
            }
            chunks.total += seconds;
        }
        chunks.last = now;
    }
}
