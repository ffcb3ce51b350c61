"""``StrOutputParser`` and ``JsonOutputParser`` of LangChain's, without a thread for each chunk.

They are subclasses of LangChain's parsers, with the same names, ids, schemas and outputs. LangChain's ``atransform``
sends each chunk to a thread; these parse where they are called. Where no handler is configured they also stream
without LangChain's machinery for runs. A stream that is left early closes its input.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.base import TextAccessor
from langchain_core.output_parsers import JsonOutputParser as LangChainJsonOutputParser
from langchain_core.output_parsers import StrOutputParser as LangChainStrOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables.config import ensure_config

from ...streaming.inputs import InputIterator, NestedIterator
from .partial_json import NO_OUTPUT, PartialDocuments
from .unobserved import is_observed

if TYPE_CHECKING:
    from langchain_core.output_parsers import BaseTransformOutputParser
    from langchain_core.runnables import RunnableConfig

    _Parser = BaseTransformOutputParser[Any]
else:
    _Parser = object

__all__ = ("JsonOutputParser", "StrOutputParser")

# The messages whose text is their content, if that is a string.
_PLAIN_MESSAGES = frozenset({AIMessage, AIMessageChunk})


class _InlineParser(_Parser):
    """A parser that parses each chunk where it arrives; a subclass of a user's with methods of its own is LangChain's.

    ``_parsing_methods`` are the names of the methods that a user's class may override, and that are left out here.
    """

    _parsing_methods: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _parses_inline(cls) -> bool:
        """Return whether no class of users overrides a method that parses."""
        home: Any = next(base for base in cls.__mro__ if base.__module__ == __name__)
        return all(getattr(cls, name) is getattr(home, name) for name in home._parsing_methods)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the namespace of LangChain's parser, or of a user's subclass."""
        if cls.__module__ != __name__:
            return super().get_lc_namespace()
        peer: Any = next(base for base in cls.__mro__ if base.__module__ != __name__)
        return [*peer.get_lc_namespace()]

    def to_json_not_implemented(self) -> Any:
        """Return the JSON that stands for the parser, with the id of LangChain's parser."""
        return {**super().to_json_not_implemented(), "id": self.lc_id()}

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return what :meth:`parse_result` returns, without an executor."""
        if not self._parses_inline():
            return await super().aparse_result(result, partial=partial)
        return self.parse_result(result, partial=partial)

    def transform(
        self, input: Iterator[str | BaseMessage], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Yield the outputs for the chunks ``input``, which is closed when the stream is left."""
        source = InputIterator(input)
        if self._parses_inline() and not is_observed(ensure_config(config), None, False):
            outputs = self._transform(source)
        else:
            outputs = self._transform_stream_with_config(source, self._transform, config, run_type="parser")
        try:
            # LangChain's generator reads the rest of its input when it is closed, so the input is closed first.
            for output in outputs:  # noqa: UP028
                yield output
        except BaseException:
            source.close()
            raise

    async def atransform(
        self, input: AsyncIterator[str | BaseMessage], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Yield the outputs for the chunks ``input``, which is closed when the stream is left."""
        async with NestedIterator(input) as source:
            if self._parses_inline() and not is_observed(ensure_config(config), None, False):
                outputs = self._atransform(source)
            else:
                outputs = self._atransform_stream_with_config(source, self._atransform, config, run_type="parser")
            async with NestedIterator(outputs) as nested:
                async for output in nested:
                    yield output


if TYPE_CHECKING:

    class _Inline:  # the types of the parsers are LangChain's
        @classmethod
        def _parses_inline(cls) -> bool: ...

else:
    _Inline = _InlineParser


class StrOutputParser(_Inline, LangChainStrOutputParser):
    """LangChain's ``StrOutputParser``: returns the text of each chunk."""

    _parsing_methods: ClassVar[tuple[str, ...]] = (
        "_transform",
        "_atransform",
        "parse",
        "parse_result",
        "aparse_result",
    )

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[str]:
        if not self._parses_inline():
            yield from super()._transform(input)
            return
        for chunk in input:
            yield self._text_of(chunk)

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[str]:
        if not self._parses_inline():
            async for output in super()._atransform(input):
                yield output
            return
        async for chunk in input:
            yield self._text_of(chunk)

    def _text_of(self, chunk: Any) -> str:
        if type(chunk) is str:
            return chunk
        if type(chunk) in _PLAIN_MESSAGES and type(chunk.content) is str:
            return TextAccessor(chunk.content)
        is_message = isinstance(chunk, BaseMessage)
        return self.parse_result([ChatGeneration(message=chunk) if is_message else Generation(text=chunk)])


class JsonOutputParser(_Inline, LangChainJsonOutputParser):
    """LangChain's ``JsonOutputParser``, which reads each character of a stream once."""

    _parsing_methods: ClassVar[tuple[str, ...]] = (
        "_transform",
        "_atransform",
        "_diff",
        "parse_result",
        "aparse_result",
    )

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        if not self._parses_inline():
            yield from super()._transform(input)
            return
        documents = PartialDocuments(self)
        for chunk in input:
            if (output := documents.feed(chunk)) is not NO_OUTPUT:
                yield output

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        if not self._parses_inline():
            async for output in super()._atransform(input):
                yield output
            return
        documents = PartialDocuments(self)
        async for chunk in input:
            if (output := documents.feed(chunk)) is not NO_OUTPUT:
                yield output
