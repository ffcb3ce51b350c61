"""The dicts of ``astream_events`` for the runs of chains, prompts, parsers and functions, in LangChain's key order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .run import Run

if TYPE_CHECKING:
    from .stream_events import StreamEvent

__all__ = ("UNKNOWN", "ChainVersion", "chain_records", "is_known")

UNKNOWN: Any = {"input": ""}
"""What a run that reads a stream is told at its start: its input is not known yet."""


class ChainVersion(Protocol):
    """How one version of the schema words a run of a chain.

    ``root`` is whether it is the run of the stream itself: its input stands in its start, never in its end.
    """

    def start(self, run: Run, input: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's start; without an input, where that is :data:`UNKNOWN`."""

    def streamer(self, run: Run, *, root: bool) -> Callable[[Any], StreamEvent]:
        """Return what makes the event of a chunk."""

    def end(self, run: Run, input: Any, output: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's end."""


class ChainV1:
    """Version 1: the input, then the output; what is not known is left out."""

    def start(self, run: Run, input: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's start."""
        if not root:
            return _told(run, "start", {} if input is None or not is_known(input) else {"input": input})
        return {
            "event": f"on_{run.run_type}_start",
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": {"input": input},
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, *, root: bool) -> Callable[[Any], StreamEvent]:
        """Return what makes the event of a chunk."""
        if not root:
            return _copying(_told(run, "stream", {}))
        return _copying(
            {
                "event": f"on_{run.run_type}_stream",
                "run_id": run.run_id,
                "tags": run.tags,
                "metadata": run.metadata,
                "name": run.name,
                "data": None,
                "parent_ids": run.parent_ids,
            }
        )

    def end(self, run: Run, input: Any, output: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's end."""
        if root or input is None:
            return _told(run, "end", {"output": output})
        return _told(run, "end", {"input": input, "output": output})


class ChainV2:
    """Version 2: the output, then the input."""

    def start(self, run: Run, input: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's start."""
        return {
            "event": f"on_{run.run_type}_start",
            "data": {"input": input} if root or is_known(input) else {},
            "name": run.name,
            "tags": run.tags,
            "run_id": run.run_id,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, *, root: bool) -> Callable[[Any], StreamEvent]:
        """Return what makes the event of a chunk."""
        return _copying(
            {
                "event": f"on_{run.run_type}_stream",
                "run_id": run.run_id,
                "name": run.name,
                "tags": run.tags,
                "metadata": run.metadata,
                "data": None,
                "parent_ids": run.parent_ids,
            }
        )

    def end(self, run: Run, input: Any, output: Any, *, root: bool) -> StreamEvent:
        """Return the event of the run's end; of an input that says nothing stands an empty dict, as in LangChain."""
        return {
            "event": f"on_{run.run_type}_end",
            "data": {"output": output} if root else {"output": output, "input": input or {}},
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }


def is_known(input: Any) -> bool:
    """Return whether a run was told its input at its start."""
    return not (type(input) is dict and input == UNKNOWN)


_VERSIONS: dict[str, ChainVersion] = {"v1": ChainV1(), "v2": ChainV2()}


def chain_records(version: str) -> ChainVersion:
    """Return how ``version``, which is known to be one, words the runs of chains."""
    return _VERSIONS[version]


def _told(run: Run, what: str, data: dict[str, Any]) -> StreamEvent:
    return {
        "event": f"on_{run.run_type}_{what}",
        "name": run.name,
        "run_id": run.run_id,
        "tags": run.tags,
        "metadata": run.metadata,
        "data": data,
        "parent_ids": run.parent_ids,
    }


def _copying(template: StreamEvent) -> Callable[[Any], StreamEvent]:
    """Return what copies ``template`` for a chunk: half the work of a new dict."""
    copy = template.copy

    def stream(chunk: Any) -> StreamEvent:
        event = copy()
        event["data"] = {"chunk": chunk}
        return event

    return stream
