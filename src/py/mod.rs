//! The Python module `millstream._core`: one file per class. The glue translates, it never decides.

// A method of a Python class takes `self`, whether it needs it or not.
#![allow(clippy::unused_self)]
// The documentation of the classes is the Python half's, word for word.
#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes)]

mod buffer;
mod chunk_times;
mod connection;
mod convert;
mod core_delta;
mod decode;
mod decoding;
mod delta;
mod encode;
mod event;
mod events;
mod failure;
mod growing;
mod httpx_event;
mod partial;
mod payloads;
mod plain;
mod relay;
mod sinks;
mod sse;
mod state;
mod text;
mod tool_call_delta;
mod wire_bytes;
mod wire_writer;

use pyo3::prelude::*;

/// The native half of the core.
#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::chunk_times::PyChunkTimes;
    #[pymodule_export]
    use super::connection::PyHttpConnection;
    #[pymodule_export]
    use super::decode::PyStreamDecoder;
    #[pymodule_export]
    use super::delta::PyDelta;
    #[pymodule_export]
    use super::encode::encode_sse;
    #[pymodule_export]
    use super::event::PyServerSentEvent;
    #[pymodule_export]
    use super::partial::PyJsonAssembler;
    #[pymodule_export]
    use super::relay::PyRecordRelay;
    #[pymodule_export]
    use super::sse::PySseParser;
    #[pymodule_export]
    use super::text::PyTextAssembler;
    #[pymodule_export]
    use super::tool_call_delta::PyToolCallDelta;
    #[pymodule_export]
    use super::wire_writer::PyWireWriter;

    /// Adds the second class of its name, and sets the module of the function, as the attributes of the classes do.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let httpx_event = module.py().get_type::<super::httpx_event::PyHttpxEvent>();
        module.add("HTTPXServerSentEvent", httpx_event)?;
        module
            .getattr("encode_sse")?
            .setattr("__module__", "millstream")
    }

    /// Whether this is a debug build, which must not be timed.
    #[pymodule_export]
    const DEBUG_BUILD: bool = cfg!(debug_assertions);
}
