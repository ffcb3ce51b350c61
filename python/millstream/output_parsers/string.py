"""``StrOutputParser``: returns the text of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..outputs import Generation
from ..streaming.protocols import Stage
from .base import text_of
from .transform import BaseTransformOutputParser

__all__ = ("StrOutputParser",)


class StrOutputParser(BaseTransformOutputParser[str]):
    """Returns the text of a model's answer; of a message with blocks, their joined text.

    A stream yields the text of each chunk, also if it is empty.
    """

    def parse(self, text: str) -> str:
        """Return ``text``."""
        return text

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> str:
        """Return what :meth:`parse_result` returns, without an executor."""
        return self.parse_result(result, partial=partial)

    def _as_stage(self) -> Stage[Any, Any]:
        cls, base = type(self), StrOutputParser
        if cls.parse is not base.parse or cls.parse_result is not base.parse_result:
            return super()._as_stage()
        return _Texts()

    def _as_call(self) -> Callable[[Any], str]:
        return self._parse_answer

    @property
    def _type(self) -> str:
        return "default"


class _Texts(Stage[Any, str]):
    """The stage of :class:`StrOutputParser`: returns the text of each chunk."""

    __slots__ = ()

    keeps_text = True

    def feed(self, item: object) -> Sequence[str]:
        """Return the chunk's text."""
        return (item if type(item) is str else text_of(item),)
