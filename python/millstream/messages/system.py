"""What a model is told about its task."""

from .base import BaseMessage, BaseMessageChunk

__all__ = ("SystemMessage", "SystemMessageChunk")


class SystemMessage(BaseMessage):
    """What a model is told about its task."""

    __slots__ = ()
    type: str = "system"


class SystemMessageChunk(SystemMessage, BaseMessageChunk):
    """A piece of a :class:`SystemMessage`."""

    __slots__ = ()
    type: str = "SystemMessageChunk"
