"""``AnswerRuns``: the runs of a Runnable that answer one request, whole or as a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...language_models.base import BaseLanguageModel
from ...language_models.chat_models import BaseChatModel
from ...output_parsers.string import StrOutputParser
from ...runnables.concurrent_calls import arun_all
from ...runnables.config import merge_configs
from ...runnables.runnable import Runnable
from ...wires.chunk_writer import ChunkWriter
from ...wires.names import WireName, WireOptions
from ...wires.record_stream import RecordStream
from .answers import Answer, AnswerRecorder, read_output
from .deltas import awrite_answers, is_graph, read_deltas, read_graph
from .request import AnswerRequest
from .served import ModelStep

__all__ = ("AnswerRuns",)

_WIRES: Mapping[str, WireName] = {
    "chat": "openai.chat",
    "completions": "openai.completions",
    "responses": "openai.responses",
}


class AnswerRuns:
    """The runs for a request: one for each answer, in the order of their indexes."""

    def __init__(
        self, runnables: Sequence[Runnable[Any, Any]], inputs: Sequence[Any], config: Any, asked: AnswerRequest
    ) -> None:
        self._asked = asked
        self._calls = [(runnable, input, config) for input in inputs for runnable in runnables]
        if len(self._calls) > 1 and config and config.get("run_id") is not None:
            # A run's id is its own.
            rest = {key: value for key, value in config.items() if key != "run_id"}
            self._calls[1:] = [(runnable, input, rest) for runnable, input, _ in self._calls[1:]]

    async def answers(self) -> list[Answer]:
        """Return all answers."""
        if len(self._calls) == 1:
            return [await _answer(*self._calls[0])]
        return await arun_all([partial(_answer, *call) for call in self._calls])

    def stream(self, id: str, created: int) -> RecordStream:
        """Return the records of the answers."""
        asked = self._asked
        options = WireOptions(
            _WIRES[asked.api],
            id=id,
            created=created,
            model=asked.model,
            include_usage=asked.include_usage,
            all_choices=len(self._calls) > 1,
        )
        runnable, input, config = self._calls[0]
        if len(self._calls) == 1 and not asked.echo and _writes_itself(runnable, asked):
            return runnable.astream_records(input, config, wire=options)
        read = read_graph if is_graph(runnable) else partial(read_deltas, include_usage=asked.include_usage)
        answers = [partial(read, *call) for call in self._calls]
        prefixes = [text for text in asked.inputs for _ in range(asked.n)] if asked.echo else []
        return RecordStream(
            lambda writer: awrite_answers(writer, answers, prefixes),  # type: ignore[arg-type]
            ChunkWriter(options, asked.model),
        )


async def _answer(runnable: Runnable[Any, Any], input: Any, config: Any) -> Answer:
    """Return one whole answer."""
    found = ModelStep.find(runnable)
    if found is not None and found.is_last and isinstance(found.model, BaseChatModel):
        return read_output(await runnable.ainvoke(input, config))
    recorder = AnswerRecorder()
    config = merge_configs(config, {"callbacks": [recorder]})
    return recorder.complete(read_output(await runnable.ainvoke(input, config)))


def _writes_itself(runnable: Any, asked: AnswerRequest) -> bool:
    """Return whether a Runnable's own records are the answer: its chunks are messages of ours, or texts.

    A parser drops the usage, so a chain with one cannot write it.
    """
    found = ModelStep.find(runnable)
    if found is None or not isinstance(found.model, BaseLanguageModel):
        return False
    return found.is_last or (not asked.include_usage and all(isinstance(step, StrOutputParser) for step in found.after))
