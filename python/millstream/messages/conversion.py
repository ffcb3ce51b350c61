"""Converts what users pass as messages (texts, tuples, dicts) to messages, and messages to dicts and text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from .ai import AIMessage, AIMessageChunk
from .base import BaseMessage, BaseMessageChunk
from .chat import ChatMessage, ChatMessageChunk
from .function import FunctionMessage, FunctionMessageChunk
from .human import HumanMessage, HumanMessageChunk
from .system import SystemMessage, SystemMessageChunk
from .tool import ToolMessage, ToolMessageChunk
from .tool_calls import read_piece, read_raw_call

__all__ = (
    "AnyMessage",
    "MessageLikeRepresentation",
    "convert_to_messages",
    "finish_message",
    "get_buffer_string",
    "message_chunk_to_message",
    "message_class",
    "messages_from_dict",
)


class _OneType:
    """For pydantic: a value is of exactly one of the types of the union that this annotates."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Return how pydantic describes a message of any type."""
        described = handler(schema)
        return {"oneOf": described["anyOf"]}

    # The types of copied and of unpickled prompts are equal.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OneType)

    def __hash__(self) -> int:
        return hash(_OneType)


AnyMessage = Annotated[
    AIMessage
    | HumanMessage
    | ChatMessage
    | SystemMessage
    | FunctionMessage
    | ToolMessage
    | AIMessageChunk
    | HumanMessageChunk
    | ChatMessageChunk
    | SystemMessageChunk
    | FunctionMessageChunk
    | ToolMessageChunk,
    _OneType(),
]
"""A message or a chunk of any type."""

MessageLikeRepresentation = BaseMessage | list[str] | tuple[str, Any] | str | dict[str, Any]
"""The values that users may pass as a message."""

_CLASSES: dict[str, type[BaseMessage]] = {
    cls.type: cls
    for cls in (
        *(HumanMessage, AIMessage, SystemMessage, ToolMessage, FunctionMessage, ChatMessage),
        *(HumanMessageChunk, AIMessageChunk, SystemMessageChunk),
        *(ToolMessageChunk, FunctionMessageChunk, ChatMessageChunk),
    )
}
_ROLES: dict[str, type[BaseMessage]] = {
    **{name: _CLASSES[name] for name in ("human", "ai", "system", "function", "tool")},
    **{"user": HumanMessage, "assistant": AIMessage, "developer": SystemMessage},
}
# The required fields of a class besides the content.
_REQUIRED_FIELDS: dict[type[BaseMessage], tuple[str, ...]] = {
    **{ToolMessage: ("tool_call_id",), ToolMessageChunk: ("tool_call_id",)},
    **{FunctionMessage: ("name",), FunctionMessageChunk: ("name",)},
}
_ROLE_NAMES = "'human', 'user', 'ai', 'assistant', 'function', 'tool', 'system', or 'developer'"


def convert_to_messages(messages: Any) -> list[BaseMessage]:
    """Convert a prompt value, or a sequence of messages in any of the accepted formats, to messages.

    A message may be ours or LangChain's, a text (the user's), ``(role, content)``, a dict with ``role``
    (or ``type``) and ``content``, which may be OpenAI's with its tool calls, or a serialized message of
    LangChain's. Raises :class:`ValueError` for an unknown role and for a dict without role or content,
    :class:`NotImplementedError` for anything else.
    """
    if hasattr(messages, "to_messages"):
        messages = messages.to_messages()
    elif isinstance(messages, BaseMessage | Mapping | str):
        messages = [messages]
    elif not isinstance(messages, Iterable):
        raise TypeError(f"messages are a prompt value, a message, or a list of messages, not {type(messages).__name__}")
    return [message if isinstance(message, BaseMessage) else _convert(message) for message in messages]


