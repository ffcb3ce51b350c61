"""``PartialDocuments``: the outputs of a stream of LangChain's ``JsonOutputParser``, in time linear in the text.

LangChain's parser adds up the chunks and parses the whole text again after each one. Here a
:class:`~millstream.output_parsers.fenced.FencedJSON` reads each character once, and the text is parsed LangChain's
way only where that reader cannot decide what LangChain's parser returns: for JSON that is not valid, or is nested
too deeply for the reader, and for messages whose content is a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.exceptions import ModelRefusalError
from langchain_core.messages import AIMessageChunk, BaseMessage, BaseMessageChunk
from langchain_core.output_parsers._refusal import raise_if_refused
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk

from ...output_parsers.fenced import FencedJSON
from .json_patches import PatchedDocument

if TYPE_CHECKING:
    from langchain_core.output_parsers import JsonOutputParser

__all__ = ("NO_OUTPUT", "PartialDocuments")

NO_OUTPUT: Any = object()

# LangChain strips these from both ends of the text so far, before it parses the text.
_STRIPPED = "".join(character for character in map(chr, range(0x3001)) if character.isspace()) + "`"


class PartialDocuments:
    """Reads the chunks of one stream for ``parser``, and returns the output after each of them.

    White space and backquotes at the end of the text so far are kept back until other text follows them, as
    LangChain strips them. A number, literal or string that grows is an output each time it changes.
    """

    __slots__ = ("_chunks", "_document", "_kept_back", "_last", "_merged", "_metadata", "_parser", "_plain", "_reader")

    def __init__(self, parser: JsonOutputParser) -> None:
        self._parser = parser
        self._reader = FencedJSON()
        self._kept_back: list[str] = []
        self._chunks: list[Any] = []
        # All chunks so far, once the text is parsed LangChain's way.
        self._merged: Any = None
        self._last: Any = None
        self._document = PatchedDocument(parser._diff)
        # What the chunks say of the whole message, without their content.
        self._metadata: Any = None
        self._plain: dict[str, Any] = {}

    def feed(self, chunk: Any) -> Any:
        """Return the output after ``chunk``; ``NO_OUTPUT`` if there is none."""
        if self._merged is not None:
            self._merged = self._merged + _generation_of(chunk)
            return self._parse_merged()
        self._chunks.append(chunk)
        text = self._text_of(chunk)
        if text is None or not self._read(text):
            return self._go_on_merged()
        document = self._reader.document
        return self._patch(document) if self._parser.diff else self._value(document)

    def _text_of(self, chunk: Any) -> str | None:
        """Return the text of ``chunk``; ``None`` if the chunks have to be parsed LangChain's way."""
        if type(chunk) is not type(self._chunks[0]):
            return None
        if type(chunk) is str:
            return chunk
        if type(chunk) is not AIMessageChunk or type(chunk.content) is not str or self._is_refused(chunk):
            return None
        return chunk.content

    def _is_refused(self, chunk: AIMessageChunk) -> bool:
        """Return whether the chunks so far are a refusal: LangChain reads it from their metadata."""
        if not chunk.additional_kwargs and chunk.response_metadata == self._plain:
            return False
        self._plain = chunk.response_metadata
        part = AIMessageChunk(
            content="", additional_kwargs=chunk.additional_kwargs, response_metadata=chunk.response_metadata
        )
        self._metadata = part if self._metadata is None else self._metadata + part
        try:
            raise_if_refused(self._metadata)
        except ModelRefusalError:
            return True
        return False

    def _read(self, text: str) -> bool:
        """Read ``text``; return whether the document so far is what LangChain's parser returns."""
        rest = text.rstrip(_STRIPPED)
        if not rest:
            self._kept_back.append(text)
            return True
        self._reader.feed("".join((*self._kept_back, rest)))
        self._kept_back = [text[len(rest) :]]
        document = self._reader.document
        return document.failure is None or document.complete

    def _value(self, document: Any) -> Any:
        if not document.diff():
            return NO_OUTPUT
        value = document.value
        if value is None or value == self._last:
            return NO_OUTPUT
        self._last = value
        return value

    def _patch(self, document: Any) -> Any:
        operations = document.diff(append=False)
        patch = self._document.patch(operations, document) if operations else None
        return NO_OUTPUT if patch is None else patch

    def _go_on_merged(self) -> Any:
        """Parse LangChain's way from here on."""
        *before, chunk = self._chunks
        self._chunks = []
        if self._parser.diff:
            self._last = self._document.value
        self._merged = _generation_of(chunk)
        if before:
            self._merged = _merge(before) + self._merged
        return self._parse_merged()

    def _parse_merged(self) -> Any:
        parsed = self._parser.parse_result([self._merged], partial=True)
        if parsed is None or parsed == self._last:
            return NO_OUTPUT
        output = self._parser._diff(self._last, parsed) if self._parser.diff else parsed
        self._last = parsed
        return output


def _merge(chunks: list[Any]) -> Any:
    """Return all of ``chunks``, which are of one type, as one generation."""
    if isinstance(chunks[0], str):
        return _generation_of("".join(chunks))
    first, *others = map(_generation_of, chunks)
    return first + others if others else first


def _generation_of(chunk: Any) -> Any:
    if isinstance(chunk, BaseMessageChunk):
        return ChatGenerationChunk(message=chunk)
    if isinstance(chunk, BaseMessage):
        return ChatGenerationChunk(message=BaseMessageChunk(**chunk.model_dump()))
    return GenerationChunk(text=chunk)
