//! `ServerSentEvent`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::convert::{
    Argument, Make, check_fields, immutable, optional, read_json, reduced, repr, string,
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
        Self {
            event: place(event.event),
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

/// The data of an event that has nothing else.
pub struct PlacedData<'a>(pub &'a [u8]);

impl Make for PlacedData<'_> {
    #[inline]
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let made = Bound::new(
            py,
            PyServerSentEvent {
                event: None,
                data: string(py, self.0).unbind(),
                id: None,
                retry: None,
            },
        );
        Ok(made?.into_any())
    }
}

/// An event, with the room that its fields stand in, and the text that its data may be the rest of.
pub struct PlacedEvent<'a>(pub &'a PlainEvent, pub &'a Scratch<'a>, pub &'a Growing);

impl Make for PlacedEvent<'_> {
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Self(event, scratch, begun) = self;
        let field = |span: Span| (!span.is_empty()).then(|| scratch.bytes(span));
        let data = match event.large.as_deref() {
            None => string(py, scratch.bytes(event.data)),
            Some(large) if large.is_rest => begun.finish(py, large.data())?,
            Some(large) => string(py, large.data()),
        };
        let made = Bound::new(
            py,
            PyServerSentEvent {
                event: field(event.event).map(|event| string(py, event).unbind()),
                data: data.unbind(),
                id: optional(py, field(event.id))?.map(Bound::unbind),
                retry: event.retry,
            },
        );
        Ok(made?.into_any())
    }
}

impl PyServerSentEvent {
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
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
        let fields = PyTuple::new(py, [event, data, id, retry.or(py.None(), py)?])?;
        check_fields(NAME, &fields)?;
        let (event, data, id, retry) = fields.extract()?;
        Ok(Self {
            event: Some(event),
            data,
            id: Some(id),
            retry,
        })
    }

    /// The event's type: ``"message"`` where the stream named none.
    #[getter]
    fn event<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let message = || intern!(py, "message").clone();
        self.event
            .as_ref()
            .map_or_else(message, |event| event.bind(py).clone())
    }

    /// The last event ID of the stream as of this event: ``""`` if it never had one.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let empty = || intern!(py, "").clone();
        self.id
            .as_ref()
            .map_or_else(empty, |id| id.bind(py).clone())
    }

    /// Return the data as JSON; raises ``json.JSONDecodeError``, a ``ValueError``, if it is not valid JSON.
    ///
    /// Lone surrogates become U+FFFD.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
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
