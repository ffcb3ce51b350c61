"""The inputs and outputs that events of a run show, by its type: those of LLMs, of chat models, of anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..outputs import GenerationChunk
from .schema import Run

if TYPE_CHECKING:
    from ..messages.base import BaseMessage
    from ..outputs import ChatGenerationChunk, LLMResult

__all__ = ("Payload", "payload_of")


class Payload(Protocol):
    """The data of the events of one type of run."""

    def inputs(self, prompts: object) -> dict[str, Any]:
        """Return the input of a child run of a model."""

    def text(self, token: Any, chunk: Any) -> Any:
        """Return the chunk of a child run of a model, for version 1: a text, or a message."""

    def generation(self, token: Any, chunk: Any) -> Any:
        """Return the chunk of a child run of a model, for version 2: a generation, or a message."""

    def total(self, output: Any) -> Any:
        """Return the output of the root, for version 1: the sum of what was streamed."""

    def output(self, output: Any) -> Any:
        """Return the output of a run, for version 2."""

    def dump(self, output: Any) -> Any:
        """Return the output of a child run, for version 1; ``None`` stands for a run that failed without any."""


class _Values:
    """Chains, prompts, parsers, functions, tools: their inputs and outputs are shown unchanged."""

    def inputs(self, prompts: object) -> dict[str, Any]:
        return {"input": prompts}

    def text(self, token: object, chunk: object) -> Any:
        return chunk

    generation = text

    def total(self, output: object) -> Any:
        return output

    output = dump = total


class _Texts:
    """Models that return texts."""

    def inputs(self, prompts: object) -> dict[str, Any]:
        return {"prompts": prompts}

    def text(self, token: str, chunk: object) -> str:
        return token

    def generation(self, token: str, chunk: GenerationChunk | None) -> GenerationChunk:
        return GenerationChunk(token) if chunk is None else chunk

    def total(self, output: LLMResult) -> str:
        return output.generations[0][0].text

    def output(self, output: LLMResult) -> dict[str, Any]:
        generations = [
            [{"text": one.text, "generation_info": one.generation_info, "type": one.type} for one in choices]
            for choices in output.generations
        ]
        return {"generations": generations, "llm_output": output.llm_output}

    def dump(self, output: LLMResult | None) -> dict[str, Any] | None:
        return None if output is None else output.model_dump()


class _Messages:
    """Chat models."""

    def inputs(self, prompts: object) -> dict[str, Any]:
        return {"messages": prompts}

    def text(self, token: Any, chunk: ChatGenerationChunk | None) -> BaseMessage:
        if chunk is None:
            from ..messages.ai import AIMessageChunk

            return AIMessageChunk(token)
        return chunk.message

    generation = text

    def total(self, output: LLMResult) -> Any:
        from ..messages.ai import AIMessageChunk

        message: Any = self.output(output)
        # The last chunk that a stream hands out says so, and version 1 adds up all of them.
        if not hasattr(message, "chunk_position"):
            return message
        total = message.model_copy(update={"chunk_position": "last"})
        if isinstance(total, AIMessageChunk):
            # A chunk of LangChain's does so itself.
            total._finish_content()
        return total

    def output(self, output: Any) -> BaseMessage | None:
        messages = [one.message for choices in output.generations for one in choices]
        return messages[0] if messages else None

    def dump(self, output: Any) -> dict[str, Any] | None:
        if output is None:
            return None
        generations = [
            [
                {"text": one.text, "generation_info": one.generation_info, "type": one.type, "message": one.message}
                for one in choices
            ]
            for choices in output.generations
        ]
        return {"generations": generations, "llm_output": output.llm_output, "run": None, "type": "LLMResult"}


class _Documents(_Values):
    """Retrievers."""

    def dump(self, output: object) -> dict[str, Any]:
        return {} if output is None else {"documents": output}


_VALUES = _Values()
_PAYLOADS: dict[str, Payload] = {"llm": _Texts(), "chat_model": _Messages(), "retriever": _Documents()}


def payload_of(run: Run) -> Payload:
    """Return the data of the events of ``run``."""
    return _PAYLOADS.get(run.run_type, _VALUES)
