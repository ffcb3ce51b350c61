"""``RemoveMessage``: removes another message from a conversation."""

from typing import Any

from .base import BaseMessage

__all__ = ("RemoveMessage",)


class RemoveMessage(BaseMessage):
    """Removes the message with the same ``id`` from a conversation, where reducers of states read it.

    Raises :class:`ValueError` for a content.
    """

    __slots__ = ()
    type: str = "remove"

    def __init__(self, id: str, **fields: Any) -> None:
        if fields.pop("content", None):
            raise ValueError("RemoveMessage does not support 'content' field.")
        super().__init__("", id=id, **fields)
