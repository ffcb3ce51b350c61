"""The event of httpx-sse's interface."""

from typing import Any, Self

from .._values import check_fields, read_json

__all__ = ("HTTPXServerSentEvent",)


class HTTPXServerSentEvent:
    """A server-sent event of httpx-sse's interface; an argument that is empty or ``None`` is the field's default.

    ``event`` is its type, ``data`` the data lines joined by LF, ``id`` the last event ID of the stream as of
    this event, ``retry`` the reconnection time in milliseconds that came in the event's own block, or ``None``.

    >>> from millstream.integrations.httpx_sse import ServerSentEvent
    >>> ServerSentEvent(data='{"ok": true}', id="7")
    ServerSentEvent(event='message', data='{"ok": true}', id='7')
    """

    __module__ = "millstream.integrations.httpx_sse"
    __slots__ = ("__weakref__", "_fields")
    _fields: tuple[str, str, str, int | None]

    def __new__(
        cls, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> Self:
        fields = (event or "message", data or "", id or "", retry)
        check_fields("ServerSentEvent", fields)
        return cls._made(fields)

    @classmethod
    def _made(cls, fields: tuple[str, str, str, int | None]) -> Self:
        """Return an event of ``fields`` that are known to be right."""
        self = object.__new__(cls)
        self._fields = fields
        return self

    @property
    def event(self) -> str:
        """The event's type: ``"message"`` where the stream named none."""
        return self._fields[0]

    @property
    def data(self) -> str:
        """The data lines, joined by LF."""
        return self._fields[1]

    @property
    def id(self) -> str:
        """The last event ID of the stream as of this event: ``""`` if it never had one."""
        return self._fields[2]

    @property
    def retry(self) -> int | None:
        """The reconnection time in milliseconds from this event's own block, or ``None``."""
        return self._fields[3]

    def json(self) -> Any:
        """Return the data as JSON; raises ``json.JSONDecodeError``, a ``ValueError``, if it is not valid JSON.

        Lone surrogates become U+FFFD.
        """
        return read_json(self.data)

    def __repr__(self) -> str:
        event, data, id, retry = self._fields
        shown = [f"event={event!r}"]
        shown += [f"{name}={text!r}" for name, text in (("data", data), ("id", id)) if text]
        shown += [] if retry is None else [f"retry={retry}"]
        return f"ServerSentEvent({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._fields


HTTPXServerSentEvent.__name__ = HTTPXServerSentEvent.__qualname__ = "ServerSentEvent"
