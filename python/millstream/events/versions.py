"""How the two versions of ``astream_events`` word a run of a model, in LangChain's key order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .run import Run
from .wordings import worded

if TYPE_CHECKING:
    from ..outputs import LLMResult

__all__ = ("Outputs", "StreamEvent", "Streamer", "Version", "records")

Outputs = Callable[[Any], Sequence[Any]]
StreamEvent = dict[str, Any]
"""``event``, ``name``, ``run_id``, ``parent_ids``, ``tags``, ``metadata``, ``data``."""
Streamer = Callable[[Any], list[StreamEvent]]


class Version(Protocol):
    """How the version ``name`` of the schema words a run of a model.

    ``whole_streams`` says whether an answer that came whole makes a stream event too, ``tells_parents``
    whether a run's parents are told, ``tells_failed_runs`` whether a run below that failed has an end.
    """

    name: str
    whole_streams: bool
    tells_parents: bool
    tells_failed_runs: bool

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""

    def streamer(self, run: Run, outputs: Outputs) -> Streamer:
        """Return what turns the outputs that ``outputs`` returns into stream events, in one call."""

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below."""

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below."""


class V1:
    """Version 1: the chunks' sum stands at the end."""

    name = "v1"
    whole_streams = True
    tells_parents = False
    tells_failed_runs = True

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""
        return {
            "event": f"on_{run.run_type}_start",
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": {"input": input},
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, outputs: Outputs) -> Streamer:
        """Return what turns the outputs that ``outputs`` returns into stream events, in one call."""
        template = {
            "event": f"on_{run.run_type}_stream",
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "name": run.name,
            "data": None,
            "parent_ids": run.parent_ids,
        }
        return _copying(template, outputs)

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""
        return {
            "event": f"on_{run.run_type}_end",
            "name": run.name,
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": {"output": worded(run).whole(result)},
            "parent_ids": run.parent_ids,
        }

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""
        return self._nested("start", run, {"input": inputs})

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below: its text, or its message."""
        return self._nested("stream", run, {"chunk": worded(run).part(token, chunk)})

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below; ``None`` stands for what failed before it brought anything."""
        output = None if result is None else worded(run).dump(result)
        return self._nested("end", run, {"input": inputs, "output": output})

    def _nested(self, what: str, run: Run, data: dict[str, Any]) -> StreamEvent:
        return {
            "event": f"on_{run.run_type}_{what}",
            "name": run.name,
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": data,
            "parent_ids": run.parent_ids,
        }


class V2:
    """Version 2: the generations stand at the end."""

    name = "v2"
    whole_streams = False
    tells_parents = True
    tells_failed_runs = False

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""
        return {
            "event": f"on_{run.run_type}_start",
            "data": {"input": input},
            "name": run.name,
            "tags": run.tags,
            "run_id": run.run_id,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, outputs: Outputs) -> Streamer:
        """Return what turns the outputs that ``outputs`` returns into stream events, in one call."""
        template = {
            "event": f"on_{run.run_type}_stream",
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": None,
            "parent_ids": run.parent_ids,
        }
        return _copying(template, outputs)

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""
        return self._later("end", run, {"output": worded(run).output(result)})

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""
        return self.start(run, inputs)

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below: the generation chunk itself, or its message."""
        return self._later("stream", run, {"chunk": worded(run).piece(token, chunk)})

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below."""
        return self._later("end", run, {"output": worded(run).output(result), "input": inputs})

    def _later(self, what: str, run: Run, data: dict[str, Any]) -> StreamEvent:
        return {
            "event": f"on_{run.run_type}_{what}",
            "data": data,
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }


_VERSIONS: dict[str, Version] = {"v1": V1(), "v2": V2()}


def records(version: object) -> Version:
    """Return how ``version`` words its events; :class:`NotImplementedError` for another than ``"v1"`` and ``"v2"``."""
    found = _VERSIONS.get(version) if isinstance(version, str) else None
    if found is None:
        raise NotImplementedError(
            f'Only versions "v1" and "v2" of the schema are supported here, not {version!r}: write'
            ' `async for event in model.astream_events(..., version="v2")`, without `await`.'
        )
    return found


def _copying(template: StreamEvent, outputs: Outputs) -> Streamer:
    """Return what copies ``template`` for each output: half the work of a new dict."""
    copy = template.copy

    def stream(raw: Any) -> list[StreamEvent]:
        events = []
        for output in outputs(raw):
            event = copy()
            event["data"] = {"chunk": output}
            events.append(event)
        return events

    return stream
