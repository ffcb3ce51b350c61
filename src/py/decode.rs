//! `StreamDecoder`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use pyo3::{PyTraverseError, PyVisit};

use super::connection::PyHttpConnection;
use super::convert::{
    Argument, affixes, asks_for_one, bytes, bytes_for, describe_seen, optional, read_error,
    read_kept, string,
};
use super::decoding::{
    DELTAS, Decoding, PARTS, PAYLOADS, RECORDS, TEXT, WIRE_RECORDS, twice, with_items,
};
use super::payloads::PayloadTexts;
use super::sinks::{Deltas, Parts, RecordBytes, Texts};
use super::state::unpicklable;
use super::wire_bytes::WireBytes;
use crate::decode::{Ended, Format, StreamDecoder};

/// Decodes a model's stream, bytes in and deltas out.
///
/// >>> from millstream import StreamDecoder
/// >>> decoder = StreamDecoder("openai.completions")
/// >>> decoder.feed_text(b'data: {"choices": [{"text": "Hel"}]}\n\ndata: {"choices": [{"te')
/// ['Hel']
/// >>> decoder.feed_text(b'xt": "lo", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
/// ['lo']
/// >>> decoder.close_text(), decoder.finish_reason, decoder.ended
/// ([], 'stop', '[DONE]')
///
/// ``feed`` takes the bytes of the network reads, cut anywhere: the outputs and the error are the same however they
/// are cut. A decoder returns deltas (``feed``, ``close``), the text of choice 0 (``feed_text``, ``close_text``, which
/// make no object per delta), or records of that text (``feed_records``, ``close_records``); the first call decides.
///
/// ``format``
///     the provider's format, such as ``"openai.chat"``; with ``"auto"``, the first payload that has one decides.
/// ``n``
///     how many choices were requested. With ``n=1`` the first choice of a payload is choice 0 whatever its index,
///     for some servers count tokens there, and its other choices are left out. Any other value changes nothing.
/// ``surrogates``
///     what becomes of a character whose two surrogate halves come in different payloads: ``"join"`` holds the
///     first half back until the second comes, ``"replace"`` makes each U+FFFD, as a half alone always is.
/// ``max_event_size``
///     the most bytes of one event, or of a body that is one JSON document.
///
/// Raises :class:`ValueError` for an unknown format. Where a stream breaks, ``failure`` is a
/// :class:`~millstream.errors.StreamError`, which later calls raise.
#[pyclass(frozen, name = "StreamDecoder", module = "millstream")]
pub struct PyStreamDecoder(Decoding);

