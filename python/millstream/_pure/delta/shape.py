"""The shape that the payloads of every format are read into, and the base of what reads them."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from ..._provider_errors import find_own_error
from ..._values import read_error, read_kept
from ..json import SURELY_SHALLOW, Document, LazyJson, Path, is_exact, shallow
from ..text import join_surrogates
from .tools import MAX_INDEX, Entry

__all__ = (
    *("INFO_MEMBERS", "Blocks", "Choice", "Family", "InvalidPayloadError", "Payload", "Unidentified"),
    *(
        "as_arguments",
        "as_id",
        "as_index",
        "as_text",
        "count_usage",
        "find_error",
        "is_bare",
        "only_texts",
        "read_function",
    ),
)

INFO_MEMBERS = ("id", "model", "system_fingerprint", "service_tier")
"""The members that describe the response. The first is kept once, the others whenever they change."""

MAX_BLOCKS = 1024
"""How many blocks of an answer are kept apart."""


class InvalidPayloadError(Exception):
    """A payload is not valid, for the reason that is the exception's text."""


@dataclass(slots=True)
class Choice:
    """What a payload has for one choice."""

    index: int
    role: str | None = None
    content: list[tuple[str, str]] = field(default_factory=list)
    """Pieces of the answer in order, none of them empty: ``"text"`` or ``"reasoning"``, and the string."""
    reasoning: list[str] = field(default_factory=list)
    """Pieces of reasoning that stand beside the content, none of them empty."""
    refusal: list[str] = field(default_factory=list)
    """Pieces of a refusal, none of them empty."""
    entries: list[Entry] = field(default_factory=list)
    """Pieces of tool calls."""
    finish_reason: str | None = None
    logprobs: LazyJson | None = None
    audio: LazyJson | None = None
    is_whole: bool = False
    """Whether each entry is a call: these are those of a whole message."""
    may_repeat: bool = False
    """Whether all but the end counts only as long as the choice has handed out nothing."""


@dataclass(slots=True)
class Payload:
    """What a payload has."""

    choices: list[Choice] = field(default_factory=list)
    usage: LazyJson | None = None
    error: LazyJson | None = None
    ends: bool = False
    """Whether it is the format's own end of a stream."""
    is_plain: bool = True
    """Whether it says no more than its text, if that is all that comes out."""


class Family:
    """The base of the families of formats: an instance reads the payloads of one stream.

    ``one`` says that the first choice of a payload is choice 0 whatever its index, and the only one.
    """

    __slots__ = ("format", "one")

    role: ClassVar[str] = "assistant"
    """The role that a payload may have which is text and nothing else."""
    is_wrapped: ClassVar[bool] = False
    """Whether payloads may be wrapped in others, which :meth:`unwrap` takes off."""

    def __init__(self, format: str, *, one: bool) -> None:
        self.format = format
        """The name of the format."""
        self.one = one

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        """Return whether ``payload``, whose frame has the name ``event``, is surely one of ``format``."""
        return False

    def find_text(self, raw: bytes) -> str | dict[str, Any] | None:
        """Return the text of an ordinary payload: text for choice 0 and nothing else.

        A ``dict`` is the value of a payload of another kind; ``None`` says that the payload is neither, or has to be
        read with more care. It is called once choice 0 has handed something out.
        """
        try:
            payload = orjson.loads(raw)
        except ValueError:
            return None
        try:
            text = self.pick_text(payload)
        except (KeyError, TypeError, ValueError, AttributeError):
            text = None
        if text and type(text) is str:
            return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
        return payload if type(payload) is dict and is_exact(raw) else None

    def pick_text(self, payload: Any) -> Any:
        """Return the text of ``payload`` if it is an ordinary one, which :meth:`find_text` asks for.

        What has another form may raise what Python does.
        """
        return None

    def find_arguments(self, payload: Any) -> tuple[int, str] | None:
        """Return the index of a tool call of choice 0 and a piece of its arguments, where ``payload`` has that alone.

        It is called once choice 0 has a tool call. ``None`` says that the payload is of another kind.
        """
        return None

    def unwrap(self, payload: dict[str, Any], document: Document, event: str) -> tuple[str, bytes] | None:
        """Return the payload inside of ``payload``, the value of ``document``, if there is one, and its event's name.

        Raises :class:`InvalidPayloadError`.
        """
        return None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        """Read ``payload``, the value of ``document``, whose frame has the name ``event``.

        ``is_body`` says that it is a whole answer.
        """
        raise NotImplementedError

    def find_error_event(self, payload: dict[str, Any], document: Document) -> LazyJson | None:
        """Return the error in ``payload``, of an event ``error``, where the format puts it in a way of its own."""
        return None

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        """Return the strings in ``payload`` that describe the response, under the names of :data:`INFO_MEMBERS`."""
        return {}


