"""The output of a decoder: one ``Delta`` per choice per payload."""

from collections.abc import Mapping
from typing import Any, Self, final

from ..json import LazyJson
from ..value import Value

__all__ = ("Delta", "ToolCallDelta", "text_delta")


@final
class ToolCallDelta(Value):
    """The increment of one tool call: immutable, comparable, picklable.

    ``index`` tells the calls of one choice apart. ``id`` and ``name`` come once, mostly with the
    first increment; ``args`` are pieces of JSON text to put together.

    >>> from millstream import ToolCallDelta
    >>> ToolCallDelta(0, "call_1", "get_weather", "")
    ToolCallDelta(index=0, id='call_1', name='get_weather', args='')
    """

    __module__ = "millstream"
    __slots__ = ()
    __match_args__ = ("index", "id", "name", "args")
    _fields: tuple[int, str | None, str | None, str | None]

    def __new__(cls, index: int = 0, id: str | None = None, name: str | None = None, args: str | None = None) -> Self:
        return cls._checked((index, id, name, args))

    @property
    def index(self) -> int:
        """Which of its choice's tool calls this belongs to."""
        return self._fields[0]

    @property
    def id(self) -> str | None:
        """The provider's id of the call, or ``None`` where the payload had none."""
        return self._fields[1]

    @property
    def name(self) -> str | None:
        """The function's name, or ``None`` where the payload had none."""
        return self._fields[2]

    @property
    def args(self) -> str | None:
        """A piece of the arguments' JSON text; ``""`` if the payload had it so, ``None`` if it had none."""
        return self._fields[3]


@final
class Delta(Value):
    """The increment of one choice in one payload: immutable, comparable, picklable.

    A field is ``None`` (``tool_calls`` is empty) where the payload had nothing for it. Usage, and
    an error the provider sent inside the stream, come as deltas of their own with ``index`` 0.
    Every string can be encoded: no character is cut, no surrogate is left alone.

    >>> from millstream import Delta
    >>> delta = Delta(0, None, "Hello")
    >>> delta.text, delta.finish_reason, delta.tool_calls
    ('Hello', None, ())
    """

    __module__ = "millstream"
    __slots__ = ()
    __match_args__ = (
        "index",
        "role",
        "text",
        "reasoning",
        "refusal",
        "tool_calls",
        "finish_reason",
        "usage",
        "error",
        "logprobs",
        "audio",
    )
    _fields: tuple[
        int,
        str | None,
        str | None,
        str | None,
        str | None,
        tuple[ToolCallDelta, ...],
        str | None,
        Mapping[str, Any] | LazyJson | None,
        Mapping[str, Any] | LazyJson | None,
        Mapping[str, Any] | LazyJson | None,
        Mapping[str, Any] | LazyJson | None,
    ]

    def __new__(
        cls,
        index: int = 0,
        role: str | None = None,
        text: str | None = None,
        reasoning: str | None = None,
        refusal: str | None = None,
        tool_calls: tuple[ToolCallDelta, ...] = (),
        finish_reason: str | None = None,
        usage: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
        logprobs: Mapping[str, Any] | None = None,
        audio: Mapping[str, Any] | None = None,
    ) -> Self:
        fields = (index, role, text, reasoning, refusal, tool_calls, finish_reason, usage, error, logprobs, audio)
        return cls._checked(fields)

    @property
    def index(self) -> int:
        """The choice this belongs to."""
        return self._fields[0]

    @property
    def role(self) -> str | None:
        """Who speaks: ``"assistant"``, in most cases with a choice's first delta only."""
        return self._fields[1]

    @property
    def text(self) -> str | None:
        """A piece of the choice's text, never empty."""
        return self._fields[2]

    @property
    def reasoning(self) -> str | None:
        """A piece of the model's reasoning before its answer, never empty."""
        return self._fields[3]

    @property
    def refusal(self) -> str | None:
        """A piece of the model's refusal, never empty."""
        return self._fields[4]

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The increments of the choice's tool calls."""
        return self._fields[5]

    @property
    def finish_reason(self) -> str | None:
        """Why the choice ended, in the provider's word; only in the delta that ends it."""
        return self._fields[6]

    @property
    def usage(self) -> Mapping[str, Any] | None:
        """The provider's count of tokens, parsed when read."""
        return _read(self._fields[7])

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The error the provider sent inside the stream, with a ``message`` in every case, parsed when read."""
        return _read(self._fields[8])

    @property
    def logprobs(self) -> Mapping[str, Any] | None:
        """The provider's log probabilities for this delta, parsed when read."""
        return _read(self._fields[9])

    @property
    def audio(self) -> Mapping[str, Any] | None:
        """The provider's object of spoken output, such as a piece of sound and its transcript, parsed when read."""
        return _read(self._fields[10])

    def _values(self) -> tuple[Any, ...]:
        return (*self._fields[:7], self.usage, self.error, self.logprobs, self.audio)

    def __hash__(self) -> int:
        # Without the four dicts, which have no hash.
        return hash(self._fields[:7])


def text_delta(text: str) -> Delta:
    """Return what most deltas are, a piece of choice 0's text, with less ceremony than ``Delta`` takes."""
    return Delta._made((0, None, text, None, None, (), None, None, None, None, None))


def _read(value: Mapping[str, Any] | LazyJson | None) -> Mapping[str, Any] | None:
    """Return a field that may be kept as JSON text."""
    return value.read() if isinstance(value, LazyJson) else value
