"""Listeners of a Runnable's runs: functions that are called with a ``Run`` at its start, its end or its error."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from .._signatures import signature_parameters
from .._uuid7 import uuid7
from ..callbacks.handlers import BaseCallbackHandler
from .config import RunnableConfig

__all__ = ("Listener", "RootListener", "Run", "listener_config")


@dataclass(slots=True, eq=False)
class Run:
    """One run, as listeners receive it.

    ``inputs`` and ``outputs`` are dicts: those of a chain, or its input under ``"input"`` and its output under
    ``"output"``. A model's are its ``"prompts"`` or ``"messages"``, and its ``"generations"``, which hold the
    messages themselves. ``error`` is the traceback's text, ``None`` unless the run failed.
    """

    id: UUID = field(default_factory=uuid7)
    name: str = "Unnamed"
    run_type: str = "chain"
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    start_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    end_time: datetime | None = None
    parent_run_id: UUID | None = None
    child_runs: list[Run] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    serialized: dict[str, Any] | None = None
    trace_id: UUID | None = None
    dotted_order: str = ""

    @property
    def metadata(self) -> dict[str, Any]:
        """The run's metadata."""
        metadata: dict[str, Any] = self.extra.setdefault("metadata", {})
        return metadata


Listener = Callable[[Run], Any] | Callable[[Run, RunnableConfig], Any]
"""Receives the run, and the configuration of the call if it has a parameter ``config``."""


