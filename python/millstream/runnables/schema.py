"""The path that LangChain has for the types of stream events; nothing in this package imports it."""

from __future__ import annotations

from ..events.event_dicts import BaseStreamEvent, CustomStreamEvent, EventData, StandardStreamEvent
from ..events.schema import StreamEvent

__all__ = ("BaseStreamEvent", "CustomStreamEvent", "EventData", "StandardStreamEvent", "StreamEvent")
