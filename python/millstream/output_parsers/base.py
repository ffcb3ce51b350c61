"""Parsers of a model's whole answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from .._context import run_in_executor
from ..outputs import Generation
from ..runnables.config import RunnableConfig
from ..runnables.runnable import Runnable
from ..runnables.runs import acall_in_run, call_in_run

__all__ = (
    "BaseGenerationOutputParser",
    "BaseLLMOutputParser",
    "BaseOutputParser",
    "T",
    "generation_of",
    "text_of",
)

T = TypeVar("T")


def text_of(answer: Any) -> str:
    """Return the text of ``answer``: a text, a message or a generation, whole or a chunk of it.

    Raises :class:`TypeError` for anything else.
    """
    if isinstance(answer, str):
        return answer
    text = getattr(answer, "content", None)
    if not isinstance(text, str):
        # A message's content of blocks has their text, and a generation has its own.
        text = getattr(answer, "text", None)
    if not isinstance(text, str):
        raise TypeError(f"an output parser takes a text, a message or a generation, not {type(answer).__name__}")
    return str(text)


def generation_of(answer: Any) -> Any:
    """Return ``answer``, a text or a message, as what models return; a generation is one already."""
    if hasattr(answer, "content"):
        from ..outputs import ChatGeneration

        return ChatGeneration(answer)
    return answer if hasattr(answer, "generation_info") else Generation(text_of(answer))


class BaseLLMOutputParser(ABC, Generic[T]):
    """What parses the choices that a model returned for one input."""

    @abstractmethod
    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> T:
        """Return what ``result``, generations with the likeliest first, says.

        ``partial``: the answer is still on its way, and what it says so far is asked for.
        """

    async def aparse_result(self, result: Sequence[Any], *, partial: bool = False) -> T:
        """Return :meth:`parse_result`, by default in the loop's executor."""
        return await run_in_executor(None, self.parse_result, result, partial=partial)


class BaseGenerationOutputParser(BaseLLMOutputParser[T], Runnable[Any, T]):
    """A parser as a step of a chain; a subclass writes :meth:`parse_result`."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> T:
        """Parse a text, a message or a generation."""
        output: T = call_in_run(
            self, lambda answer, *_: self.parse_result([generation_of(answer)]), input, config, run_type="parser"
        )
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> T:
        """Parse a text, a message or a generation."""

        async def parsed(answer: Any, *_: Any) -> T:
            return await self.aparse_result([generation_of(answer)])

        output: T = await acall_in_run(self, parsed, input, config, run_type="parser")
        return output

    def __repr__(self) -> str:
        """Show the fields that were set."""
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value and name[0] != "_")
        return f"{type(self).__name__}({fields})"


class BaseOutputParser(BaseGenerationOutputParser[T]):
    """A parser of text, as a step of a chain; a subclass writes :meth:`parse`."""

    @abstractmethod
    def parse(self, text: str) -> T:
        """Return what ``text``, the whole answer, says."""

    async def aparse(self, text: str) -> T:
        """Return :meth:`parse`, by default in the loop's executor."""
        return await run_in_executor(None, self.parse, text)

    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> T:
        """Return :meth:`parse` of the first generation's text."""
        return self.parse(result[0].text)

    def parse_with_prompt(self, completion: str, prompt: Any) -> T:
        """Return :meth:`parse`; a subclass may look at the prompt that was answered."""
        return self.parse(completion)

    def get_format_instructions(self) -> str:
        """Return what to tell the model about the form of its answer; by default :class:`NotImplementedError`."""
        raise NotImplementedError

    @property
    def _type(self) -> str:
        raise NotImplementedError(f"_type property is not implemented in class {type(self).__name__}.")
