"""``SystemMessage``: instructions for the model."""

from .base import BaseMessage, BaseMessageChunk

__all__ = ("SystemMessage", "SystemMessageChunk")


class SystemMessage(BaseMessage):
    """``SystemMessage``: instructions for the model."""

    __slots__ = ()
    type: str = "system"


class SystemMessageChunk(SystemMessage, BaseMessageChunk):
    """A piece of a :class:`SystemMessage`."""

    __slots__ = ()
    type: str = "SystemMessageChunk"
