"""Validation of messages, and their pydantic schemas. Imports pydantic only when pydantic asks for a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from .._pydantic_field import dump_options, serialization
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
_REQUIRED = frozenset({"content", "tool_call_id", "role"})


def core_schema_of(cls: type[BaseMessage], handler: Any) -> Any:
    """Return pydantic's core schema of messages of ``cls``; ``handler`` makes the schemas of the fields."""
    from pydantic_core import core_schema

    fields = {
        name: core_schema.typed_dict_field(
            handler.generate_schema(_type_of(cls, name)), required=_is_required(cls, name)
        )
        for name in cls._fields
    }
    return core_schema.no_info_plain_validator_function(
        lambda value: validate_message(cls, value),
        ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
        json_schema_input_schema=core_schema.typed_dict_schema(fields, extra_behavior="allow"),
        serialization=serialization(),
    )


def json_schema_of(cls: type[BaseMessage], schema: Any, handler: Any) -> dict[str, Any]:
    """Return the JSON schema of messages of ``cls``, for validation and serialization."""
    described: dict[str, Any] = handler(schema["json_schema_input_schema"])
    inner = handler.resolve_ref_schema(described)
    inner["title"] = cls.__name__
    if cls.__doc__:
        inner["description"] = cls.__doc__.partition("\n\n")[0]
    return described


def _type_of(cls: type[BaseMessage], name: str) -> Any:
    type_name = getattr(cls, "type", None)
    if name == "type" and isinstance(type_name, str):
        return Literal[type_name]
    if name == "name" and _is_required(cls, name):
        return str
    return _TYPES.get(name, Any)


def _is_required(cls: type[BaseMessage], name: str) -> bool:
    if name == "type":
        # Required only by classes without a type of their own.
        return not hasattr(cls, "type")
    return name in _REQUIRED or (name == "name" and getattr(cls, "type", None) in ("function", "FunctionMessageChunk"))


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
