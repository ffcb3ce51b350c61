//! `WireWriter`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::buffer;
use super::chunk_times::PyChunkTimes;
use super::convert::{Argument, bytes_for};
use super::core_delta::with_delta;
use super::delta::PyDelta;
use super::state::{lock, unpicklable};
use crate::json::{is_valid, write_compact};
use crate::utf8;
use crate::wire::{Failure, Part, Settings, Source, Unsupported, WireName, WireWriter};

/// Writes one answer of a model as the bytes that a client reads, one call per increment.
///
/// ``wire`` is the client's format:
///
/// * ``"openai.chat"``, ``"openai.completions"``, ``"openai.responses"``: the event streams that OpenAI's SDKs read;
/// * ``"vercel.ui"``: the UI message stream of npm ``ai``, version 1;
/// * ``"ag-ui"``: the events of AG-UI 1.0;
/// * ``"ndjson"``: one JSON object a line, with ``text``, ``reasoning``, ``refusal`` or ``tool_calls``; the last
///   line has ``finish_reason`` or ``error``;
/// * ``"text"``: the text in UTF-8, and nothing else.
///
/// ``id`` names the answer: ``chatcmpl-<id>``, ``resp_<id>``, ``msg_<id>``, AG-UI's run. ``created`` are the seconds
/// since 1970. A writer has no clock and makes no random numbers: the same calls return the same bytes. OpenAI's
/// wires carry ``model``; if it is empty, a decoder that writes into this object fills in the provider's name.
/// ``include_usage=False`` leaves out the count of tokens. ``all_choices=True`` writes every choice where a wire
/// can carry them (``openai.chat``, ``openai.completions``, ``ndjson``), in place of choice 0 alone. AG-UI's
/// events have ``thread_id`` and ``run_id``, which default to ``id``.
///
/// Every method returns the bytes to send, which may be empty. The finish reason and the usage are written by
/// ``close``. A part that a wire cannot carry raises :class:`~millstream.errors.UnsupportedError`. Some parts are
/// left out instead: reasoning and tool calls on ``text`` and ``openai.completions``, results of tools there and
/// on ``openai.chat``, log probabilities and audio on wires that do not know them. A table is in
/// ``docs/explanation/wires.md``.
/// After ``close`` or ``fail``, every method raises :class:`ValueError`.
///
/// >>> from millstream import Delta, WireWriter
/// >>> writer = WireWriter("ndjson", "a1", 1700000000)
/// >>> writer.write_text("Hel") + writer.write(Delta(0, None, "lo", finish_reason="stop"))
/// b'{"text":"Hel"}\n{"text":"lo"}\n'
/// >>> writer.close()
/// b'{"finish_reason":"stop"}\n'
#[pyclass(frozen, name = "WireWriter", module = "millstream")]
pub struct PyWireWriter {
    /// Locked while the core writes. Neither Python code runs nor is an object made under the lock.
    pub core: Mutex<WireWriter>,
    name: WireName,
    /// The core's end has been written; set under the lock. Reading it takes none.
    has_ended: AtomicBool,
    /// The times of its chunks, if they are measured.
    pub times: OnceLock<Py<PyChunkTimes>>,
}

