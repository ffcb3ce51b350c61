"""``StructuredTool``: a function of any arguments as a tool."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from .._model_classes import is_model_class
from ..function_calling.signature_models import FILTERED_ARGS, create_schema_from_function
from .base import ArgsSchema
from .functions import FunctionTool
from .signatures import _get_runnable_config_param

__all__ = ("StructuredTool",)

# The first words of the docstring that classes of pydantic inherit.
_DOCSTRING_OF_BASE = "A base class for creating Pydantic models"


class StructuredTool(FunctionTool):
    """A function as a tool, with a schema for its arguments.

    It is made by :func:`~millstream.tools.tool`, or so::

        def add(a: int, b: int) -> int:
            "Add two numbers."
            return a + b

        StructuredTool.from_function(add).invoke({"a": 1, "b": 2})  # 3
    """

    args_schema: ArgsSchema

    @classmethod
    def from_function(
        cls,
        func: Callable[..., Any] | None = None,
        coroutine: Callable[..., Awaitable[Any]] | None = None,
        name: str | None = None,
        description: str | None = None,
        return_direct: bool = False,
        args_schema: ArgsSchema | None = None,
        infer_schema: bool = True,
        *,
        response_format: Literal["content", "content_and_artifact"] = "content",
        parse_docstring: bool = False,
        error_on_invalid_docstring: bool = False,
        **kwargs: Any,
    ) -> StructuredTool:
        """Return a tool that calls ``func``, in async code ``coroutine``.

        Name, description and schema are the function's if they are not given. With ``parse_docstring`` the docstring,
        in Google style, describes the arguments too. Raises :class:`ValueError` if there is no function, or no
        description.
        """
        source: Any = coroutine if func is None else func
        if source is None:
            raise ValueError("Function and/or coroutine must be provided")
        name = name or source.__name__
        if args_schema is None and infer_schema:
            config_name = _get_runnable_config_param(source)
            args_schema = create_schema_from_function(
                name,
                source,
                parse_docstring=parse_docstring,
                error_on_invalid_docstring=error_on_invalid_docstring,
                filter_args=[*FILTERED_ARGS, *([config_name] if config_name else ())],
            )
        if description is None:
            own = None if parse_docstring else source.__doc__
            description = textwrap.dedent(own or _description_in(args_schema))
        schema: Any = args_schema
        return cls(
            name=name,
            func=func,
            coroutine=coroutine,
            args_schema=schema,
            description=description.strip(),
            return_direct=return_direct,
            response_format=response_format,
            **kwargs,
        )


def _description_in(schema: object) -> str:
    """Return the description that a schema has; :class:`ValueError` if it has none."""
    found: str | None = None
    if isinstance(schema, dict):
        found = schema.get("description")
    elif is_model_class(schema):
        found = schema.__doc__ or None
    elif schema:
        raise TypeError(f"Invalid args_schema: expected BaseModel or dict, got {schema}")
    if found is None:
        raise ValueError("Function must have a docstring if description not provided.")
    return "" if _DOCSTRING_OF_BASE in found else found
