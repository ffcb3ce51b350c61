"""Parsers of structured answers, which also check how the answer ended.

:func:`parse_answer` checks answers for all methods of ``with_structured_output``. A stream yields partial
outputs, and is checked when the answer has ended.
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
from .transform import BaseTransformOutputParser

__all__ = ("RawAndParsed", "StructuredOutput")


class _AnswerStep(StageRunnable[Any, Any]):
    """A step that parses a complete message."""

    def __init__(self, parser: BaseTransformOutputParser[Any]) -> None:
        self.parser = parser

    def _read(self, message: object) -> Any:
        raise NotImplementedError

    def invoke(self, input: object, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return the output for the message."""
        return call_in_run(self, lambda message, *_: self._read(message), input, config, run_type=self.run_type)

    async def ainvoke(self, input: object, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return the output for the message."""

        async def read(message: object, *_: object) -> Any:
            return self._read(message)

        return await acall_in_run(self, read, input, config, run_type=self.run_type)


class StructuredOutput(_AnswerStep):
    """Returns the output of ``parser`` for an answer.

    Raises :class:`~millstream.errors.TruncatedOutputError` if the answer was cut off,
    :class:`~millstream.errors.ContentFilterError` if the provider's filter ended it,
    :class:`~millstream.errors.RefusalError` if the model refused, and the exceptions of the parser. A
    stream yields the outputs of the parser's stream, and at its end raises the exceptions of :meth:`invoke`.
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

    def _read(self, message: object) -> Any:
        return parse_answer(self.parser, message)

    def _as_stage(self) -> Stage[Any, Any]:
        return _CheckedAnswer(self.parser._as_stage(), self._read)


class _CheckedAnswer(Stage[Any, Any]):
    """The stage of :class:`StructuredOutput`: the parser's stage, and a check of the merged chunks at the end."""

    __slots__ = ("_check", "_has_output", "_stage", "_sum")

    def __init__(self, stage: Stage[Any, Any], check: Callable[[Any], Any]) -> None:
        self._stage = stage
        self._check = check
        self._sum = ChunkAccumulator()
        self._has_output = False

    def feed(self, item: object) -> Sequence[Any]:
        """Return the outputs of the parser's stage."""
        self._sum.add(item)
        if isinstance(item, BaseMessage) and not isinstance(item, BaseMessageChunk):
            # The complete answer of a model that does not stream is parsed and checked in `close`.
            return ()
        outputs = self._stage.feed(item)
        self._has_output = self._has_output or bool(outputs)
        return outputs

    def close(self) -> Sequence[Any]:
        """Check the answer; return the outputs that only its end determines."""
        message = self._sum.total()
        if message is None:
            return ()
        output = self._check(message)
        # If no chunk has returned an output, it is known only now, as for the answer `null`.
        return (output,) if output is not None and not self._has_output else self._stage.close()


class RawAndParsed(_AnswerStep):
    """Returns a dict of the message (``raw``), the parser's output (``parsed``) and its error (``parsing_error``).

    A stream yields each chunk of the message in a dict of its own, and the parser's output at the end.
    """

    run_type = "chain"

    def _read(self, message: object) -> dict[str, Any]:
        return {"raw": message, **self._parse(message)}

    def _parse(self, message: object) -> dict[str, Any]:
        try:
            return {"parsed": parse_answer(self.parser, message), "parsing_error": None}
        except Exception as error:
            return {"parsed": None, "parsing_error": error}

    def _as_stage(self) -> Stage[Any, Any]:
        return _Pieces(self._parse)


class _Pieces(Stage[Any, Any]):
    """The stage of :class:`RawAndParsed`: returns each chunk, and parses the merged chunks at the end."""

    __slots__ = ("_parse", "_sum")

    def __init__(self, parse: Callable[[Any], Any]) -> None:
        self._parse = parse
        self._sum = ChunkAccumulator()

    def feed(self, item: object) -> Sequence[Any]:
        """Return the chunk."""
        self._sum.add(item)
        return ({"raw": item},)

    def close(self) -> Sequence[Any]:
        """Return the parser's output for all chunks."""
        message = self._sum.total()
        return () if message is None else (self._parse(message),)
