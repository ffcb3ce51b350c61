//! `ServerSentEvent`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::convert::{
    Argument, check_fields, immutable, optional, read_json, reduced, repr, string,
};
use super::growing::Growing;
use super::plain::{Scratch, Span};
use crate::frames::Large;
use crate::sse::Event;

const NAME: &str = "ServerSentEvent";
const FIELDS: [&str; 4] = ["event", "data", "id", "retry"];

/// One event of a stream: immutable, comparable, picklable.
///
/// ``event`` is its type, ``data`` the data lines joined by LF, ``id`` the last event ID of the
/// stream as of this event, ``retry`` the reconnection time in milliseconds that came in the
/// event's own block, or ``None``.
///
/// >>> from millstream import ServerSentEvent
/// >>> ServerSentEvent(data='{"ok": true}').json()
/// {'ok': True}
#[pyclass(frozen, name = "ServerSentEvent", module = "millstream")]
pub struct PyServerSentEvent {
    /// `None` stands for `"message"`, which costs no reference.
    event: Option<Py<PyString>>,
    /// The data lines, joined by LF.
    #[pyo3(get)]
    data: Py<PyString>,
    /// `None` stands for `""`.
    id: Option<Py<PyString>>,
    /// The reconnection time in milliseconds from this event's own block, or ``None``.
    #[pyo3(get)]
    retry: Option<u64>,
}

/// An event whose fields stand in a [`Scratch`].
pub struct PlainEvent {
    event: Span,
    data: Span,
    /// The data where it is large.
    large: Option<Box<Large>>,
    id: Span,
    retry: Option<u64>,
}

impl PlainEvent {
    /// `event`, with its fields copied to `room`.
    #[inline]
    pub fn new(event: &Event<'_>, scratch: &mut Scratch<'_>) -> Self {
        // Most events have no type and no id.
        let mut place = |field: &[u8]| {
            if field.is_empty() {
                Span::default()
            } else {
                scratch.push_bytes(field)
            }
        };
        // The type that servers name most often is the one of an event without a type, which costs no string.
        let kind = if event.event == b"message" {
            b""
        } else {
            event.event
        };
        Self {
            event: place(kind),
            data: place(event.data),
            large: None,
            id: place(event.id.as_bytes()),
            retry: event.retry,
        }
    }
}

impl PlainEvent {
    /// `event`, with its data in a buffer of its own.
    pub fn large(event: &Event<'_>, scratch: &mut Scratch<'_>, data: Large) -> Self {
        Self {
            large: Some(Box::new(data)),
            ..Self::new(event, scratch)
        }
    }
}

impl PyServerSentEvent {
    /// An event that has `data` and nothing else.
    #[inline]
    pub fn of_data(py: Python<'_>, data: &[u8]) -> Self {
        Self {
            event: None,
            data: string(py, data).unbind(),
            id: None,
            retry: None,
        }
    }
}

/// An event, with the room that its fields stand in, and the text that its data may be the rest of.
pub struct PlacedEvent<'a>(pub &'a PlainEvent, pub &'a Scratch<'a>, pub &'a Growing);

impl PlacedEvent<'_> {
    /// The event.
    pub fn read(&self, py: Python<'_>) -> PyResult<PyServerSentEvent> {
        let Self(event, scratch, begun) = self;
        let field = |span: Span| (!span.is_empty()).then(|| scratch.bytes(span));
        let data = match event.large.as_deref() {
            None => string(py, scratch.bytes(event.data)),
            Some(large) if large.is_rest => begun.finish(py, large.data())?,
            Some(large) => string(py, large.data()),
        };
        Ok(PyServerSentEvent {
            event: field(event.event).map(|event| string(py, event).unbind()),
            data: data.unbind(),
            id: optional(py, field(event.id))?.map(Bound::unbind),
            retry: event.retry,
        })
    }
}

impl PyServerSentEvent {
    /// An event of `fields` that a user gave.
    pub fn checked(fields: &Bound<'_, PyTuple>) -> PyResult<Self> {
        check_fields(NAME, fields)?;
        let (event, data, id, retry) = fields.extract()?;
        Ok(Self {
            event: Some(event),
            data,
            id: Some(id),
            retry,
        })
    }

    /// The data lines, joined by LF.
    pub fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.data.bind(py).clone()
    }

    /// The reconnection time.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// The fields, in their order.
    pub fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (self.event(py), &self.data, self.id(py), self.retry).into_pyobject(py)
    }
}

#[pymethods]
impl PyServerSentEvent {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    #[new]
    #[pyo3(
        signature = (
            event=Argument::Default, data=Argument::Default, id=Argument::Default, retry=Argument::Default
        ),
        text_signature = "(event='message', data='', id='', retry=None)"
    )]
    fn new(
        py: Python<'_>,
        event: Argument<'_>,
        data: Argument<'_>,
        id: Argument<'_>,
        retry: Argument<'_>,
    ) -> PyResult<Self> {
        let (event, data, id) = (event.or("message", py)?, data.or("", py)?, id.or("", py)?);
        Self::checked(&PyTuple::new(
            py,
            [event, data, id, retry.or(py.None(), py)?],
        )?)
    }

    /// The event's type: ``"message"`` where the stream named none.
    #[getter]
    pub fn event<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let message = || intern!(py, "message").clone();
        self.event
            .as_ref()
            .map_or_else(message, |event| event.bind(py).clone())
    }

    /// The last event ID of the stream as of this event: ``""`` if it never had one.
    #[getter]
    pub fn id<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let empty = || intern!(py, "").clone();
        self.id
            .as_ref()
            .map_or_else(empty, |id| id.bind(py).clone())
    }

    /// Return the data as JSON; raises ``json.JSONDecodeError``, a ``ValueError``, if it is not valid JSON.
    ///
    /// Lone surrogates become U+FFFD.
    pub fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_json(self.data.bind(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(NAME, &FIELDS, &self.fields(py)?)
    }

    // PyO3 returns `NotImplemented` for an object of another type.
    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        self.fields(py)?.eq(other.fields(py)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.fields(py)?.hash()
    }

    fn __setattr__(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = (name, value);
        Err(immutable(NAME))
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        let _ = name;
        Err(immutable(NAME))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        reduced(py, NAME, self.fields(py)?)
    }
}