#[pymethods]
impl PyWireWriter {
    #[new]
    #[pyo3(
        signature = (
            wire, id, created, *, model=Argument::Default, include_usage=Argument::Default,
            all_choices=Argument::Default, thread_id=Argument::Default, run_id=Argument::Default
        ),
        text_signature = "(wire, id, created, *, model='', include_usage=True, all_choices=False, thread_id='', run_id='')"
    )]
    #[allow(clippy::too_many_arguments)]
    fn new(
        wire: &Bound<'_, PyAny>,
        id: &Bound<'_, PyAny>,
        created: &Bound<'_, PyAny>,
        model: Argument<'_>,
        include_usage: Argument<'_>,
        all_choices: Argument<'_>,
        thread_id: Argument<'_>,
        run_id: Argument<'_>,
    ) -> PyResult<Self> {
        let py = wire.py();
        let options = PyDict::new(py);
        options.set_item(intern!(py, "model"), model.or("", py)?)?;
        options.set_item(intern!(py, "include_usage"), include_usage.or(true, py)?)?;
        options.set_item(intern!(py, "all_choices"), all_choices.or(false, py)?)?;
        options.set_item(intern!(py, "thread_id"), thread_id.or("", py)?)?;
        options.set_item(intern!(py, "run_id"), run_id.or("", py)?)?;
        let check = wire_values(py)?.getattr(intern!(py, "check_wire_options"))?;
        let checked = check.call1((wire, id, created, options))?;
        let (wire, id, created, options) =
            checked.extract::<(String, _, _, Bound<'_, PyDict>)>()?;
        let option = |name| options.as_any().get_item(name);
        let settings = Settings {
            id,
            created,
            model: option(intern!(py, "model"))?.extract()?,
            include_usage: option(intern!(py, "include_usage"))?.extract()?,
            all_choices: option(intern!(py, "all_choices"))?.extract()?,
            thread_id: option(intern!(py, "thread_id"))?.extract()?,
            run_id: option(intern!(py, "run_id"))?.extract()?,
        };
        let name = WireName::from_name(&wire)
            .ok_or_else(|| PyValueError::new_err(format!("unknown wire {wire}")))?;
        let core = Mutex::new(WireWriter::new(name, settings));
        Ok(Self {
            core,
            name,
            has_ended: AtomicBool::new(false),
            times: OnceLock::new(),
        })
    }

    /// The client's format.
    #[getter]
    fn wire(&self) -> &'static str {
        self.name.name()
    }

    /// Whether ``close`` or ``fail`` has been called.
    #[getter]
    fn ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Return the bytes before the first delta, which most wires do not have; nothing when called again.
    ///
    /// If it was not called, the first call of another method returns them too.
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.write_with(py, "start", None, |_, _| {})
    }

    /// Return the records of ``delta``: its reasoning, text, refusal, tool calls, log probabilities and audio.
    ///
    /// A delta of another choice than 0 has no records without ``all_choices``. Its finish reason and its usage are
    /// kept for ``close``. An error of the provider is not written: call ``fail``.
    fn write<'py>(&self, delta: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = delta.py();
        let Ok(delta) = delta.cast::<PyDelta>() else {
            let kind = delta.get_type().name()?;
            let message = format!("write() takes a Delta, not {kind}");
            return Err(PyTypeError::new_err(message));
        };
        with_delta(py, delta.get(), |delta| {
            self.write_with(py, "write", None, |writer, out| writer.delta(out, delta))
        })?
    }

    /// Return the records of a piece of choice 0's text; nothing for an empty string.
    fn write_text<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let text = checked_text("text", text)?;
        let content = text.to_str()?;
        self.write_with(text.py(), "write_text", None, |writer, out| {
            if !content.is_empty() {
                writer.text(out, 0, content);
            }
        })
    }

    /// Return the records of a tool's result: the tool calls before it are complete, and a new message follows.
    ///
    /// ``openai.chat``, ``openai.completions`` and ``text`` leave it out, and ``vercel.ui`` if its call was not
    /// written: their clients have no place for it.
    fn write_tool_result<'py>(
        &self,
        tool_call_id: &Bound<'py, PyAny>,
        text: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let id = checked_text("tool_call_id", tool_call_id)?;
        let text = checked_text("text", text)?;
        let (id, content) = (id.to_str()?, text.to_str()?);
        self.write_with(text.py(), "write_tool_result", None, |writer, out| {
            writer.tool_result(out, id, content);
        })
    }

    /// Return the records of a source that the answer cites.
    #[pyo3(
        signature = (url, *, title=Argument::Default, id=Argument::Default),
        text_signature = "($self, url, *, title='', id='')"
    )]
    fn write_source<'py>(
        &self,
        url: &Bound<'py, PyAny>,
        title: Argument<'py>,
        id: Argument<'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = url.py();
        let url = checked_text("url", url)?;
        let title = checked_text("title", &title.or("", py)?)?;
        let id = checked_text("id", &id.or("", py)?)?;
        let source = Source {
            url: url.to_str()?,
            title: title.to_str()?,
            id: id.to_str()?,
        };
        self.write_with(py, "write_source", Some(Part::Sources), |writer, out| {
            writer.source(out, &source);
        })
    }

    /// Return the records of ``json``, a JSON value that is neither text nor a message, such as a chain's output.
    fn write_data<'py>(&self, json: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let json = bytes_for("write_data", json)?;
        let text = utf8::decode(json.as_bytes());
        if !is_valid(&text) {
            let message = "write_data() takes one JSON value of at most 128 levels";
            return Err(PyValueError::new_err(message));
        }
        let mut document = Vec::with_capacity(text.len());
        write_compact(&mut document, &text);
        self.write_with(json.py(), "write_data", Some(Part::Data), |writer, out| {
            writer.data(out, &document);
        })
    }

    /// Return the records that replace ``dropped`` records, which a slow client did not get.
    ///
    /// ``text`` is all of the answer's text so far. Only text and reasoning can be dropped: after tool calls,
    /// sources or data this raises :class:`~millstream.errors.UnsupportedError`.
    fn write_snapshot<'py>(
        &self,
        text: &Bound<'py, PyAny>,
        dropped: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let text = checked_text("text", text)?;
        let dropped = checked_number("dropped", dropped, 0, (1 << 53) - 1)?;
        let content = text.to_str()?;
        let part = Some(Part::Snapshots);
        self.write_with(text.py(), "write_snapshot", part, |writer, out| {
            writer.snapshot(out, content, dropped);
        })
    }

    /// Return the end of an answer that failed: the ends of what is open, and the error, for a client to see.
    ///
    /// No finish reason is written, and no end mark where the wire has one for whole answers only. ``text`` has no
    /// errors: nothing is returned, and the connection must be cut.
    #[pyo3(
        signature = (message, *, r#type=Argument::Default, code=None, status=Argument::Default),
        text_signature = "($self, message, *, type='server_error', code=None, status=500)"
    )]
    fn fail<'py>(
        &self,
        message: &Bound<'py, PyAny>,
        r#type: Argument<'py>,
        code: Option<Bound<'py, PyAny>>,
        status: Argument<'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = message.py();
        let message = checked_text("message", message)?;
        let kind = checked_text("type", &r#type.or("server_error", py)?)?;
        let code = code.map(|code| checked_text("code", &code)).transpose()?;
        let status = checked_number("status", &status.or(500, py)?, 100, 599)?;
        let failure = Failure {
            message: message.to_str()?,
            kind: kind.to_str()?,
            code: code.as_ref().map(|code| code.to_str()).transpose()?,
            status,
        };
        self.write_with(py, "fail", None, |writer, out| writer.fail(out, &failure))
    }

    /// Return the end of an answer that is complete: the finish reason, the usage, and the wire's end mark.
    ///
    /// A choice without a finish reason ended with ``tool_calls`` if it called tools, and with ``stop`` otherwise.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.write_with(py, "close", None, WireWriter::close)
    }

    /// Name the model where no name is known. Records that show the name all show the one that the first did.
    fn _name_model(&self, name: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = checked_text("model", name)?;
        let text = name.to_str()?;
        lock(&self.core, name.py()).name_model(text);
        Ok(())
    }

    /// Measure the times of the chunks that decoders write from now on; return the object with them.
    fn _measure(&self, py: Python<'_>) -> PyResult<Py<PyChunkTimes>> {
        let times = if let Some(times) = self.times.get() {
            times
        } else {
            let times = Py::new(py, PyChunkTimes::new())?;
            self.times.get_or_init(|| times)
        };
        Ok(times.clone_ref(py))
    }

    fn __repr__(&self) -> String {
        format!("<millstream.WireWriter '{}'>", self.name.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("WireWriter"))
    }
}

