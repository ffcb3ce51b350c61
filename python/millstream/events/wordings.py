"""What the events of a model's run show, by the kind of model: texts and generations, or messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..outputs import GenerationChunk
from .run import Run

if TYPE_CHECKING:
    from ..outputs import LLMResult

__all__ = ("Wording", "worded")


class Wording(Protocol):
    """What stands in the events of one kind of model."""

    def inputs(self, prompts: Any) -> dict[str, Any]:
        """Return the input of a run below."""

    def part(self, token: Any, chunk: Any) -> Any:
        """Return a chunk of a run below, for version 1."""

    def piece(self, token: Any, chunk: Any) -> Any:
        """Return a chunk of a run below, for version 2."""

    def whole(self, result: LLMResult) -> Any:
        """Return the output of the stream's own run, for version 1: the sum of what was streamed."""

    def output(self, result: Any) -> Any:
        """Return the output of a run, for version 2."""

    def dump(self, result: Any) -> Any:
        """Return the output of a run below, for version 1."""


class _Texts:
    """Models that return texts."""

    def inputs(self, prompts: Any) -> dict[str, Any]:
        return {"prompts": prompts}

    def part(self, token: Any, chunk: Any) -> Any:
        return token

    def piece(self, token: Any, chunk: Any) -> Any:
        return GenerationChunk(token) if chunk is None else chunk

    def whole(self, result: LLMResult) -> Any:
        return result.generations[0][0].text

    def output(self, result: Any) -> Any:
        generations = [
            [{"text": one.text, "generation_info": one.generation_info, "type": one.type} for one in choices]
            for choices in result.generations
        ]
        return {"generations": generations, "llm_output": result.llm_output}

    def dump(self, result: Any) -> Any:
        return result.model_dump()


class _Messages:
    """Chat models."""

    def inputs(self, prompts: Any) -> dict[str, Any]:
        return {"messages": prompts}

    def part(self, token: Any, chunk: Any) -> Any:
        if chunk is None:
            from ..messages.ai import AIMessageChunk

            return AIMessageChunk(token)
        return chunk.message

    piece = part

    def whole(self, result: LLMResult) -> Any:
        message: Any = self.output(result)
        # The last chunk that a stream hands out says so, and version 1 adds up all of them.
        return message.model_copy(update={"chunk_position": "last"}) if hasattr(message, "chunk_position") else message

    def output(self, result: Any) -> Any:
        return next((one.message for choices in result.generations for one in choices), None)

    def dump(self, result: Any) -> Any:
        generations = [
            [
                {"text": one.text, "generation_info": one.generation_info, "type": one.type, "message": one.message}
                for one in choices
            ]
            for choices in result.generations
        ]
        return {"generations": generations, "llm_output": result.llm_output, "run": None, "type": "LLMResult"}


_WORDINGS: dict[str, Wording] = {"llm": _Texts(), "chat_model": _Messages()}


def worded(run: Run) -> Wording:
    """Return how the events of a model's ``run`` show what it was given and what it brought."""
    return _WORDINGS[run.run_type]
