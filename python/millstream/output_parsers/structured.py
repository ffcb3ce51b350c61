"""Answers in the form of a schema: parsed, alone or beside the message, and judged by how they ended.

There is one check for all methods of asking: :func:`parse_answer`. A stream hands out what is valid so
far, and is judged when the answer has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..messages.base import BaseMessage, BaseMessageChunk
from ..runnables.config import RunnableConfig
from ..runnables.runs import acall_in_run, call_in_run
from ..runnables.stages import StageRunnable
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.protocols import Stage
from .answers import parse_answer

__all__ = ("RawAndParsed", "StructuredOutput")


class _AnswerStep(StageRunnable[Any, Any]):
    """A step that makes something of a whole message."""

    def __init__(self, parser: Any) -> None:
        self.parser = parser

    def _read(self, message: Any) -> Any:
        raise NotImplementedError

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what the message says."""
        return call_in_run(self, lambda message, *_: self._read(message), input, config, run_type=self.run_type)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what the message says."""

        async def read(message: Any, *_: Any) -> Any:
            return self._read(message)

        return await acall_in_run(self, read, input, config, run_type=self.run_type)


class StructuredOutput(_AnswerStep):
    """Returns what ``parser`` makes of an answer.

    Raises :class:`~millstream.errors.TruncatedOutputError` where the answer was cut off,
    :class:`~millstream.errors.ContentFilterError` where the provider's filter ended it, and
    :class:`~millstream.errors.RefusalError` where the model refused; and what the parser raises. A
    stream yields what the parser's stream yields, and raises at the end what :meth:`invoke` raises.
    It has the parser's name and attributes.
    """

    def __init__(self, parser: Any) -> None:
        super().__init__(parser)
        self.name = parser.get_name()

    def __getattr__(self, name: str) -> Any:
        """Return the parser's attribute."""
        if name.startswith("_") or name == "parser":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.parser, name)

    def __repr__(self) -> str:
        """Show the parser."""
        return repr(self.parser)

    def _read(self, message: Any) -> Any:
        return parse_answer(self.parser, message)

    def _as_stage(self) -> Stage[Any, Any]:
        return _CheckedAnswer(self.parser._as_stage(), self._read)


class _CheckedAnswer:
    """The stage that hands out what another one does, and judges the sum of the chunks at the end."""

    __slots__ = ("_check", "_has_given", "_parsed", "_sum")

    def __init__(self, parsed: Stage[Any, Any], check: Callable[[Any], Any]) -> None:
        self._parsed = parsed
        self._check = check
        self._sum = ChunkAccumulator()
        self._has_given = False

    def feed(self, item: Any) -> Sequence[Any]:
        """Return what the chunk adds to the answer."""
        self._sum.add(item)
        if isinstance(item, BaseMessage) and not isinstance(item, BaseMessageChunk):
            # The whole answer of a model that does not stream: its end comes first.
            return ()
        outputs = self._parsed.feed(item)
        self._has_given = self._has_given or bool(outputs)
        return outputs

    def close(self) -> Sequence[Any]:
        """Return what the end of the answer says, or raise what is wrong with it."""
        message = self._sum.total()
        if message is None:
            return ()
        output = self._check(message)
        # What is known at the end alone, as that the answer is `null`.
        return (output,) if output is not None and not self._has_given else self._parsed.close()


class RawAndParsed(_AnswerStep):
    """Returns a dict of the message (``raw``), the parser's output (``parsed``), and its error, ``parsing_error``.

    A stream yields the message's chunks as they come, each in a dict of its own, and the parser's output
    at the end.
    """

    run_type = "chain"

    def _read(self, message: Any) -> dict[str, Any]:
        return {"raw": message, **self._parsed(message)}

    def _parsed(self, message: Any) -> dict[str, Any]:
        try:
            return {"parsed": parse_answer(self.parser, message), "parsing_error": None}
        except Exception as error:
            return {"parsed": None, "parsing_error": error}

    def _as_stage(self) -> Stage[Any, Any]:
        return _Pieces(self._parsed)


class _Pieces:
    """The stage that keeps the chunks, to parse their sum."""

    __slots__ = ("_parse", "_sum")

    def __init__(self, parse: Callable[[Any], Any]) -> None:
        self._parse = parse
        self._sum = ChunkAccumulator()

    def feed(self, item: Any) -> Sequence[Any]:
        """Return the chunk."""
        self._sum.add(item)
        return ({"raw": item},)

    def close(self) -> Sequence[Any]:
        """Return what all chunks say."""
        message = self._sum.total()
        return () if message is None else (self._parse(message),)
