"""Marks user messages that a program added to a conversation, and reads the marks."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from .._typed_dicts import with_pydantic_schema
from .base import BaseMessage
from .human import HumanMessage

__all__ = ("NotificationMetadata", "add_notification_metadata", "get_notification_metadata")


@with_pydantic_schema
class NotificationMetadata(TypedDict):
    """The feature that added a message, and its data."""

    source: str
    data: NotRequired[dict[str, Any]]


def add_notification_metadata(
    message: HumanMessage, *, source: str, data: Mapping[str, Any] | None = None
) -> HumanMessage:
    """Return a copy of ``message``, marked as added by the feature ``source``, with the feature's ``data``.

    The marks are stored in ``additional_kwargs``; earlier ones are replaced.
    """
    kwargs = {key: value for key, value in message.additional_kwargs.items() if key != "lc_data"}
    kwargs["lc_source"] = source
    if data is not None:
        kwargs["lc_data"] = dict(data)
    return message.model_copy(update={"additional_kwargs": kwargs})


def get_notification_metadata(message: BaseMessage) -> NotificationMetadata | None:
    """Return the mark of ``message``; ``None`` if it has none."""
    source = message.additional_kwargs.get("lc_source")
    if not isinstance(source, str):
        return None
    metadata = NotificationMetadata(source=source)
    if isinstance(data := message.additional_kwargs.get("lc_data"), dict):
        metadata["data"] = dict(data)
    return metadata
