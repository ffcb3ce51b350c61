"""The run of a tool, as sync and async code share it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from .._kinds import is_kind
from ..runnables.config import RunnableConfig, child_context, ensure_config
from .outputs import _format_output
from .signatures import _get_runnable_config_param, takes_parameter

__all__ = ("ToolException", "ToolRun", "prepare_run")


class ToolException(Exception):
    """An error of a tool that its caller may handle: see the tool's ``handle_tool_error``."""


def prepare_run(
    input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]
) -> tuple[str | dict[str, Any], dict[str, Any]]:
    """Return the arguments of :meth:`BaseTool.run` for an input: a text, arguments, or a tool call."""
    if not isinstance(input, str | dict):
        taken = "a text, a dict of arguments, or a tool call"
        raise TypeError(f"Invalid tool input type: {type(input)}. A tool takes {taken}.")
    config = ensure_config(config)
    tool_call_id = None
    if isinstance(input, dict) and input.get("type") == "tool_call":
        tool_call_id, input = input["id"], dict(input["args"])
    arguments = dict(
        callbacks=config.get("callbacks"),
        tags=config.get("tags"),
        metadata=config.get("metadata"),
        run_name=config.get("run_name"),
        run_id=config.pop("run_id", None),
        config=config,
        tool_call_id=tool_call_id,
        **kwargs,
    )
    return input, arguments


class ToolRun:
    """One run of a tool: the arguments of its callbacks, and what becomes of its result or its error."""

    def __init__(
        self,
        tool: Any,
        tool_input: str | dict[str, Any],
        config: RunnableConfig | None,
        tool_call_id: str | None,
    ) -> None:
        self._tool = tool
        self._input = tool_input
        self._tool_call_id = tool_call_id
        self._config = ensure_config(config)

    def start(self, **info: Any) -> dict[str, Any]:
        """Return the arguments of ``on_tool_start``: ``info``, and the tool's without those that are injected."""
        tool = self._tool
        shown = tool._filter_injected_args(self._input) if isinstance(self._input, dict) else None
        text = self._input if isinstance(self._input, str) else str(self._input if shown is None else shown)
        serialized = {"name": tool.name, "description": tool.description}
        return {
            **info,
            "serialized": serialized,
            "input_str": text,
            "inputs": shown,
            "tool_call_id": self._tool_call_id,
        }

    def context(self, run: Any) -> contextvars.Context:
        """Return the context for the tool's code: runs that start in there are children of ``run``."""
        return child_context(self._config, run)

    def call(self, run: Any) -> Any:
        """Call the tool's ``_run``."""
        function = self._tool._run
        args, kwargs = self._arguments(function, run)
        return function(*args, **kwargs)

    async def acall(self, run: Any, signed: Callable[..., Any]) -> Any:
        """Call the tool's ``_arun``, which takes the parameters of ``signed``."""
        args, kwargs = self._arguments(signed, run)
        return await self._tool._arun(*args, **kwargs)

    def _arguments(self, function: Callable[..., Any], run: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = self._tool._to_args_and_kwargs(self._input, self._tool_call_id)
        if takes_parameter(function, "run_manager"):
            kwargs["run_manager"] = run
        if name := _get_runnable_config_param(function):
            kwargs[name] = self._config
        return args, kwargs

    def output(self, response: Any) -> Any:
        """Return the output for what the tool returned."""
        if self._tool.response_format != "content_and_artifact":
            return self._format(response)
        if not isinstance(response, tuple) or len(response) != 2:
            raise ValueError(
                "Since response_format='content_and_artifact' a two-tuple of the message content and raw tool output is"
                f" expected. Instead, generated response is of type: {type(response)}."
            )
        return self._format(*response)

    def handle(self, error: BaseException) -> Any:
        """Return the output for an error that the tool handles; raise any other."""
        tool = self._tool
        if _is_validation_error(error):
            handler: Any = tool.handle_validation_error
            name, default = "handle_validation_error", "Tool input validation error"
        elif is_kind(type(error), "ToolException"):
            handler = tool.handle_tool_error
            name, default = "handle_tool_error", error.args[0] if error.args else "Tool execution error"
        else:
            handler = None
        if not handler:
            raise error
        if isinstance(handler, bool):
            content = default
        elif isinstance(handler, str):
            content = handler
        elif callable(handler):
            content = handler(error)
        else:
            raise ValueError(f"Got unexpected type of `{name}`. Expected bool, str or callable. Received: {handler}")
        return self._format(content, status="error")

    def _format(self, content: Any, artifact: Any = None, status: str = "success") -> Any:
        return _format_output(content, artifact, self._tool_call_id, self._tool.name, status)


def _is_validation_error(error: BaseException) -> bool:
    """Return whether ``error`` is a validation error of pydantic's, of either version."""
    kind = type(error)
    return kind.__name__ == "ValidationError" and kind.__module__.partition(".")[0] in ("pydantic", "pydantic_core")