class Unidentified(Family):
    """The family of payloads whose format is not known: only an error is."""

    __slots__ = ()

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        return Payload(error=find_error(payload, document, is_known=False, is_typed=True))


def is_bare(payload: dict[str, Any]) -> bool:
    """Return whether ``payload`` has no member that an error may be in."""
    return "error" not in payload and "object" not in payload


class Blocks:
    """Which block of an answer began last: what its readers know of a piece that comes alone."""

    __slots__ = ("_begun", "last")

    def __init__(self) -> None:
        # So many at most, and the others count as not begun.
        self._begun: set[Any] = set()
        self.last: Any = None

    def begin(self, index: Any) -> None:
        """Begin the block ``index``."""
        self.last = index
        if len(self._begun) < MAX_BLOCKS:
            self._begun.add(index)

    def next_index(self) -> int:
        """Return the index of a block that begins without one, where indexes are numbers."""
        return 0 if self.last is None else self.last + 1

    def is_last(self, index: Any) -> bool:
        """Return whether ``index`` is the block that began last; one that has not begun begins with this piece."""
        if index == self.last:
            return True
        if index not in self._begun:
            self.begin(index)
        return False


def as_index(value: Any) -> int | None:
    """Return ``value`` if it can be an index."""
    return value if type(value) is int and 0 <= value <= MAX_INDEX else None


def as_text(value: Any) -> str | None:
    """Return ``value`` if it is a string with something in it, whole code points only."""
    return join_surrogates(value) if isinstance(value, str) and value else None


def as_id(value: Any) -> str | None:
    """Return ``value`` if it can be the id of a tool call: ``"null"`` is what some servers make of none."""
    return None if value == "null" else as_text(value)


def as_arguments(value: Any, path: Path, document: Document) -> tuple[str | None, bool]:
    """Return ``value``, at ``path``, as a piece of arguments, and whether it is one as an object or array."""
    if isinstance(value, dict | list):
        return document.cut(path), True
    return (value, False) if isinstance(value, str) else (None, False)


def read_function(function: Any, path: Path, document: Document) -> tuple[str | None, str | None, bool]:
    """Return the name and the arguments of ``function``, and whether these came as an object or array."""
    if not isinstance(function, dict):
        return None, None, False
    return as_text(function.get("name")), *as_arguments(function.get("arguments"), (*path, "arguments"), document)


def only_texts(values: dict[str, Any]) -> dict[str, str]:
    """Return those of ``values`` that are strings with something in them."""
    return {name: text for name, value in values.items() if (text := as_text(value)) is not None}


def find_error(
    payload: dict[str, Any], document: Document, *, is_known: bool, is_typed: bool = False
) -> LazyJson | None:
    """Return the error in ``payload``, the value of ``document``, of a format without choices.

    ``is_known`` says that the payload is one of the format's own, ``is_typed`` that the format has an event ``error``.
    """
    path = find_own_error(payload, is_known=is_known)
    if path is None and is_typed and payload.get("type") == "error":
        path = ()
    return None if path is None else LazyJson(document, path, read_error)


def count_usage(members: dict[str, Any], names: tuple[str, ...], path: Path, document: Document) -> LazyJson | None:
    """Return a usage object of the counts ``names``, as far as they are in ``members``, which stand at ``path``.

    A count is a number of digits alone.
    """
    counts = [(name, document.cut((*path, name))) for name in names if type(members.get(name)) in (int, float)]
    shown = ",".join(f'"{name}":{text}' for name, text in counts if text.isascii() and text.isdigit())
    return LazyJson(Document(f"{{{shown}}}".encode()), (), read_kept) if shown else None
