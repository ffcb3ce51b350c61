//! Deltas → bytes of a wire: the output of `_feed_wire`.

use std::sync::MutexGuard;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::buffer;
use super::state::lock;
use super::wire_writer::{PyWireWriter, end_error, writer_for};
use crate::delta::{Delta, ResponseInfo, Sink};
use crate::wire::WireWriter;

/// The bytes that a writer makes of the deltas of a call.
///
/// The writer is locked at the first of them, under the decoder's lock, until the bytes are asked for.
pub struct WireBytes<'w, 'py> {
    py: Python<'py>,
    writer: &'w PyWireWriter,
    locked: Option<MutexGuard<'w, WireWriter>>,
    out: Vec<u8>,
    /// Nothing but the text of choice 0 is written.
    is_text_only: bool,
    /// The writer was closed by another thread in the meantime.
    is_refused: bool,
}

impl<'w, 'py> WireBytes<'w, 'py> {
    /// No bytes yet; raises if `writer`, the argument of `method`, cannot write them.
    #[inline]
    pub fn new(method: &str, writer: &'w Bound<'py, PyAny>, is_text_only: bool) -> PyResult<Self> {
        let (py, writer) = (writer.py(), writer_for(method, writer)?);
        Ok(Self {
            py,
            writer,
            locked: None,
            out: buffer::take(),
            is_text_only,
            is_refused: false,
        })
    }

    /// The bytes. Unlocks the writer.
    pub fn bytes(&mut self) -> PyResult<Bound<'py, PyBytes>> {
        self.locked = None;
        if self.is_refused {
            return Err(end_error("_feed_wire"));
        }
        Ok(PyBytes::new(self.py, &self.out))
    }

    /// The bytes as one chunk, of which the writer's times take note.
    pub fn chunk(&mut self) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.bytes()?;
        if let (Some(times), false) = (self.writer.times.get(), self.out.is_empty()) {
            times.get().note(self.py);
        }
        Ok(bytes)
    }

    /// Calls `write` with the writer, if it is open.
    #[inline]
    fn write(&mut self, write: impl FnOnce(&mut WireWriter, &mut Vec<u8>)) {
        if self.locked.is_none() {
            self.lock();
        }
        match &mut self.locked {
            Some(writer) if !self.is_refused => write(writer, &mut self.out),
            _ => {}
        }
    }

    fn lock(&mut self) {
        let writer = lock(&self.writer.core, self.py);
        self.is_refused = writer.has_ended();
        self.locked = Some(writer);
    }
}

impl Drop for WireBytes<'_, '_> {
    fn drop(&mut self) {
        buffer::keep(std::mem::take(&mut self.out));
    }
}

impl Sink for WireBytes<'_, '_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        match &delta.text {
            _ if !self.is_text_only => self.write(|writer, out| writer.delta(out, delta)),
            Some(text) => self.text(delta.index, text),
            None => {}
        }
    }

    #[inline]
    fn text(&mut self, index: u32, text: &str) {
        if index == 0 || !self.is_text_only {
            self.write(|writer, out| writer.text(out, index, text));
        }
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        if !self.is_text_only {
            self.write(|writer, _| writer.response_info(info));
        }
    }
}
