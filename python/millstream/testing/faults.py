"""What can go wrong with an answer, as values: give one to :class:`~millstream.testing.Reply`.

``after`` counts the pieces that are sent before the fault; chat's role frame is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ("Cut", "ErrorFrame", "ErrorStatus", "Fault", "Refuse", "Stall", "fault_named")


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """An error status in place of an answer, with ``headers`` (``retry-after``, say) and a JSON body.

    ``body`` defaults to an OpenAI error object with ``message`` and ``code``.
    """

    status: int = 500
    message: str = "the mock server was told to fail"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """An error object inside the stream, after ``after`` pieces; the body then ends as it should.

    Without streaming it is the whole body, under status 200, as some proxies do it. ``done`` says
    whether ``[DONE]`` follows.
    """

    after: int = 3
    message: str = "overloaded"
    type: str = "server_error"
    code: str | None = None
    done: bool = False

    @property
    def error(self) -> dict[str, Any]:
        """The provider's error object, as it is sent."""
        return {"message": self.message, "type": self.type, "param": None, "code": self.code}


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer stops after ``after`` pieces, and so does the connection.

    ``how`` is ``"reset"`` (RST), ``"fin"`` (closed without the terminating chunk) or ``"end"`` (the
    body ends as HTTP wants it, but without ``[DONE]``, and the connection lives on). ``inside``
    sends half of the next frame before that.
    """

    after: int = 3
    how: Literal["reset", "fin", "end"] = "reset"
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """The answer pauses after ``after`` pieces until ``server.release()`` or until the client leaves.

    ``comment_every`` sends a comment line every so many seconds meanwhile, as proxies do to keep a
    connection open. ``after=-1`` pauses before the response's head.
    """

    after: int = 3
    comment_every: float | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is reset in place of a response head."""


Fault = ErrorStatus | ErrorFrame | Cut | Stall | Refuse

_NAMED: dict[str, Callable[[int], Fault]] = {
    "status": lambda number: ErrorStatus(number),
    "error": lambda number: ErrorFrame(after=number),
    "reset": lambda number: Cut(after=number, how="reset"),
    "fin": lambda number: Cut(after=number, how="fin"),
    "end": lambda number: Cut(after=number, how="end"),
    "stall": lambda number: Stall(after=number),
    "refuse": lambda number: Refuse(),
}


def fault_named(name: str) -> Fault:
    """Return the fault that ``name`` stands for on the command line, in a header or in a model's name.

    ``status:429``, ``error:3``, ``reset:3``, ``fin:3``, ``end:3``, ``stall:3`` (the number is
    ``after``; without it, 3 and for a status 500) or ``refuse``. Raises :class:`ValueError` for
    anything else.
    """
    kind, _, number = name.partition(":")
    if kind not in _NAMED or not (number.isdecimal() or number == ""):
        raise ValueError(f"no fault is named {name!r}: one of {', '.join(_NAMED)}, with :NUMBER where it fits")
    return _NAMED[kind](int(number) if number else (500 if kind == "status" else 3))
