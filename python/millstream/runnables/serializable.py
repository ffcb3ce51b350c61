"""``RunnableSerializable``: the base of steps of users' own that have fields."""

from __future__ import annotations

from .._fields import Fields
from .runnable import Input, Output, Runnable

__all__ = ("RunnableSerializable",)


class RunnableSerializable(Fields, Runnable[Input, Output]):
    """A Runnable whose annotated fields are keyword arguments of its constructor.

    What LangChain's adds to that, writing and reading objects as JSON, it does not do. ::

        class Shout(RunnableSerializable[str, str]):
            mark: str = "!"

            def invoke(self, input, config=None, **kwargs):
                return input.upper() + self.mark
    """

    name: str | None = None
