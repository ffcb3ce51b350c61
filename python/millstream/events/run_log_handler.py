"""The callback handler that makes the patches of ``astream_log`` of child runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .chunk_taps import ChunkTaps
from .payloads import payload_of
from .run_log import escape
from .schema import Run

if TYPE_CHECKING:
    from ..streaming.channel import Channel
    from .schema import EventFilter

__all__ = ("LogOperations", "RunLogHandler")


class LogOperations(list[dict[str, Any]]):
    """An item of the channel: the operations of one patch, among the chunks of the stream's own run."""


class _LoggedRun:
    """A run in the log, and the key of its entry."""

    __slots__ = ("key", "run")

    def __init__(self, key: str, run: Run) -> None:
        self.key = key
        self.run = run


class RunLogHandler(ChunkTaps):
    """Sends the operations of each child run through the stream's channel: its start, its chunks, its output.

    The first run that starts is the stream's own. Its chunks are what reaches the consumer, and it has no entry.
    The handler is called in the worker that runs users' code, as
    :class:`~millstream.events.handler.StreamEventHandler` is. It has no ``on_chat_model_start``, so chat models are
    reported as LLMs, as in LangChain.
    """

    def __init__(self, wanted: EventFilter, channel: Channel) -> None:
        super().__init__(channel)
        self._wanted = wanted
        self._root: UUID | None = None
        self._runs: dict[UUID, _LoggedRun] = {}
        self._counts: dict[str, int] = {}

    def on_llm_start(self, serialized: Mapping[str, Any] | None, prompts: list[str], **info: Any) -> None:
        """Add an entry."""
        self._start("llm", serialized, **info)

    def on_chain_start(
        self, serialized: Mapping[str, Any] | None, inputs: object, *, run_type: str | None = None, **info: Any
    ) -> None:
        """Add an entry."""
        self._start(run_type or "chain", serialized, **info)

    def on_tool_start(self, serialized: Mapping[str, Any] | None, input_str: str, **info: Any) -> None:
        """Add an entry."""
        self._start("tool", serialized, **info)

    def on_retriever_start(self, serialized: Mapping[str, Any] | None, query: str, **info: Any) -> None:
        """Add an entry."""
        self._start("retriever", serialized, **info)

    def on_llm_new_token(self, token: object, *, chunk: object = None, run_id: UUID, **kwargs: object) -> None:
        """Add a chunk to an entry, and its text."""
        if (logged := self._runs.get(run_id)) is not None:
            self._send(
                _operation("add", logged.key, "streamed_output_str/-", token),
                _operation("add", logged.key, "streamed_output/-", getattr(chunk, "message", token)),
            )

    def _on_chain_chunk(self, chunk: object, *, run_id: UUID) -> None:
        """Add a chunk to an entry."""
        if (logged := self._runs.get(run_id)) is not None:
            self._send(_operation("add", logged.key, "streamed_output/-", chunk))

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: object) -> None:
        """Complete an entry."""
        kind = "chat_model" if any(hasattr(one, "message") for ones in response.generations for one in ones) else "llm"
        self._end(run_id, lambda run: payload_of(Run(run.run_id, run.name, kind)).dump(response))

    def on_chain_end(self, outputs: object, *, run_id: UUID, **kwargs: object) -> None:
        """Complete an entry; an output that is not a dict becomes one, but that of a prompt."""
        self._end(
            run_id,
            lambda run: outputs if isinstance(outputs, dict) or run.run_type == "prompt" else {"output": outputs},
        )

    def on_tool_end(self, output: object, *, run_id: UUID, **kwargs: object) -> None:
        """Complete an entry."""
        self._end(run_id, lambda run: {"output": output})

    def on_retriever_end(self, documents: object, *, run_id: UUID, **kwargs: object) -> None:
        """Complete an entry."""
        self._end(run_id, lambda run: {"documents": documents})

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: object = None, **kwargs: object) -> None:
        """Complete the entry of a run that failed."""
        if response is not None:
            self.on_llm_end(response, run_id=run_id)
        else:
            self._end(run_id, lambda run: {})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Complete the entry of a run that failed."""
        self._end(run_id, lambda run: {})

    on_tool_error = on_retriever_error = on_chain_error

    def _start(
        self,
        run_type: str,
        serialized: Mapping[str, Any] | None,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **kwargs: object,
    ) -> None:
        run = Run(str(run_id), name or (serialized or {}).get("name") or "Unnamed", run_type, list(tags or ()))
        if self._root is None:
            self._root = run_id
            state: dict[str, Any] = {"id": run.run_id, "streamed_output": [], "final_output": None, "logs": {}}
            self._send({"op": "replace", "path": "", "value": {**state, "name": run.name, "type": run_type}})
            return
        if run_id == self._root or not self._wanted.includes(run.name, run_type, run.tags):
            return
        count = self._counts[run.name] = self._counts.get(run.name, 0) + 1
        key = run.name if count == 1 else f"{run.name}:{count}"
        self._runs[run_id] = _LoggedRun(key, run)
        entry = {"id": run.run_id, "name": run.name, "type": run_type, "tags": run.tags, "metadata": metadata or {}}
        lists: dict[str, Any] = {"streamed_output": [], "streamed_output_str": []}
        ended = {"final_output": None, "end_time": None}
        self._send(_operation("add", key, None, {**entry, "start_time": _now(), **lists, **ended}))

    def _end(self, run_id: UUID, output: Callable[[Run], Any]) -> None:
        if (logged := self._runs.pop(run_id, None)) is not None:
            self._send(
                _operation("add", logged.key, "final_output", output(logged.run)),
                _operation("add", logged.key, "end_time", _now()),
            )

    def _send(self, *operations: dict[str, Any]) -> None:
        self._channel.send(LogOperations(operations))


def _operation(op: str, key: str, place: str | None, value: object) -> dict[str, Any]:
    path = f"/logs/{escape(key)}"
    return {"op": op, "path": path if place is None else f"{path}/{place}", "value": value}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