def _convert(message: object) -> BaseMessage:
    if isinstance(message, str):
        return HumanMessage(message)
    if isinstance(message, Mapping):
        return _from_dict(message)
    if hasattr(message, "content") and hasattr(message, "type"):
        return _from_object(message)
    if isinstance(message, Sequence) and not isinstance(message, bytes | bytearray | memoryview):
        if len(message) != 2:
            raise NotImplementedError("Message as a sequence must be (role string, template)")
        return _from_role(message[0], message[1], {})
    raise NotImplementedError(_explain(f"Unsupported message type: {type(message)}"))


def _explain(message: str) -> str:
    """Return the message of an error with a link to LangChain's guide."""
    from ..exceptions import ErrorCode, create_message

    return create_message(message=message, error_code=ErrorCode.MESSAGE_COERCION_FAILURE)


def _from_object(message: Any) -> BaseMessage:
    """Convert a message of LangChain's, or an object with the same attributes."""
    cls = message_class(message.type)
    if cls is None:
        raise ValueError(f"Unexpected message type: {message.type!r}. Use one of {', '.join(map(repr, _CLASSES))}.")
    return cls(**{field: getattr(message, field) for field in cls._fields if getattr(message, field, None) is not None})


def _from_dict(message: Mapping[str, Any]) -> BaseMessage:
    if message.get("lc") == 1 and isinstance(message.get("kwargs"), Mapping) and message.get("id"):
        type_name = str(message["id"][-1]).removesuffix("Chunk").removesuffix("Message").lower()
        message = {"type": type_name, **message["kwargs"]}
    if (role := message.get("role", message.get("type"))) is None or "content" not in message:
        raise ValueError(_explain(f"Message dict must contain 'role' and 'content' keys, got {dict(message)}"))
    if "role" in message and message.get("type") in ("chat", "ChatMessageChunk"):
        return _CLASSES[message["type"]](**message)
    role_key = "role" if "role" in message else "type"
    fields = {key: value for key, value in message.items() if key not in (role_key, "content")}
    return _from_role(role, message["content"] or "", fields)


def _from_role(role: object, content: Any, fields: dict[str, Any]) -> BaseMessage:
    cls = (_ROLES.get(role) or message_class(role)) if isinstance(role, str) else None
    if cls is None or issubclass(cls, ChatMessage):
        raise ValueError(_explain(f"Unexpected message type: {role!r}. Use one of {_ROLE_NAMES}."))
    known, rest = _split(cls, fields)
    if role == "developer":
        rest["__openai_role__"] = "developer"
    if cls is ToolMessage:
        # LangChain's dicts may have them in `additional_kwargs`.
        inner = {name: rest.pop(name) for name in ("artifact", "status") if name in rest}
        known.update({name: value for name, value in inner.items() if value is not None})
    for name in _REQUIRED_FIELDS.get(cls, ()):
        if name not in known:
            raise ValueError(f"a message of the role {role!r} must have {name!r}")
    if known.get("tool_calls"):
        if not isinstance(known["tool_calls"], Sequence):
            raise ValueError(f"tool_calls must be a list, not {type(known['tool_calls']).__name__}")
        known["tool_calls"] = list(map(_call, known["tool_calls"]))
    if role == "remove":
        return cls(additional_kwargs=rest or None, **known)
    return cls(content, additional_kwargs=rest or None, **known)