impl PyWireWriter {
    /// Returns the bytes that `write` makes, with those before the first delta if they are not written yet. Raises
    /// after the end, and where the wire cannot carry `part`.
    fn write_with<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        part: Option<Part>,
        write: impl FnOnce(&mut WireWriter, &mut Vec<u8>),
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = buffer::take();
        let written = {
            let mut writer = lock(&self.core, py);
            if writer.has_ended() {
                return Err(end_error(method));
            }
            let checked = part.map_or(Ok(()), |part| writer.check(part));
            checked.map(|()| {
                writer.begin(&mut out);
                write(&mut writer, &mut out);
                let has_ended = writer.has_ended();
                self.has_ended.store(has_ended, Ordering::Release);
            })
        };
        written.map_err(|Unsupported(part)| self.unsupported(py, part))?;
        let bytes = PyBytes::new(py, &out);
        buffer::keep(out);
        Ok(bytes)
    }

    /// The error for a part that the wire cannot carry.
    #[cold]
    fn unsupported(&self, py: Python<'_>, part: Part) -> PyErr {
        let error = wire_values(py).and_then(|values| {
            let make = values.getattr(intern!(py, "unsupported_on_wire"))?;
            make.call1((self.name.name(), part.name()))
        });
        error.map_or_else(|error| error, PyErr::from_value)
    }
}

/// The argument of `method` that writes records; raises if its answer has ended.
#[inline]
pub fn writer_for<'a>(method: &str, writer: &'a Bound<'_, PyAny>) -> PyResult<&'a PyWireWriter> {
    let Ok(found) = writer.cast::<PyWireWriter>() else {
        let kind = writer.get_type().name()?;
        let message = format!("{method}() takes a WireWriter, not {kind}");
        return Err(PyTypeError::new_err(message));
    };
    let found = found.get();
    if found.ended() {
        return Err(end_error(method));
    }
    Ok(found)
}

/// The error for a call after the end of the answer.
#[cold]
pub fn end_error(method: &str) -> PyErr {
    PyValueError::new_err(format!("{method}() after the end of the answer"))
}

/// The module with the functions in Python that both halves check arguments with.
fn wire_values(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "millstream._wire_values"))
}

/// The argument `name`, checked as the pure half does: a string without lone halves of surrogate pairs.
fn checked_text<'py>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = value.cast_exact::<PyString>()
        && text.to_str().is_ok()
    {
        return Ok(text.clone());
    }
    let py = value.py();
    let text = wire_values(py)?.call_method1(intern!(py, "check_wire_text"), (name, value))?;
    Ok(text.cast_into::<PyString>()?)
}

/// The argument `name`, checked as the pure half does: an integer of a range.
fn checked_number(name: &str, value: &Bound<'_, PyAny>, least: u64, most: u64) -> PyResult<u64> {
    let py = value.py();
    let arguments = (name, value, least, most);
    let checked = wire_values(py)?.call_method1(intern!(py, "check_wire_number"), arguments)?;
    checked.extract()
}
