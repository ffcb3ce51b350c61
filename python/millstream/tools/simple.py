"""``Tool``: a function of one argument as a tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .base import ArgsSchema
from .functions import FunctionTool
from .tool_run import ToolException

__all__ = ("Tool",)


class Tool(FunctionTool):
    """A function of one text as a tool.

    Without ``args_schema`` its argument has no name. ::

        Tool("shout", str.upper, "Write a text in capitals.").invoke("hello")  # "HELLO"
    """

    func: Callable[..., Any] | None
    coroutine: Callable[..., Awaitable[Any]] | None = None

    def __init__(self, name: str, func: Callable[..., Any] | None, description: str, **kwargs: Any) -> None:
        super().__init__(name=name, func=func, description=description, **kwargs)

    @property
    def args(self) -> dict[str, Any]:
        """The JSON schema of the argument."""
        return {"tool_input": {"type": "string"}} if self.args_schema is None else super().args

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the one argument; :class:`ToolException` if there are more, or none."""
        args, kwargs = super()._to_args_and_kwargs(tool_input, tool_call_id)
        all_args = [*args, *kwargs.values()]
        if len(all_args) != 1:
            raise ToolException(
                f"Too many arguments to single-input tool {self.name}.\n                Consider using StructuredTool"
                f" instead. Args: {all_args}"
            )
        return tuple(all_args), {}

    @classmethod
    def from_function(
        cls,
        func: Callable[..., Any] | None,
        name: str,
        description: str,
        return_direct: bool = False,
        args_schema: ArgsSchema | None = None,
        coroutine: Callable[..., Awaitable[Any]] | None = None,
        **kwargs: Any,
    ) -> Tool:
        """Return a tool that calls ``func``, in async code ``coroutine``; :class:`ValueError` if both are missing."""
        if func is None and coroutine is None:
            raise ValueError("Function and/or coroutine must be provided")
        return cls(
            name=name,
            func=func,
            coroutine=coroutine,
            description=description,
            return_direct=return_direct,
            args_schema=args_schema,
            **kwargs,
        )
