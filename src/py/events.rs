//! The events of a call, and the objects of either class that are made of them.

use std::marker::PhantomData;

use pyo3::prelude::*;
use pyo3::types::PyList;
use smallvec::SmallVec;

use super::convert::{Make, list};
use super::event::{PlacedEvent, PlainEvent, PyServerSentEvent};
use super::growing::Growing;
use super::httpx_event::PyHttpxEvent;
use super::plain::{Scratch, Span};
use crate::frames::Large;
use crate::sse::{Event, EventSink};

/// Gathers events, whose objects are made afterwards.
pub struct Events<'a> {
    scratch: Scratch<'a>,
    found: SmallVec<[Found; 8]>,
    others: SmallVec<[PlainEvent; 1]>,
}

/// An event. Most have data and nothing else, so these are small.
#[derive(Clone, Copy)]
pub enum Found {
    /// One that has data and nothing else.
    Data(Span),
    /// Another one, by its number.
    Other(usize),
}

/// A class of events.
pub trait Class {
    /// The object for an event.
    fn object(py: Python<'_>, event: PyServerSentEvent) -> PyResult<Bound<'_, PyAny>>;
}

impl Class for PyServerSentEvent {
    #[inline]
    fn object(py: Python<'_>, event: PyServerSentEvent) -> PyResult<Bound<'_, PyAny>> {
        Ok(Bound::new(py, event)?.into_any())
    }
}

impl Class for PyHttpxEvent {
    #[inline]
    fn object(py: Python<'_>, event: PyServerSentEvent) -> PyResult<Bound<'_, PyAny>> {
        Ok(Bound::new(py, Self(event))?.into_any())
    }
}

/// An event, with what it was found among, and the text that its data may be the rest of.
struct Placed<'a, C>(Found, &'a Events<'a>, &'a Growing, PhantomData<C>);

impl<C: Class> Make for Placed<'_, C> {
    #[inline]
    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Self(found, events, begun, _) = self;
        let event = match found {
            Found::Data(data) => PyServerSentEvent::of_data(py, events.scratch.bytes(*data)),
            Found::Other(number) => {
                PlacedEvent(&events.others[*number], &events.scratch, begun).read(py)?
            }
        };
        C::object(py, event)
    }
}

impl<'a> Events<'a> {
    /// No events yet, of a call with this data.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            scratch: Scratch::new(data),
            found: SmallVec::new(),
            others: SmallVec::new(),
        }
    }

    /// Puts an event in that has more than data.
    #[inline(never)]
    fn push_other(&mut self, event: PlainEvent) {
        self.found.push(Found::Other(self.others.len()));
        self.others.push(event);
    }

    /// The list of the objects.
    #[inline]
    pub fn list<'py, C: Class>(
        &self,
        py: Python<'py>,
        begun: &Growing,
    ) -> PyResult<Bound<'py, PyList>> {
        let events = self.found.iter();
        list(
            py,
            events.map(|found| Placed::<C>(*found, self, begun, PhantomData)),
        )
    }

    /// The event, if there is one only.
    #[inline]
    pub fn single(&self) -> Option<Found> {
        match self.found.as_slice() {
            [found] => Some(*found),
            _ => None,
        }
    }

    /// The object for an event.
    #[inline]
    pub fn object<'py, C: Class>(
        &self,
        py: Python<'py>,
        found: Found,
        begun: &Growing,
    ) -> PyResult<Bound<'py, PyAny>> {
        Placed::<C>(found, self, begun, PhantomData).make(py)
    }
}

impl EventSink for Events<'_> {
    #[inline]
    fn event(&mut self, event: Event<'_>) {
        if event.event.is_empty() && event.id.is_empty() && event.retry.is_none() {
            let data = self.scratch.push_bytes(event.data);
            self.found.push(Found::Data(data));
        } else {
            let event = PlainEvent::new(&event, &mut self.scratch);
            self.push_other(event);
        }
    }

    fn large(&mut self, event: Event<'_>, data: Large) {
        let event = PlainEvent::large(&event, &mut self.scratch, data);
        self.push_other(event);
    }
}
