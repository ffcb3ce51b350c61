"""The path that LangChain has for what Runnables share; nothing in this package imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._late import lazy_names
from .runnable import Input, Output

if TYPE_CHECKING:
    from ..streaming.accumulate import Addable, AddableDict, aadd, add
    from .arguments import (
        accepts_config,
        accepts_context,
        accepts_run_manager,
        is_async_callable,
        is_async_generator,
    )
    from .concurrency import asyncio_accepts_context, coro_with_context, gated_coro, gather_with_concurrency
    from .config_specs import (
        AnyConfigurableField,
        ConfigurableField,
        ConfigurableFieldMultiOption,
        ConfigurableFieldSingleOption,
        ConfigurableFieldSpec,
        get_unique_config_specs,
    )
    from .function_source import (
        get_function_first_arg_dict_keys,
        get_function_nonlocals,
        get_lambda_source,
        indent_lines_after_first,
    )

__all__ = (
    "Addable",
    "AddableDict",
    "AnyConfigurableField",
    "ConfigurableField",
    "ConfigurableFieldMultiOption",
    "ConfigurableFieldSingleOption",
    "ConfigurableFieldSpec",
    "Input",
    "Output",
    "aadd",
    "accepts_config",
    "accepts_context",
    "accepts_run_manager",
    "add",
    "asyncio_accepts_context",
    "coro_with_context",
    "gated_coro",
    "gather_with_concurrency",
    "get_function_first_arg_dict_keys",
    "get_function_nonlocals",
    "get_lambda_source",
    "get_unique_config_specs",
    "indent_lines_after_first",
    "is_async_callable",
    "is_async_generator",
)

_MODULES = {
    "millstream.streaming.accumulate": ("Addable", "AddableDict", "aadd", "add"),
    "millstream.runnables.concurrency": (
        "asyncio_accepts_context",
        "coro_with_context",
        "gated_coro",
        "gather_with_concurrency",
    ),
    "millstream.runnables.config_specs": (
        "AnyConfigurableField",
        "ConfigurableField",
        "ConfigurableFieldMultiOption",
        "ConfigurableFieldSingleOption",
        "ConfigurableFieldSpec",
        "get_unique_config_specs",
    ),
    "millstream.runnables.function_source": (
        "get_function_first_arg_dict_keys",
        "get_function_nonlocals",
        "get_lambda_source",
        "indent_lines_after_first",
    ),
    "millstream.runnables.arguments": (
        "accepts_config",
        "accepts_context",
        "accepts_run_manager",
        "is_async_callable",
        "is_async_generator",
    ),
}

__getattr__ = lazy_names(globals(), {name: module for module, names in _MODULES.items() for name in names})
