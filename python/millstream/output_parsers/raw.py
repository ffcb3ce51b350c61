"""A parser's output beside what it parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..runnables.chain_runs import acalled, called
from ..runnables.config import RunnableConfig
from ..runnables.staged import StagedRunnable
from ..runnables.stages import Stage
from .base import BaseOutputParser, generation_of

__all__ = ("RawAndParsed",)


class RawAndParsed(StagedRunnable[Any, dict[str, Any]]):
    """Gives a dict of the message (``raw``), what ``parser`` says of it (``parsed``), and its error, ``parsing_error``.

    A stream gives the message's chunks as they come, each in a dict of its own, and what was parsed at
    the end.
    """

    run_type = "chain"

    def __init__(self, parser: BaseOutputParser[Any]) -> None:
        self.parser = parser

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the message and what it says."""
        output: dict[str, Any] = called(self, lambda message, *_: self._beside(message), input, config)
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the message and what it says."""

        async def beside(message: Any, *_: Any) -> dict[str, Any]:
            return self._beside(message)

        output: dict[str, Any] = await acalled(self, beside, input, config)
        return output

    def _beside(self, message: Any) -> dict[str, Any]:
        return {"raw": message, **self._parsed(message)}

    def _parsed(self, message: Any) -> dict[str, Any]:
        try:
            return {"parsed": self.parser.parse_result([generation_of(message)]), "parsing_error": None}
        except Exception as error:
            return {"parsed": None, "parsing_error": error}

    def _stage(self) -> Stage[Any, Any]:
        return _Pieces(self)


class _Pieces:
    """The stage that keeps the chunks, to parse their sum."""

    __slots__ = ("_chunks", "_owner")

    def __init__(self, owner: RawAndParsed) -> None:
        self._owner = owner
        self._chunks: list[Any] = []

    def feed(self, item: Any) -> Sequence[Any]:
        """Return the chunk."""
        self._chunks.append(item)
        return ({"raw": item},)

    def close(self) -> Sequence[Any]:
        """Return what all chunks say."""
        if not self._chunks:
            return ()
        first, *rest = self._chunks
        return (self._owner._parsed(first + rest if rest else first),)