#[pymethods]
impl PyStreamDecoder {
    #[new]
    #[pyo3(
        signature = (format, *, n=None, surrogates=Argument::Default, max_event_size=Argument::Default),
        text_signature = "(format, *, n=None, surrogates='join', max_event_size=16777216)"
    )]
    fn new(
        py: Python<'_>,
        format: &Bound<'_, PyAny>,
        n: Option<&Bound<'_, PyAny>>,
        surrogates: Argument<'_>,
        max_event_size: Argument<'_>,
    ) -> PyResult<Self> {
        let known: Vec<&str> = Format::all().map(Format::name).collect();
        let name = Argument::Value(format.clone()).option("format", "", &known)?;
        let has_one_choice = asks_for_one(n)?;
        let surrogates = surrogates.option("surrogates", "join", &["join", "replace"])?;
        let size = max_event_size.event_size()?;
        let format = Format::from_name(&name)
            .ok_or_else(|| PyValueError::new_err(format!("unknown format {name}")))?;
        let mut core = StreamDecoder::new(format, surrogates == "join", size);
        if has_one_choice {
            core = core.of_one_choice();
        }
        Ok(Self(Decoding::new(py, core)))
    }

    /// Empty until the stream is over. Drivers test it after every read: the truth value of a list costs a
    /// tenth of a property.
    #[getter]
    fn _finished<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        self.0.finished(py)
    }

    /// Take from now on what arrives on ``connection`` as it is, behind the head of its response.
    fn _attach_connection(&self, connection: &PyHttpConnection) -> PyResult<()> {
        self.0.attach(connection)
    }

    /// Return the deltas that ``data`` completes.
    ///
    /// The call that meets an error returns what came before it and sets ``failure``. Bytes after
    /// the end are passed over. Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError``
    /// after ``close`` or if the decoder hands out text.
    fn feed<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (py, data) = (data.py(), bytes(data)?);
        let data = data.as_bytes();
        self.0
            .feed_into(py, data, &DELTAS, &mut Deltas::new(data), |deltas| {
                deltas.list(py)
            })
    }

    /// End the stream, and return the deltas that its end completes.
    ///
    /// A last frame without its blank line counts if it is the end mark or a whole JSON document.
    /// Raises ``failure`` if there is one; one met here has its ``items``. Closing again returns an
    /// empty list.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0
            .close_into(py, &DELTAS, &mut Deltas::new(b""), |deltas| {
                deltas.list(py).map(twice)
            })
    }

    /// Return the text of choice 0 that ``data`` completes, one string per delta.
    ///
    /// A delta whose finish reason comes without text gives ``""``; other deltas without text give
    /// nothing. Errors are those of ``feed``.
    fn feed_text<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (py, data) = (data.py(), bytes_for("feed_text", data)?);
        let texts = &mut Texts::new(py);
        self.0
            .feed_into(py, data.as_bytes(), &TEXT, texts, Texts::list)
    }

    /// Do what ``close`` does, for a decoder that hands out text.
    fn close_text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0.close_into(py, &TEXT, &mut Texts::new(py), |texts| {
            texts.list().map(twice)
        })
    }

    /// Return a record for each string that ``feed_text`` would give, one behind the other.
    ///
    /// A record is ``prefix``, the string as JSON (with U+2028, U+2029 and U+0085 escaped), and
    /// ``suffix``. Errors are those of ``feed``.
    fn feed_records<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        prefix: &Bound<'py, PyAny>,
        suffix: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (py, data) = (data.py(), bytes_for("feed_records", data)?);
        let (prefix, suffix) = affixes("feed_records", prefix, suffix)?;
        let mut records = RecordBytes::new(prefix.as_bytes(), suffix.as_bytes());
        self.0
            .feed_into(py, data.as_bytes(), &RECORDS, &mut records, |records| {
                Ok(records.bytes(py))
            })
    }

    /// Do what ``close`` does, for a decoder that hands out records; ``items`` has them in one piece.
    fn close_records<'py>(
        &self,
        prefix: &Bound<'py, PyAny>,
        suffix: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = prefix.py();
        let (prefix, suffix) = affixes("close_records", prefix, suffix)?;
        let mut records = RecordBytes::new(prefix.as_bytes(), suffix.as_bytes());
        self.0.close_into(py, &RECORDS, &mut records, |records| {
            with_items(records.bytes(py))
        })
    }

    /// Return the parts of choice 0 that ``data`` completes.
    ///
    /// A string is a delta that has text and nothing else, a ``Delta`` is any other one (usage and
    /// errors too). A tuple describes the response from there on: its first id, the model, the
    /// system fingerprint, the service tier; a later id changes nothing. Errors are those of ``feed``.
    fn _feed_parts<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (py, data) = (data.py(), bytes_for("_feed_parts", data)?);
        let data = data.as_bytes();
        self.0
            .feed_into(py, data, &PARTS, &mut Parts::new(data, None), |parts| {
                parts.list(py)
            })
    }

    /// Return the payloads that ``data`` completes, in their order.
    ///
    /// A string is a payload that has text of choice 0 and nothing else but the role of the assistant.
    /// A tuple is any other one: its JSON text, and the text of choice 0 in it, or ``None``. In both,
    /// the text is that of ``feed``: surrogate halves are joined or replaced, and what was held back to the
    /// end comes as a string. A payload with an error does not come out. Errors are those of ``feed``.
    fn feed_payloads<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let (py, data) = (data.py(), bytes_for("feed_payloads", data)?);
        let mut payloads = PayloadTexts::new(data.as_bytes());
        self.0
            .feed_into(py, data.as_bytes(), &PAYLOADS, &mut payloads, |payloads| {
                payloads.list(py)
            })
    }

    /// Do what ``_feed_parts`` does, with records in place of strings, as many in one ``bytes`` as there are.
    ///
    /// A record is that of ``feed_records``. Where there is nothing else, the ``bytes`` come alone, in no list.
    fn _feed_record_parts<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        prefix: &Bound<'py, PyAny>,
        suffix: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, data) = (data.py(), bytes_for("_feed_record_parts", data)?);
        let (prefix, suffix) = affixes("_feed_record_parts", prefix, suffix)?;
        let around = (prefix.as_bytes(), suffix.as_bytes());
        let mut parts = Parts::new(data.as_bytes(), Some(around));
        self.0
            .feed_into(py, data.as_bytes(), &PARTS, &mut parts, |parts| {
                parts.records(py)
            })
    }

    /// Do what ``close`` does, for a decoder that hands out parts.
    fn _close_parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0
            .close_into(py, &PARTS, &mut Parts::new(b"", None), |parts| {
                parts.list(py).map(twice)
            })
    }

    /// Do what ``close`` does, for a decoder that hands out payloads.
    fn close_payloads<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let mut payloads = PayloadTexts::new(b"");
        self.0.close_into(py, &PAYLOADS, &mut payloads, |payloads| {
            payloads.list(py).map(twice)
        })
    }

    /// Write the deltas that ``data`` completes, and return the records.
    ///
    /// With ``text_only``, they are those of choice 0's text alone. Otherwise the writer gets the model's name too.
    /// Raises :class:`ValueError`, before anything is read, if the writer's answer has ended. Errors are those of
    /// ``feed``. The writer's times, if they are measured, take note of a chunk where there are records.
    #[pyo3(signature = (data, writer, text_only=false))]
    fn _feed_wire<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        writer: &Bound<'py, PyAny>,
        text_only: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (py, data) = (data.py(), bytes_for("_feed_wire", data)?);
        let mut records = WireBytes::new("_feed_wire", writer, text_only)?;
        self.0.feed_into(
            py,
            data.as_bytes(),
            &WIRE_RECORDS,
            &mut records,
            WireBytes::chunk,
        )
    }

    /// Do what ``close`` does, for a decoder that writes records; ``items`` has them in one piece.
    ///
    /// The end of the answer is not written.
    #[pyo3(signature = (writer, text_only=false))]
    fn _close_wire<'py>(
        &self,
        writer: &Bound<'py, PyAny>,
        text_only: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = writer.py();
        let mut records = WireBytes::new("_close_wire", writer, text_only)?;
        self.0
            .close_into(py, &WIRE_RECORDS, &mut records, |records| {
                with_items(records.bytes()?)
            })
    }

    /// The name of the stream's format; with ``"auto"`` it is that until the format is found.
    #[getter]
    fn format(&self, py: Python<'_>) -> &'static str {
        self.0.shared.lock(py).core.format().name()
    }

    /// Why choice 0 ended, in the provider's word, or ``None`` while it has not.
    #[getter]
    fn finish_reason(&self, py: Python<'_>) -> Option<String> {
        let state = self.0.shared.lock(py);
        state.core.finish_reason().map(str::to_owned)
    }

    /// The last usage object the provider sent, or ``None``.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let usage = self.0.shared.lock(py).core.usage().map(str::to_owned);
        let usage = optional(py, usage.as_deref().map(str::as_bytes))?;
        usage.as_ref().map(read_kept).transpose()
    }

    /// The error the provider sent inside the stream, with a ``message`` in every case, or ``None``.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let error = self.0.shared.lock(py).core.error().map(str::to_owned);
        let error = optional(py, error.as_deref().map(str::as_bytes))?;
        error.as_ref().map(read_error).transpose()
    }

    /// How the stream ended, or ``None`` while it has not.
    ///
    /// ``"[DONE]"`` and ``"error"`` are the provider's words. ``close`` says ``"eof"`` if every
    /// choice that had begun is finished, and ``"truncated"`` if one is not, or none had begun.
    #[getter]
    fn ended(&self, py: Python<'_>) -> Option<&'static str> {
        let ended = self.0.shared.lock(py).core.ended();
        ended.map(Ended::name)
    }

    /// Whether nothing more can come out: the stream ended or failed.
    #[getter]
    fn done(&self, py: Python<'_>) -> bool {
        self.0.shared.lock(py).core.is_done()
    }

    /// The error in the stream's bytes that ended the decoding, or ``None``; later calls raise it.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.shared.failure(py)
    }

    /// The text of choice 0 so far: its first ``max_event_size`` UTF-8 bytes, whole characters.
    #[getter]
    fn text(&self, py: Python<'_>) -> String {
        self.0.shared.lock(py).core.text().to_owned()
    }

    /// Whether ``text`` is all of choice 0's text so far.
    #[getter]
    fn text_complete(&self, py: Python<'_>) -> bool {
        self.0.shared.lock(py).core.has_whole_text()
    }

    /// Keep all of choice 0's text, and its log probabilities, from now on.
    fn _keep_text(&self, py: Python<'_>) {
        self.0.shared.lock(py).core.keep_text();
    }

    /// The text of choice 0 as far as it is kept.
    #[getter]
    fn _kept_text(&self, py: Python<'_>) -> String {
        self.0.shared.lock(py).core.kept_text().to_owned()
    }

    /// The log probabilities of choice 0's deltas, where they are kept.
    #[getter]
    fn _kept_logprobs<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let texts = self.0.shared.lock(py).core.kept_logprobs().to_vec();
        let read = |text: String| read_kept(&string(py, text.as_bytes()));
        texts.into_iter().map(read).collect()
    }

    /// How many deltas had text, reasoning, a refusal, a tool call or audio.
    #[getter]
    fn _contents_seen(&self, py: Python<'_>) -> u64 {
        self.0.shared.lock(py).core.contents_seen()
    }

    /// How many deltas were decoded, those counted too that ``feed_text`` gives no text for.
    #[getter]
    fn deltas_seen(&self, py: Python<'_>) -> u64 {
        self.0.shared.lock(py).core.deltas_seen()
    }

    /// A description of the stream in words, for a stream that ended without output.
    ///
    /// The number of frames, the event or the keys of the first one, and, where no frame came, the first
    /// bytes and what the stream lacks: line ends, or blank lines.
    #[getter]
    fn seen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let state = self.0.shared.lock(py);
        let (seen, format) = (state.core.seen().clone(), state.core.format());
        let is_nothing = state.core.deltas_seen() == 0;
        drop(state);
        let is_nothing = is_nothing && format != Format::AUTO;
        describe_seen(py, &seen, is_nothing.then(|| format.name()))
    }

    /// Whether a choice has begun.
    #[getter]
    fn _has_choices(&self, py: Python<'_>) -> bool {
        self.0.shared.lock(py).core.has_choices()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let format = self.0.shared.lock(py).core.format();
        format!("<millstream.StreamDecoder '{}'>", format.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("StreamDecoder"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }
}
