"""``tool``, which makes tools of functions and Runnables, and :func:`convert_runnable_to_tool`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_type_hints, overload

from .._kinds import is_kind
from .._late import guard_import
from ..runnables.runnable import Runnable
from .base import ArgsSchema, BaseTool
from .simple import Tool
from .structured import StructuredTool

if TYPE_CHECKING:
    from pydantic import BaseModel

    Source: TypeAlias = Callable[..., Any] | Runnable[Any, Any]
    Format: TypeAlias = Literal["content", "content_and_artifact"]

__all__ = ("convert_runnable_to_tool", "tool")


@overload
def tool(
    *,
    description: str | None = None,
    return_direct: bool = False,
    args_schema: ArgsSchema | None = None,
    infer_schema: bool = True,
    response_format: Format = "content",
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = True,
    extras: dict[str, Any] | None = None,
) -> Callable[[Source], BaseTool]: ...
@overload
def tool(
    name_or_callable: str,
    runnable: Runnable[Any, Any],
    *,
    description: str | None = None,
    return_direct: bool = False,
    args_schema: ArgsSchema | None = None,
    infer_schema: bool = True,
    response_format: Format = "content",
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = True,
    extras: dict[str, Any] | None = None,
) -> BaseTool: ...
@overload
def tool(
    name_or_callable: Callable[..., Any],
    *,
    description: str | None = None,
    return_direct: bool = False,
    args_schema: ArgsSchema | None = None,
    infer_schema: bool = True,
    response_format: Format = "content",
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = True,
    extras: dict[str, Any] | None = None,
) -> BaseTool: ...
@overload
def tool(
    name_or_callable: str,
    *,
    description: str | None = None,
    return_direct: bool = False,
    args_schema: ArgsSchema | None = None,
    infer_schema: bool = True,
    response_format: Format = "content",
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = True,
    extras: dict[str, Any] | None = None,
) -> Callable[[Source], BaseTool]: ...
def tool(
    name_or_callable: str | Callable[..., Any] | None = None,
    runnable: Runnable[Any, Any] | None = None,
    *args: object,
    description: str | None = None,
    return_direct: bool = False,
    args_schema: ArgsSchema | None = None,
    infer_schema: bool = True,
    response_format: Format = "content",
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = True,
    extras: dict[str, Any] | None = None,
) -> BaseTool | Callable[[Source], BaseTool]:
    """Make a tool of a function, a coroutine function or a Runnable.

    With arguments, it returns a decorator. ::

        @tool
        def search(query: str) -> str:
            "Search the web."
            return find(query)

        @tool("search", return_direct=True)
        def search_web(query: str) -> str: ...

        tool("answer", chain)  # a Runnable needs a name

    The schema of the arguments is made of the signature; without ``infer_schema`` the tool takes one text.
    The description is ``description``, the function's docstring, or that of ``args_schema``. With ``parse_docstring`` a
    docstring in Google style describes the arguments too. With ``response_format="content_and_artifact"`` the function
    returns a tuple of the two. ``extras`` are for a provider. A parameter annotated as ``RunnableConfig`` receives the
    call's configuration. Raises :class:`ValueError` where there is no name, no description, or no schema to be made.
    """
    maker = _ToolMaker(
        description=description,
        return_direct=return_direct,
        args_schema=args_schema,
        infer_schema=infer_schema,
        response_format=response_format,
        parse_docstring=parse_docstring,
        error_on_invalid_docstring=error_on_invalid_docstring,
        extras=extras,
    )
    if args:
        raise ValueError("Too many arguments for tool decorator. A decorator takes a name and a Runnable.")
    name = name_or_callable
    if runnable is not None:
        return maker.make_of_runnable(name, runnable)
    if name is None:
        return maker.make_named
    if isinstance(name, str):
        return partial(maker.make, name)
    if hasattr(name, "__name__") and callable(name):
        return maker.make(name.__name__, name)
    raise ValueError(
        f"The first argument must be a string or a callable with a __name__ for tool decorator. Got {type(name)}"
    )


class _ToolMaker:
    """Makes tools with the arguments of one call of :func:`tool`."""

    def __init__(
        self,
        *,
        description: str | None,
        args_schema: ArgsSchema | None,
        infer_schema: bool,
        parse_docstring: bool,
        error_on_invalid_docstring: bool,
        **fields: Any,
    ) -> None:
        self._description = description
        self._args_schema = args_schema
        self._infers = infer_schema
        self._parsing: dict[str, Any] = {
            "infer_schema": infer_schema,
            "parse_docstring": parse_docstring,
            "error_on_invalid_docstring": error_on_invalid_docstring,
        }
        self._fields = fields

    def make_named(self, source: Source) -> BaseTool:
        """Return a tool of the name that ``source`` has."""
        named: Any = source
        return self.make(named.get_name() if is_kind(type(source), "Runnable") else named.__name__, source)

    def make_of_runnable(self, name: object, runnable: Runnable[Any, Any]) -> BaseTool:
        """Return the tool ``name`` that calls ``runnable``. Raises :class:`ValueError` unless the name is a text."""
        if not name:
            raise ValueError("Runnable without name for tool constructor")
        if not isinstance(name, str):
            raise ValueError("Name must be a string for tool constructor")
        return self.make(name, runnable)

    def make(self, name: str, source: Any) -> BaseTool:
        """Return the tool ``name`` that calls ``source``."""
        description, schema = self._description, self._args_schema
        calls: dict[str, Any]
        if is_kind(type(source), "Runnable"):
            if source.get_input_jsonschema().get("type") != "object":
                raise ValueError("Runnable must have an object schema.")
            calls = _calls_of(source)
            schema, description = source.input_schema, description or repr(source)
        elif inspect.iscoroutinefunction(source):
            calls = {"func": None, "coroutine": source}
        else:
            calls = {"func": source, "coroutine": None}
        if self._infers or self._args_schema is not None:
            return StructuredTool.from_function(
                name=name, description=description, args_schema=schema, **calls, **self._parsing, **self._fields
            )
        description = description or source.__doc__
        if description is None:
            raise ValueError("Function must have either a docstring or description when infer_schema is False.")
        return Tool(name=name, description=description, **calls, **self._fields)


def _calls_of(runnable: Any) -> dict[str, Any]:
    """Return the functions that call ``runnable`` with a dict of their arguments."""

    def invoke(callbacks: Any = None, **kwargs: Any) -> Any:
        return runnable.invoke(kwargs, {"callbacks": callbacks})

    async def ainvoke(callbacks: Any = None, **kwargs: Any) -> Any:
        return await runnable.ainvoke(kwargs, {"callbacks": callbacks})

    return {"func": invoke, "coroutine": ainvoke}


def convert_runnable_to_tool(
    runnable: Runnable[Any, Any],
    args_schema: type[BaseModel] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    arg_types: dict[str, type] | None = None,
) -> BaseTool:
    """Return a tool that calls ``runnable`` with a text, if that is its input, or with a dict of arguments.

    The arguments are described by ``args_schema``, by ``arg_types``, or by the Runnable's own input type. Raises
    :class:`TypeError` if the keys of its dicts have no types.
    """
    source: Any = runnable.with_types(input_type=args_schema) if args_schema else runnable
    schema: dict[str, Any] = source.get_input_jsonschema()
    description = description or f"Takes {schema}."
    name = name or source.get_name()
    if schema.get("type") == "string":
        return Tool(name=name, func=source.invoke, coroutine=source.ainvoke, description=description)
    if arg_types is None and _has_fields(schema, source.input_schema):
        args_schema = source.input_schema
    else:
        args_schema = _schema_of_types(name, arg_types or _key_types(source.InputType))
    return StructuredTool.from_function(
        **_calls_of(source), name=name, description=description, args_schema=args_schema
    )


def _has_fields(schema: dict[str, Any], model: object) -> bool:
    """Return whether the fields of ``model`` are the arguments; a root model has one field, ``root``."""
    is_root = getattr(model, "__pydantic_root_model__", False)
    return schema.get("type") == "object" and bool(schema.get("properties")) and not is_root


def _key_types(input_type: object) -> dict[str, Any]:
    try:
        return get_type_hints(input_type)
    except TypeError as error:
        raise TypeError(
            "Tool input must be str or dict. If dict, dict arguments must be typed. Either annotate types (e.g., with"
            f" TypedDict) or pass arg_types into `.as_tool` to specify. {error}"
        ) from error


def _schema_of_types(name: str, types: dict[str, Any]) -> type[BaseModel]:
    guard_import("pydantic")
    from pydantic import create_model

    fields: dict[str, Any] = {key: (kind, ...) for key, kind in types.items()}
    model: type[BaseModel] = create_model(name, **fields)
    return model
