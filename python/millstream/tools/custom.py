"""``custom_tool``: a tool of OpenAI's Responses API that takes a text instead of JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, overload

from .base import BaseTool
from .convert import tool

__all__ = ("custom_tool",)


@overload
def custom_tool(func: Callable[..., Any], /) -> BaseTool: ...
@overload
def custom_tool(
    *, format: Mapping[str, Any] | None = None, **kwargs: Any
) -> Callable[[Callable[..., Any]], BaseTool]: ...
def custom_tool(
    func: Callable[..., Any] | None = None, /, *, format: Mapping[str, Any] | None = None, **kwargs: Any
) -> BaseTool | Callable[[Callable[..., Any]], BaseTool]:
    """Make a tool of OpenAI's that takes a text of any form, of a function of one text or a coroutine function.

    ``format`` is the grammar of the text, as OpenAI describes it; the other arguments are those of
    :func:`~millstream.tools.tool`. Its description is the function's docstring. ::

        @custom_tool
        def execute(code: str) -> str:
            "Execute Python code."
            return run(code)

        ChatOpenAI(model="gpt-5", use_responses_api=True).bind_tools([execute])
    """

    def make(func: Callable[..., Any]) -> BaseTool:
        made: Any = tool(infer_schema=False, **kwargs)(func)
        made.metadata = {"type": "custom_tool", **({} if format is None else {"format": format})}
        made.description = func.__doc__
        if inspect.iscoroutinefunction(func):
            made.coroutine = _wrap_coroutine(func)
        else:
            made.func = _wrap(func)
        return made  # type: ignore[no-any-return]

    return make if func is None else make(func)


def _wrap(func: Callable[..., Any]) -> Callable[[str], list[dict[str, Any]]]:
    @wraps(func)
    def call(text: str) -> list[dict[str, Any]]:
        return _as_output(func(text))

    return call


def _wrap_coroutine(func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)
    async def call(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        return _as_output(await func(*args, **kwargs))

    return call


def _as_output(output: object) -> list[dict[str, Any]]:
    return [{"type": "custom_tool_call_output", "output": output}]
