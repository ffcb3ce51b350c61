"""``Reply``: the mock server's response to one request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import Endless, ErrorFrame, Fault, Stall
from .http import Framing

__all__ = ("PiecesFor", "Reply", "Timing")

PiecesFor = Callable[[str, int], Sequence[str]]
"""Returns the pieces for a prompt, and for the index of a choice among the choices of that prompt."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a response is sent, in seconds since its request: its head, each of its writes, its end."""

    head: float
    writes: Sequence[float]
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response to one request; with the defaults, the server is a well-behaved one.

    ``pieces``
        the text, piece by piece, or a callable that returns them for a prompt; by default the sample
        of LangChain's page. The finish reason comes with the last piece where that is empty, else
        with one more, empty piece. ``max_tokens`` shortens the sample alone.
    ``echo``
        send the user's last message back, word by word, in place of ``pieces``. A request for the model
        ``echo`` asks for it.
    ``tool_calls``
        the tools that a chat response calls: mappings of ``name``, ``args`` (a mapping, or a text that is
        sent unchanged) and optionally ``id``. Such a response has no text unless ``pieces`` is set,
        and its finish reason is ``"tool_calls"``.
    ``reasoning``
        the reasoning before the text, piece by piece, or a callable like that of ``pieces``; in formats that have it.
    ``usage``
        members of the provider's usage object, beside the counted ones or in their place.
    ``finish_reason``
        the finish reason in OpenAI's words, which other formats translate, or another one, which is
        sent unchanged; ``None`` leaves every choice unfinished.
    ``done``
        whether the stream's end mark is sent: ``[DONE]``, ``message_stop``, ``"done": true``, a closing bracket.
    ``model``
        the model in the frames; by default the requested one.
    ``pace``
        seconds from one piece to the next.
    ``first_delay``
        seconds from the head of a stream to its first piece, or from the request to an answer that does not stream.
    ``pieces_per_write``
        frames in one write, which is one HTTP chunk.
    ``bytes_per_write``
        splits every write further, for tiny ones.
    ``body``
        sent unchanged in place of a generated body: bytes, or the list of writes; ``pace`` is then
        between writes, and ``Cut``, ``Stall`` and ``ErrorFrame`` count writes.
    ``timing``
        when the head, each write of ``body`` and the end are sent; in place of ``pace``.
    ``status``, ``content_type``, ``headers``
        of the response; ``content_type`` is for streams and for ``body``, by default that of the path's format.
    ``framing``
        how the body's end is marked: ``"chunked"``, ``"length"``, ``"close"`` (with a ``connection: close``
        header) or ``"http/1.0"`` (closed too, without that header).
    ``fault``
        one fault, or several in a tuple.
    """

    pieces: Sequence[str] | PiecesFor | None = None
    echo: bool = False
    tool_calls: Sequence[Mapping[str, Any]] = ()
    reasoning: Sequence[str] | PiecesFor = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str | None = "stop"
    done: bool = True
    model: str | None = None
    pace: float = 0.0
    first_delay: float = 0.0
    pieces_per_write: int = 1
    bytes_per_write: int | None = None
    body: bytes | Sequence[bytes] | None = None
    timing: Timing | None = None
    status: int = 200
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = "chunked"
    fault: Fault | tuple[Fault, ...] | None = None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults, as a tuple."""
        if self.fault is None:
            return ()
        return self.fault if isinstance(self.fault, tuple) else (self.fault,)

    def __post_init__(self) -> None:
        """Refuse invalid combinations."""
        if self.pieces_per_write < 1 or (self.bytes_per_write is not None and self.bytes_per_write < 1):
            raise ValueError("pieces_per_write and bytes_per_write must be at least 1")
        for name, seconds in (("pace", self.pace), ("first_delay", self.first_delay)):
            if not 0 <= seconds <= 60:
                raise ValueError(f"{name} must be between 0 and 60 seconds")
        if self.framing == "length" and any(map(_lengthens, self.faults)):
            raise ValueError("framing must be another than 'length' with a fault that changes the body's length")


def _lengthens(fault: Fault) -> bool:
    return isinstance(fault, ErrorFrame | Endless) or (isinstance(fault, Stall) and fault.comment_every is not None)
