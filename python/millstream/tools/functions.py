"""What tools that call a function have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..callbacks.tool_run_manager import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun
from ..runnables.config import RunnableConfig
from .base import BaseTool
from .signatures import _get_runnable_config_param, injected_names, takes_parameter

__all__ = ("FunctionTool",)


class FunctionTool(BaseTool):
    """A tool that calls ``func``, and in async code ``coroutine`` if it has one.

    A parameter named ``callbacks`` receives the manager of child runs, one annotated as ``RunnableConfig`` the
    call's configuration.
    """

    description: str = ""
    func: Callable[..., Any] | None = None
    coroutine: Callable[..., Awaitable[Any]] | None = None

    def _run(
        self,
        *args: Any,
        config: RunnableConfig,
        run_manager: CallbackManagerForToolRun | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the function; :class:`NotImplementedError` if there is only a coroutine function."""
        func = self.func
        if func is None:
            kind = next(cls for cls in type(self).__mro__ if cls.__module__.startswith(__package__))
            raise NotImplementedError(f"{kind.__name__} does not support sync invocation.")
        return func(*args, **{**kwargs, **_run_arguments(func, config, run_manager)})

    async def _arun(
        self,
        *args: Any,
        config: RunnableConfig,
        run_manager: AsyncCallbackManagerForToolRun | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the coroutine function, or the function in the loop's executor."""
        if (coroutine := self.coroutine) is None:
            return await super()._arun(*args, config=config, run_manager=run_manager, **kwargs)
        return await coroutine(*args, **{**kwargs, **_run_arguments(coroutine, config, run_manager)})

    @property
    def _injected_args_keys(self) -> frozenset[str]:
        """The parameters of the function that are injected."""
        function = self.func or self.coroutine
        return frozenset() if function is None else injected_names(function)


def _run_arguments(function: Callable[..., Any], config: RunnableConfig, run: Any) -> dict[str, Any]:
    """Return the callbacks and the configuration of the run, as arguments, if ``function`` takes them."""
    arguments: dict[str, Any] = {}
    if run is not None and takes_parameter(function, "callbacks"):
        arguments["callbacks"] = run.get_child()
    if name := _get_runnable_config_param(function):
        arguments[name] = config
    return arguments
