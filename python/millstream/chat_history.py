"""``BaseChatMessageHistory``: where the messages of a conversation are kept; in memory, or by a class of users."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ._context import run_in_executor
from ._fields import Fields, field
from .messages.ai import AIMessage
from .messages.base import BaseMessage
from .messages.conversion import get_buffer_string
from .messages.human import HumanMessage

__all__ = ("BaseChatMessageHistory", "InMemoryChatMessageHistory")


class BaseChatMessageHistory(ABC):
    """The base of histories. A subclass has ``messages``, and writes ``add_messages`` and ``clear``.

    ``messages`` is an attribute or a property. The async methods call the sync ones in the loop's executor, unless a
    subclass writes them. To add several messages, ``add_messages`` is called once for all of them. In LangChain the
    class is deprecated for https://docs.langchain.com/oss/python/langchain/short-term-memory; it stays here. ::

        class FileHistory(BaseChatMessageHistory):
            def __init__(self, path):
                self.path = path

            @property
            def messages(self):
                return messages_from_dict(json.loads(self.path.read_text())) if self.path.exists() else []

            def add_messages(self, messages):
                self.path.write_text(json.dumps(messages_to_dict([*self.messages, *messages])))

            def clear(self):
                self.path.unlink(missing_ok=True)
    """

    messages: list[BaseMessage]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    async def aget_messages(self) -> list[BaseMessage]:
        """Return the messages; reading them may block."""
        return await run_in_executor(None, lambda: self.messages)

    def add_user_message(self, message: HumanMessage | str) -> None:
        """Add one message of the user."""
        self.add_message(message if isinstance(message, HumanMessage) else HumanMessage(content=message))

    def add_ai_message(self, message: AIMessage | str) -> None:
        """Add one message of the model."""
        self.add_message(message if isinstance(message, AIMessage) else AIMessage(content=message))

    def add_message(self, message: BaseMessage) -> None:
        """Add one message; by default by ``add_messages``, :class:`NotImplementedError` without that."""
        if type(self).add_messages is BaseChatMessageHistory.add_messages:
            raise NotImplementedError(
                "add_message is not implemented for this class. Please implement add_message or add_messages."
            )
        self.add_messages([message])

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages; by default one by one."""
        for message in messages:
            self.add_message(message)

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages."""
        await run_in_executor(None, self.add_messages, messages)

    @abstractmethod
    def clear(self) -> None:
        """Remove all messages."""

    async def aclear(self) -> None:
        """Remove all messages."""
        await run_in_executor(None, self.clear)

    def __str__(self) -> str:
        """Return the messages as text, one a line."""
        return get_buffer_string(self.messages)


class InMemoryChatMessageHistory(Fields, BaseChatMessageHistory):
    """A history in a list.

    In LangChain the class is deprecated in favour of
    https://docs.langchain.com/oss/python/langchain/short-term-memory; here it stays.

    For example::

        history = InMemoryChatMessageHistory()
        history.add_user_message("Hello!")
    """

    messages: list[BaseMessage] = field(default_factory=list)

    async def aget_messages(self) -> list[BaseMessage]:
        """Return the messages."""
        return self.messages

    def add_message(self, message: BaseMessage) -> None:
        """Add one message."""
        self.messages.append(message)

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages."""
        self.add_messages(messages)

    def clear(self) -> None:
        """Remove all messages."""
        self.messages = []

    async def aclear(self) -> None:
        """Remove all messages."""
        self.clear()

    def __eq__(self, other: object) -> bool:
        """Compare the messages."""
        if not isinstance(other, InMemoryChatMessageHistory):
            return NotImplemented
        return self.messages == other.messages

    __hash__ = None  # type: ignore[assignment]
