"""``ConsoleHandler``: after ``set_debug(True)`` it prints each run: its parents, its input, its time, its output."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from .handlers import BaseCallbackHandler
from .printing import get_bolded_text, get_colored_text

__all__ = ("ConsoleHandler", "console_handler")


class ConsoleHandler(BaseCallbackHandler):
    """Prints the start and the end of every run, in the format of LangChain's ``ConsoleCallbackHandler``."""

    run_inline = True
    _COLORS: ClassVar[dict[str, str]] = {"start": "green", "end": "blue", "error": "red"}

    def __init__(self) -> None:
        # The open runs: the types and names from the root down, and when each began.
        self._runs: dict[UUID, tuple[str, float]] = {}

    def on_llm_start(self, serialized: Mapping[str, Any] | None, prompts: list[str], **info: Any) -> None:
        """Print the prompts."""
        self._start("llm", "llm", serialized, {"prompts": [prompt.strip() for prompt in prompts]}, info)

    def on_chain_start(
        self, serialized: Mapping[str, Any] | None, inputs: object, *, run_type: str | None = None, **info: Any
    ) -> None:
        """Print the inputs."""
        inputs = inputs if isinstance(inputs, dict) else {"input": inputs}
        self._start("chain", run_type or "chain", serialized, inputs, info)

    def on_tool_start(self, serialized: Mapping[str, Any] | None, input_str: str, **info: Any) -> None:
        """Print the input."""
        self._start("tool", "tool", serialized, input_str.strip(), info)

    def on_retriever_start(self, serialized: Mapping[str, Any] | None, query: str, **info: Any) -> None:
        """Print the query."""
        self._start("retriever", "retriever", serialized, {"query": query}, info)

    def on_llm_end(self, response: object, *, run_id: UUID, **kwargs: object) -> None:
        """Print the result."""
        self._end("llm", run_id, response)

    def on_chain_end(self, outputs: object, *, run_id: UUID, **kwargs: object) -> None:
        """Print the outputs."""
        self._end("chain", run_id, outputs if isinstance(outputs, dict) else {"output": outputs})

    def on_tool_end(self, output: object, *, run_id: UUID, **kwargs: object) -> None:
        """Print the output."""
        self._end("tool", run_id, str(output).strip())

    def on_retriever_end(self, documents: object, *, run_id: UUID, **kwargs: object) -> None:
        """Print the documents."""
        self._end("retriever", run_id, {"documents": documents})

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Print the error."""
        self._fail("llm", run_id, error)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Print the error."""
        self._fail("chain", run_id, error)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Print the error."""
        self._fail("tool", run_id, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Print the error."""
        self._fail("retriever", run_id, error)

    def _start(
        self, kind: str, run_type: str, serialized: Mapping[str, Any] | None, input: object, info: dict[str, Any]
    ) -> None:
        name = info.get("name") or (serialized or {}).get("name") or "Unnamed"
        parent, _ = self._runs.get(info.get("parent_run_id"), ("", 0.0))  # type: ignore[arg-type]
        path = f"{parent} > {run_type}:{name}" if parent else f"{run_type}:{name}"
        self._runs[info["run_id"]] = path, time.monotonic()
        self._print(kind, "start", f"[{path}] Entering {_title(path)} run with input:", input)

    def _end(self, kind: str, run_id: UUID, output: object) -> None:
        if run_id in self._runs:
            path, took = self._close(run_id)
            self._print(kind, "end", f"[{path}] [{took}] Exiting {_title(path)} run with output:", output)

    def _fail(self, kind: str, run_id: UUID, error: BaseException) -> None:
        if run_id in self._runs:
            path, took = self._close(run_id)
            self._print(kind, "error", f"[{path}] [{took}] {_title(path)} run errored with error:", repr(error))

    def _close(self, run_id: UUID) -> tuple[str, str]:
        path, began = self._runs.pop(run_id)
        seconds = time.monotonic() - began
        return path, f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.2f}s"

    def _print(self, kind: str, event: str, title: str, value: object) -> None:
        mark = get_colored_text(f"[{kind}/{event}]", self._COLORS[event])
        print(mark, get_bolded_text(f"{title}\n") + json.dumps(value, indent=2, ensure_ascii=False, default=_to_plain))


console_handler = ConsoleHandler()
"""The handler of all runs of the process, while it debugs."""


def _title(path: str) -> str:
    """Return the type of the last run of ``path``, as a title: ``LLM``, ``Chain``."""
    run_type = path.rpartition(" > ")[2].partition(":")[0]
    return "LLM" if run_type == "llm" else run_type.capitalize()


def _to_plain(value: object) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else repr(value)
