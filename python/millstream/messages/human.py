"""What a user says."""

from .base import BaseMessage, BaseMessageChunk

__all__ = ("HumanMessage", "HumanMessageChunk")


class HumanMessage(BaseMessage):
    """What a user says."""

    __slots__ = ()
    type: str = "human"


class HumanMessageChunk(HumanMessage, BaseMessageChunk):
    """A piece of a :class:`HumanMessage`."""

    __slots__ = ()
    type: str = "HumanMessageChunk"
