"""``CallsSoFar``: parses the tool calls of a stream while they arrive, in time linear in the arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from .._backend import JSONAssembler
from .._merge import ListSum
from ..messages.tool_calls import JSON_SPACE, read_arguments
from ..outputs import Generation
from ..streaming.protocols import Stage
from .base import generation_of
from .refusals import Refusals

__all__ = ("CallsSoFar",)


class _Read(Protocol):
    def __call__(self, calls: list[Any], *, partial: bool) -> Any: ...


class _Parser(Protocol):
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any: ...


class CallsSoFar(Stage[Any, Any]):
    """A stage that passes the calls in all chunks so far to ``read``, and returns its output when it changes.

    The pieces of calls are merged as ``+`` merges them, except for the arguments: each call has an
    incremental JSON reader, which gets each piece once. With ``first_only``, only the first call whose
    name ``accepts`` accepts is read. ``parser`` parses the message of a model that does not stream.
    """

    __slots__ = ("_accepts", "_arguments", "_chosen", "_first_only", "_latest", "_parser", "_read", "_refusals", "_sum")

    def __init__(self, parser: _Parser, read: _Read, accepts: Callable[[str], bool], *, first_only: bool) -> None:
        self._parser = parser
        self._read = read
        self._accepts = accepts
        self._first_only = first_only
        self._sum = ListSum()
        self._refusals = Refusals()
        # By position in the merged list.
        self._arguments: list[_Arguments] = []
        self._chosen: int | None = None
        self._latest: Any = None

    def feed(self, item: object) -> Sequence[Any]:
        """Return the output for the calls so far, if it changed."""
        pieces = getattr(item, "tool_call_chunks", None)
        if pieces is None:
            # The complete message of a model that does not stream.
            return self._output_if_changed(self._parser.parse_result([generation_of(item)]))
        if not pieces:
            self._refusals.add(item)
            if self._latest is not None:
                return ()
        changed = {self._add(piece) for piece in pieces}
        positions = self._positions()
        if self._first_only:
            before, self._chosen = self._chosen, positions[0] if positions else None
            if before == self._chosen and before not in changed:
                return ()
        return self._read_calls(positions)

    def close(self) -> Sequence[Any]:
        """Return the output after reading failed arguments again, as complete texts.

        Raises :class:`~millstream.errors.RefusalError` if the model refused.
        """
        self._refusals.check()
        changed = [arguments.reread() for arguments in self._arguments]
        return self._read_calls(self._positions()) if any(changed) else ()

    def _positions(self) -> list[int]:
        """Return the positions of the calls to read."""
        valid = (position for position, arguments in enumerate(self._arguments) if arguments.is_valid)
        if not self._first_only:
            return list(valid)
        return list(islice((position for position in valid if self._accepts(self._name(position))), 1))

    def _read_calls(self, positions: list[int]) -> Sequence[Any]:
        return self._output_if_changed(self._read([self._call(position) for position in positions], partial=True))

    def _add(self, piece: Mapping[str, Any]) -> int:
        position = self._sum.add({key: value for key, value in piece.items() if key != "args"})
        if position == len(self._arguments):
            self._arguments.append(_Arguments())
        if args := piece.get("args"):
            self._arguments[position].add(args)
        return position

    def _name(self, position: int) -> str:
        return self._sum.items[position].get("name") or ""

    def _call(self, position: int) -> dict[str, Any]:
        return {
            "name": self._name(position),
            "args": self._arguments[position].value,
            "id": self._sum.items[position].get("id"),
        }

    def _output_if_changed(self, output: object) -> Sequence[Any]:
        if output is None or output == self._latest:
            return ()
        self._latest = output
        return (output,)


class _Arguments:
    """The arguments of one call, while they arrive.

    ``_lead`` collects text that still means no arguments: whitespace, ``null`` or its beginning. The first
    other text starts the incremental reader ``_json``. ``_texts`` keeps all pieces, because the incremental
    reader is strict: if it fails, :meth:`reread` reads the complete text as the whole message would be read.
    """

    __slots__ = ("_is_object", "_json", "_lead", "_texts", "_value")

    def __init__(self) -> None:
        self._lead = ""
        self._json: JSONAssembler | None = None
        self._is_object = False
        self._texts: list[str] = []
        self._value: dict[str, Any] | None = None

    def add(self, text: str) -> None:
        if self._json is None:
            self._lead = (self._lead + text).lstrip(JSON_SPACE)
            whole = self._lead.rstrip(JSON_SPACE)
            if "null".startswith(whole):
                # Of trailing whitespace, one character is enough to know that there was some.
                self._lead = self._lead[: len(whole) + 1]
                return
            text = self._lead
            self._json = JSONAssembler(strict=False)
            self._is_object = text.startswith("{")
        self._texts.append(text)
        if self._json.failure is None:
            self._json.feed(text)

    @property
    def is_valid(self) -> bool:
        """Whether the text so far is a JSON object or the beginning of one."""
        if self._json is None or self._value is not None:
            return True
        return self._is_object and (self._json.failure is None or self._json.complete)

    @property
    def value(self) -> dict[str, Any]:
        if self._value is not None:
            return self._value
        value: dict[str, Any] = {} if self._json is None else self._json.value
        return value

    def reread(self) -> bool:
        """Read the complete text if the pieces were invalid: the lenient reader also accepts NaN; return success."""
        if self.is_valid:
            return False
        try:
            self._value = read_arguments("".join(self._texts))
        except ValueError:
            return False
        return True
