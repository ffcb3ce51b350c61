"""Validation of messages, and their pydantic schemas. Imports pydantic only when pydantic asks for a schema."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar

from .._pydantic_field import described_schema, dump_options
from .base import BaseMessage, BaseMessageChunk
from .tool_calls import InvalidToolCall, ToolCall, ToolCallChunk
from .usage import UsageMetadata

__all__ = ("core_schema_of", "dump_options", "json_schema_of", "validate_message")

Message = TypeVar("Message", bound=BaseMessage)

_TYPES: dict[str, Any] = {
    "content": str | list[str | dict[str, Any]],
    "additional_kwargs": dict[str, Any],
    "response_metadata": dict[str, Any],
    "type": str,
    "name": str | None,
    "id": str | None,
    "tool_calls": list[ToolCall],
    "invalid_tool_calls": list[InvalidToolCall],
    "usage_metadata": UsageMetadata | None,
    "tool_call_chunks": list[ToolCallChunk],
    "chunk_position": Literal["last"] | None,
    "tool_call_id": str,
    "artifact": Any,
    "status": Literal["success", "error"],
    "role": str,
}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("name", "id", "usage_metadata", "chunk_position", "artifact")),
    "status": "success",
}
_FACTORIES: dict[str, Any] = {
    **dict.fromkeys(("additional_kwargs", "response_metadata"), dict),
    **dict.fromkeys(("tool_calls", "invalid_tool_calls", "tool_call_chunks"), list),
}


def core_schema_of(cls: Any, handler: Any) -> Any:
    """Return pydantic's core schema of messages of ``cls``; ``handler`` makes the schema that describes them."""
    return described_schema(cls, lambda value: validate_message(cls, value), _model_of(cls), handler)


def json_schema_of(cls: type[BaseMessage], schema: Any, handler: Any) -> dict[str, Any]:
    """Return the JSON schema of messages of ``cls``, for validation and serialization."""
    described: dict[str, Any] = handler(schema["json_schema_input_schema"])
    return described


@cache
def _model_of(cls: Any) -> Any:
    """Return the pydantic class that describes messages of ``cls``; it is never instantiated."""
    from pydantic import ConfigDict, Field, create_model

    fields: dict[str, Any] = {}
    for name in cls._fields:
        type, default = _type_of(cls, name), _default_of(cls, name)
        fields[name] = (type, Field(default_factory=default) if callable(default) else default)
    doc = cls.__doc__.partition("\n\n")[0] if cls.__doc__ else None
    return create_model(
        cls.__name__, __config__=ConfigDict(extra="allow"), __doc__=doc, __module__=cls.__module__, **fields
    )


def _default_of(cls: type[BaseMessage], name: str) -> Any:
    """Return the default of a field, or what makes it; ``...`` stands for none."""
    if name == "type":
        type_name = getattr(cls, "type", ...)
        return type_name if isinstance(type_name, str) else ...
    return ... if _type_of(cls, name) is str else _DEFAULTS.get(name, _FACTORIES.get(name, ...))


def _type_of(cls: type[BaseMessage], name: str) -> Any:
    type_name = getattr(cls, "type", None)
    if name == "type" and isinstance(type_name, str):
        return Literal[type_name]
    if name == "name" and type_name in ("function", "FunctionMessageChunk"):
        # It is the name of the function.
        return str
    return _TYPES.get(name, Any)


def validate_message(cls: type[Message], value: object) -> Message:
    """Return ``value``, a message or a dict, as a message of ``cls``; :class:`ValueError` if it is not one."""
    if isinstance(value, cls):
        return value
    if not isinstance(value, Mapping) and not (hasattr(value, "content") and hasattr(value, "type")):
        raise ValueError(f"{cls.__name__}: a message or a dict is needed, not {type(value).__name__}")
    try:
        message = _make_message(cls, value)
    except (TypeError, KeyError, NotImplementedError) as error:
        raise ValueError(f"{cls.__name__}: {error}") from error
    if not isinstance(message, cls):
        raise ValueError(f"{cls.__name__}: type must be {getattr(cls, 'type', 'that of a chunk')!r}")
    return message


def _make_message(cls: type[BaseMessage], value: object) -> BaseMessage:
    from .conversion import convert_to_messages, message_class

    if not isinstance(value, Mapping):
        return convert_to_messages([value])[0]
    type_name = value.get("type")
    if isinstance(type_name, str) and cls in (BaseMessage, BaseMessageChunk):
        return (message_class(type_name) or BaseMessage)(**value)
    if type_name is None and "role" in value and "role" not in cls._fields:
        return convert_to_messages([value])[0]
    return cls(**value)