def _split(cls: type[BaseMessage], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split ``fields`` into fields of ``cls`` and the rest, which go to ``additional_kwargs``."""
    rest = dict(fields)
    inner = rest.pop("additional_kwargs", None) or {}
    names = {*cls._fields, "example"} - {"type", "content"}
    known = {name: rest.pop(name) for name in names & rest.keys()}
    return {name: value for name, value in known.items() if value is not None}, {**rest, **inner}


def _call(call: object) -> dict[str, Any]:
    """Return a copy of a tool call; OpenAI's format is converted."""
    if not isinstance(call, Mapping):
        raise ValueError(f"a tool call must be a dict, not {type(call).__name__}")
    if "function" not in call:
        return dict(call)
    read, invalid = read_raw_call(call)
    if read is None:
        raise ValueError(invalid["error"] if invalid else "")
    return dict(read)


def message_class(name: str) -> type[BaseMessage] | None:
    """Return the message class whose ``type`` is ``name``, or ``None``."""
    if name == "remove":
        from .modifier import RemoveMessage

        return RemoveMessage
    return _CLASSES.get(name)


def message_chunk_to_message(chunk: BaseMessage) -> BaseMessage:
    """Convert a chunk to a message of the class without ``Chunk``; any other message is returned as it is."""
    if not isinstance(chunk, BaseMessageChunk):
        return chunk
    bases = (base for base in type(chunk).__mro__ if issubclass(base, BaseMessage))
    cls = next(base for base in bases if not issubclass(base, BaseMessageChunk))
    return cls(**{field: getattr(chunk, field) for field in cls._fields if field != "type"})


def finish_message(answer: Any) -> Any:
    """Convert the merged chunks of a finished answer, ours or LangChain's, to a message.

    The answer has ended, so incomplete arguments of a tool call are invalid, as they would be in an answer
    that did not stream. :func:`message_chunk_to_message` accepts them, as far as they are known. A message
    that is not a chunk is returned as it is.
    """
    pieces = getattr(answer, "tool_call_chunks", None)
    if not pieces:
        return message_chunk_to_message(answer)
    read = [read_piece(piece) for piece in pieces]
    fields = ("content", "additional_kwargs", "response_metadata", "name", "id", "usage_metadata")
    return AIMessage.model_construct(
        **{field: getattr(answer, field, None) for field in fields},
        tool_calls=[call for call, _ in read if call is not None],
        invalid_tool_calls=[invalid for _, invalid in read if invalid is not None],
    )


def messages_from_dict(messages: Iterable[Mapping[str, Any]]) -> list[BaseMessage]:
    """Return the messages for dicts that :func:`messages_to_dict` returned."""
    return [_message_from_dict(message) for message in messages]


def _message_from_dict(message: Mapping[str, Any]) -> BaseMessage:
    cls = message_class(message["type"])
    if cls is None:
        raise ValueError(f"Got unexpected message type: {message['type']}")
    return cls(**message["data"])


def get_buffer_string(
    messages: Iterable[BaseMessage],
    human_prefix: str = "Human",
    ai_prefix: str = "AI",
    *,
    system_prefix: str = "System",
    function_prefix: str = "Function",
    tool_prefix: str = "Tool",
    message_separator: str = "\n",
    format: Literal["prefix", "xml"] = "prefix",
) -> str:
    """Return the conversation as one text: for each message its role, its text, and its tool calls.

    With ``format="xml"`` each message is an element, with its blocks and calls as elements in it; data in
    base64 is left out. Raises :class:`ValueError` for a message of another type.
    """
    if format not in ("prefix", "xml"):
        raise ValueError(f"Unrecognized format={format!r}. Supported formats are 'prefix' and 'xml'.")
    prefixes = {
        **{HumanMessage: human_prefix, AIMessage: ai_prefix, SystemMessage: system_prefix},
        **{FunctionMessage: function_prefix, ToolMessage: tool_prefix},
    }
    return message_separator.join(_format_message(message, prefixes, format) for message in messages)


def _format_message(message: BaseMessage, prefixes: Mapping[type[BaseMessage], str], format: str) -> str:
    if not isinstance(message, BaseMessage) and hasattr(message, "type"):
        message = _from_object(message)
    role = getattr(message, "role", None) if isinstance(message, ChatMessage) else None
    prefix = role or next((prefix for cls, prefix in prefixes.items() if isinstance(message, cls)), None)
    if prefix is None:
        raise ValueError(f"Got unsupported message type: {message}")
    if format == "prefix":
        return f"{prefix}: {message.text}{_format_calls(message)}"
    from .xml_format import format_as_xml

    return format_as_xml(message, role or prefix.lower())


def _format_calls(message: BaseMessage) -> str:
    if not isinstance(message, AIMessage):
        return ""
    return str(message.tool_calls or message.additional_kwargs.get("function_call") or "")
