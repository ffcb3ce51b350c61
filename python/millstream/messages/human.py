"""``HumanMessage``: a message of the user."""

from .base import BaseMessage, BaseMessageChunk

__all__ = ("HumanMessage", "HumanMessageChunk")


class HumanMessage(BaseMessage):
    """``HumanMessage``: a message of the user."""

    __slots__ = ()
    type: str = "human"


class HumanMessageChunk(HumanMessage, BaseMessageChunk):
    """A piece of a :class:`HumanMessage`."""

    __slots__ = ()
    type: str = "HumanMessageChunk"
