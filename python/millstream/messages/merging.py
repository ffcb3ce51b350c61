"""``merge_message_runs``: merges neighbouring messages of the same type."""

from typing import Any

from .._merge import Content
from ..exceptions import ErrorCode, create_message
from .ai import AIMessage, AIMessageChunk
from .base import BaseMessage, BaseMessageChunk
from .chat import ChatMessage, ChatMessageChunk
from .conversion import convert_to_messages, message_chunk_to_message
from .function import FunctionMessage, FunctionMessageChunk
from .human import HumanMessage, HumanMessageChunk
from .steps import usable_as_step
from .system import SystemMessage, SystemMessageChunk
from .tool import ToolMessage

__all__ = ("merge_message_runs",)

_CHUNKS: dict[type[BaseMessage], type[BaseMessageChunk]] = {
    **{HumanMessage: HumanMessageChunk, AIMessage: AIMessageChunk, SystemMessage: SystemMessageChunk},
    **{FunctionMessage: FunctionMessageChunk, ChatMessage: ChatMessageChunk},
}


@usable_as_step
def merge_message_runs(messages: Any, *, chunk_separator: str = "\n") -> list[BaseMessage]:
    r"""Return the messages, with each run of neighbours of the same type merged into one message.

    Texts are joined with ``chunk_separator`` between them; if one content has blocks, the merged content has
    blocks. The first id and the first ``response_metadata`` are kept. Tool messages are never merged. Takes time
    linear in the messages, which are not changed. Without ``messages``, returns a Runnable that merges its input.
    """
    runs: list[list[BaseMessage]] = []
    for message in convert_to_messages(messages or []):
        if runs and not isinstance(message, ToolMessage) and isinstance(message, _merged_class(runs[-1])):
            runs[-1].append(message)
        else:
            runs.append([message])
    return [run[0] if len(run) == 1 else _merge(run, chunk_separator) for run in runs]


def _merged_class(run: list[BaseMessage]) -> type[BaseMessage]:
    """Return the class of the message that a run makes: of a single message its own, of several the base class."""
    return type(run[0]) if len(run) == 1 else _base_class(run[0])


def _base_class(message: BaseMessage) -> type[BaseMessage]:
    for cls in _CHUNKS:
        if isinstance(message, cls):
            return cls
    supported = ", ".join(cls.__name__ for cls in _CHUNKS)
    raise ValueError(
        create_message(
            message=f"Unrecognized message class {type(message)}. Supported classes are {supported}.",
            error_code=ErrorCode.MESSAGE_COERCION_FAILURE,
        )
    )


def _merge(run: list[BaseMessage], separator: str) -> BaseMessage:
    cls = _CHUNKS[_base_class(run[0])]
    chunks = [cls.model_construct(**run[0]._values())]
    # The separator stands between texts that are not empty, up to the first content of blocks.
    only_text, has_text = isinstance(run[0].content, str), bool(run[0].content)
    for message in run[1:]:
        content: Content = message.content
        only_text = only_text and isinstance(content, str)
        if only_text and has_text and content:
            content = f"{separator}{content}"
        has_text = has_text or bool(content)
        values = {**message._values(), "content": content, "response_metadata": None}
        chunks.append(_CHUNKS[_base_class(message)].model_construct(**values))
    return message_chunk_to_message(chunks[0]._merge(chunks))
