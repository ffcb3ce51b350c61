"""The base classes of output parsers, and the access to an answer's text and generation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

from .._context import run_in_executor
from ..messages import AnyMessage
from ..outputs import Generation
from ..runnables.config import RunnableConfig
from ..runnables.introspection import type_arguments
from ..runnables.runnable import Runnable
from ..runnables.runs import acall_in_run, call_in_run
from ..runnables.serializable import RunnableSerializable

__all__ = (
    "BaseGenerationOutputParser",
    "BaseLLMOutputParser",
    "BaseOutputParser",
    "OutputParserLike",
    "T",
    "generation_of",
    "text_of",
)

T = TypeVar("T")
OutputParserLike: TypeAlias = Runnable[Any, T]
"""What may stand in a chain as a parser with outputs of the type ``T``."""


def text_of(answer: object) -> str:
    """Return the text of ``answer``: a text, a message or a generation, whole or a chunk of it.

    Raises :class:`TypeError` for anything else.
    """
    if isinstance(answer, str):
        return answer
    text = getattr(answer, "content", None)
    if not isinstance(text, str):
        # A message with blocks has their joined text, and a generation has a text.
        text = getattr(answer, "text", None)
    if not isinstance(text, str):
        raise TypeError(f"an output parser takes a text, a message or a generation, not {type(answer).__name__}")
    return str(text)


def generation_of(answer: Any) -> Any:
    """Return ``answer``, a text or a message, as a generation; a generation is returned as it is."""
    if hasattr(answer, "content"):
        from ..outputs import ChatGeneration

        return ChatGeneration(answer)
    return answer if hasattr(answer, "generation_info") else Generation(text_of(answer))


class BaseLLMOutputParser(ABC, Generic[T]):
    """Parses the generations that a model returned for one input."""

    @abstractmethod
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> T:
        """Parse ``result``, a list of generations with the best one first.

        With ``partial``, the answer is incomplete, and the output for the part so far is returned.
        """

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> T:
        """Return what :meth:`parse_result` returns; by default it is called in the loop's executor."""
        return await run_in_executor(None, self.parse_result, result, partial=partial)


class BaseGenerationOutputParser(BaseLLMOutputParser[T], RunnableSerializable[Any, T]):
    """A parser as a step of a chain; a subclass writes :meth:`parse_result`.

    Its annotated fields are keyword arguments of its constructor.
    """

    @property
    def InputType(self) -> Any:
        """The type of the input: a text or a message."""
        return str | AnyMessage

    @property
    def OutputType(self) -> Any:
        """The type of the output: the type argument of the parser's base class."""
        return next(first for first, *_ in type_arguments(type(self)) if not isinstance(first, TypeVar))

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> T:
        """Parse a text, a message or a generation."""
        output: T = call_in_run(self, lambda answer, *_: self._parse_answer(answer), input, config, run_type="parser")
        return output

    def _parse_answer(self, answer: object) -> T:
        return self.parse_result([generation_of(answer)])

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> T:
        """Parse a text, a message or a generation."""

        async def parse(answer: object, *_: object) -> T:
            return await self.aparse_result([generation_of(answer)])

        output: T = await acall_in_run(self, parse, input, config, run_type="parser")
        return output


class BaseOutputParser(BaseGenerationOutputParser[T]):
    """A parser of text, as a step of a chain; a subclass writes :meth:`parse`."""

    @abstractmethod
    def parse(self, text: str) -> T:
        """Parse ``text``, the complete answer."""

    async def aparse(self, text: str) -> T:
        """Return what :meth:`parse` returns; by default it is called in the loop's executor."""
        return await run_in_executor(None, self.parse, text)

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> T:
        """Parse the text of the first generation."""
        return self.parse(result[0].text)

    def parse_with_prompt(self, completion: str, prompt: Any) -> T:
        """Parse ``completion``, the answer to ``prompt``; a subclass may use the prompt."""
        return self.parse(completion)

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer; by default :class:`NotImplementedError`."""
        raise NotImplementedError

    def asdict(self, *, exclude_none: bool = False) -> dict[str, Any]:
        """Return the fields, and the type of the parser if it has one, under ``_type``."""
        values = {name: getattr(self, name) for name in self.__millstream_fields__}
        if exclude_none:
            values = {name: value for name, value in values.items() if value is not None}
        with suppress(NotImplementedError):
            values["_type"] = self._type
        return values

    @property
    def _type(self) -> str:
        raise NotImplementedError(f"_type property is not implemented in class {type(self).__name__}.")