class RootListener(BaseCallbackHandler):
    """The callback handler that calls the listeners of one call: for its own run, and not for the child runs.

    It is made for each call, and the first run that it is notified of is the call's. An async listener runs on
    the event loop, a sync one in its executor, as handlers do.
    """

    def __init__(
        self,
        *,
        config: RunnableConfig,
        on_start: Listener | None = None,
        on_end: Listener | None = None,
        on_error: Listener | None = None,
        is_async: bool = False,
    ) -> None:
        self._config = config
        self._on_start = on_start
        self._on_end = on_end
        self._on_error = on_error
        # Users may give two runs one id: the last one to start is the first one to end.
        self._open: dict[UUID, list[Run]] = {}
        self._root: Run | None = None
        self.run_inline = is_async

    def on_chain_start(self, serialized: object, inputs: object, **info: Any) -> Any:
        """Call ``on_start``, if this is the call's own run."""
        return self._start(serialized, _as_dict("input", inputs), info.pop("run_type", None) or "chain", **info)

    def on_llm_start(self, serialized: object, prompts: list[str], **info: Any) -> Any:
        """Call ``on_start``, if this is the call's own run."""
        return self._start(serialized, {"prompts": prompts}, "llm", **info)

    def on_chat_model_start(self, serialized: Any, messages: Any, **info: Any) -> Any:
        """Call ``on_start``, if this is the call's own run."""
        return self._start(serialized, {"messages": [list(ones) for ones in messages]}, "chat_model", **info)

    def on_tool_start(self, serialized: object, input_str: str, **info: Any) -> Any:
        """Call ``on_start``, if this is the call's own run."""
        return self._start(serialized, {"input": input_str}, "tool", **info)

    def on_retriever_start(self, serialized: object, query: str, **info: Any) -> Any:
        """Call ``on_start``, if this is the call's own run."""
        return self._start(serialized, {"query": query}, "retriever", **info)

    def on_chain_end(self, outputs: object, *, run_id: UUID, inputs: object = None, **info: Any) -> Any:
        """Call ``on_end``, if this is the call's own run."""
        return self._end(run_id, _as_dict("output", outputs), inputs)

    def on_llm_end(self, response: object, *, run_id: UUID, **info: Any) -> Any:
        """Call ``on_end``, if this is the call's own run."""
        return self._end(run_id, _dump(response))

    def on_tool_end(self, output: object, *, run_id: UUID, **info: Any) -> Any:
        """Call ``on_end``, if this is the call's own run."""
        return self._end(run_id, {"output": output})

    def on_retriever_end(self, documents: object, *, run_id: UUID, **info: Any) -> Any:
        """Call ``on_end``, if this is the call's own run."""
        return self._end(run_id, {"documents": documents})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, inputs: object = None, **info: Any) -> Any:
        """Call ``on_error``, if this is the call's own run."""
        return self._end(run_id, {}, inputs, error)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: object = None, **info: Any) -> Any:
        """Call ``on_error``, if this is the call's own run."""
        return self._end(run_id, {} if response is None else _dump(response), None, error)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **info: Any) -> Any:
        """Call ``on_error``, if this is the call's own run."""
        return self._end(run_id, {}, None, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **info: Any) -> Any:
        """Call ``on_error``, if this is the call's own run."""
        return self._end(run_id, {}, None, error)

    def _start(
        self,
        serialized: Any,
        inputs: dict[str, Any],
        run_type: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **extra: Any,
    ) -> Any:
        run = Run(run_id, name or (serialized or {}).get("name") or "Unnamed", run_type, inputs)
        run.parent_run_id, run.tags, run.serialized = parent_run_id, list(tags or ()), serialized
        run.extra = {**extra, "metadata": metadata} if metadata else extra
        run.events.append({"name": "start", "time": run.start_time})
        run.trace_id, run.dotted_order = run_id, f"{run.start_time:%Y%m%dT%H%M%S%fZ}{run_id}"
        if parent_run_id is not None and (parents := self._open.get(parent_run_id)):
            parent = parents[-1]
            parent.child_runs.append(run)
            run.trace_id, run.dotted_order = parent.trace_id, f"{parent.dotted_order}.{run.dotted_order}"
        self._open.setdefault(run_id, []).append(run)
        if self._root is not None:
            return None
        # The parent of the call's own run is not among those that this handler is notified of.
        self._root, run.parent_run_id = run, None
        return self._call(self._on_start, run)

    def _end(
        self, run_id: UUID, outputs: dict[str, Any], inputs: object = None, error: BaseException | None = None
    ) -> Any:
        if not (runs := self._open.get(run_id)):
            return None
        run = runs.pop()
        run.outputs.update(outputs)
        run.error = None if error is None else _describe(error)
        run.end_time = datetime.now(UTC)
        run.events.append({"name": "end" if error is None else "error", "time": run.end_time})
        if inputs is not None:
            run.inputs = _as_dict("input", inputs)
        if run is not self._root:
            return None
        return self._call(self._on_end if error is None else self._on_error, run)

    def _call(self, listener: Any, run: Run) -> Any:
        if listener is None:
            return None
        return listener(run, config=self._config) if _takes_config(listener) else listener(run)


def listener_config(
    on_start: Listener | None, on_end: Listener | None, on_error: Listener | None, *, is_async: bool
) -> Callable[[RunnableConfig], RunnableConfig]:
    """Return a function that returns, for the configuration of a call, one with the handler of these listeners."""

    def make(config: RunnableConfig) -> RunnableConfig:
        handler = RootListener(config=config, on_start=on_start, on_end=on_end, on_error=on_error, is_async=is_async)
        return {"callbacks": [handler]}

    return make


def _as_dict(key: str, value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {key: value}


def _dump(result: Any) -> dict[str, Any]:
    """Return a model's result as a dict; messages stay messages."""
    generations = [[_dump_generation(one) for one in choices] for choices in result.generations]
    return {"generations": generations, "llm_output": result.llm_output, "run": None, "type": "LLMResult"}


def _dump_generation(generation: Any) -> dict[str, Any]:
    info = {"text": generation.text, "generation_info": generation.generation_info, "type": generation.type}
    return {**info, "message": generation.message} if hasattr(generation, "message") else info


def _describe(error: BaseException) -> str:
    return (repr(error) + "\n\n".join(traceback.format_exception(error))).strip()


def _takes_config(listener: Any) -> bool:
    try:
        return "config" in signature_parameters(listener)
    except (TypeError, ValueError):
        return False
