"""The path that LangChain has for functions over messages; nothing in this package imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .conversion import (
        AnyMessage,
        MessageLikeRepresentation,
        convert_to_messages,
        get_buffer_string,
        message_chunk_to_message,
        messages_from_dict,
    )
    from .filtering import filter_messages
    from .merging import merge_message_runs
    from .openai_dicts import convert_to_openai_messages
    from .token_counts import count_tokens_approximately
    from .trimming import trim_messages

__all__ = (
    "AnyMessage",
    "MessageLikeRepresentation",
    "convert_to_messages",
    "convert_to_openai_messages",
    "count_tokens_approximately",
    "filter_messages",
    "get_buffer_string",
    "merge_message_runs",
    "message_chunk_to_message",
    "messages_from_dict",
    "trim_messages",
)

_PACKAGE = "millstream.messages"

__getattr__ = lazy_names(
    globals(),
    {
        **dict.fromkeys(
            (
                *("AnyMessage", "MessageLikeRepresentation", "convert_to_messages", "get_buffer_string"),
                *("message_chunk_to_message", "messages_from_dict"),
            ),
            f"{_PACKAGE}.conversion",
        ),
        "convert_to_openai_messages": f"{_PACKAGE}.openai_dicts",
        "count_tokens_approximately": f"{_PACKAGE}.token_counts",
        "filter_messages": f"{_PACKAGE}.filtering",
        "merge_message_runs": f"{_PACKAGE}.merging",
        "trim_messages": f"{_PACKAGE}.trimming",
    },
)
