"""The parser of JSON, whole or as far as it has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._model_classes import schema_of_model
from .._overrides import overrides
from ..exceptions import OutputParserException
from ..streaming.protocols import Stage
from .base import text_of
from .fenced import FencedJSON
from .format_instructions import JSON_FORMAT_INSTRUCTIONS
from .transform import BaseCumulativeTransformOutputParser

__all__ = ("JsonOutputParser", "SimpleJsonOutputParser")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    Document = TypeVarWithDefault("Document", default=Any)
else:
    Document = TypeVar("Document")


class JsonOutputParser(BaseCumulativeTransformOutputParser[Document]):
    """Parses JSON in a model's answer, also behind words and a Markdown fence.

    Whole, an answer that was cut off is what is known of it; one without JSON, or with an error in it,
    raises :class:`~millstream.exceptions.OutputParserException`.

    In a stream each chunk that changes the document gives it anew, as far as it is known
    (:class:`~millstream.JSONAssembler` says how far that is), or, with ``diff``, the changes: a JSON
    Patch (RFC 6902), in which a string that grew is replaced whole. Reading takes time linear in the
    answer; what comes out costs its size, which grows with the document: who needs neither takes a
    :class:`~millstream.JSONAssembler`, whose ``diff`` appends to strings. From the first error in the
    document on nothing more comes, and none is raised.

    ``pydantic_object`` is the model class whose schema :meth:`get_format_instructions` tells; nothing
    is validated.
    """

    def __init__(self, *, name: str | None = None, diff: bool = False, pydantic_object: Any = None) -> None:
        super().__init__(name=name, diff=diff)
        self.pydantic_object = pydantic_object

    def parse(self, text: str) -> Document:
        """Return the document in ``text``, or raise :class:`~millstream.exceptions.OutputParserException`."""
        document: Document = _parse_document(text, partial=False)
        return document

    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return the document in the first generation's text; with ``partial``, ``None`` where there is none."""
        return _parse_document(result[0].text, partial=partial)

    async def aparse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return :meth:`parse_result`, at once."""
        return self.parse_result(result, partial=partial)

    def get_format_instructions(self) -> str:
        """Return what to tell the model about the form of its answer."""
        cls = self.pydantic_object
        if cls is None:
            return "Return a JSON object."
        shown = {key: value for key, value in schema_of_model(cls).items() if key not in ("title", "type")}
        return JSON_FORMAT_INSTRUCTIONS.format(schema=json.dumps(shown, ensure_ascii=False))

    def _diff(self, prev: Any, next: Any) -> Any:
        raise NotImplementedError("a subclass that writes parse_result writes _diff as well")

    def _as_stage(self) -> Stage[Any, Any]:
        if overrides(self, JsonOutputParser, "parse_result"):
            return super()._as_stage()
        return _Documents(diff=self.diff)

    @property
    def _type(self) -> str:
        return "simple_json_output_parser"


SimpleJsonOutputParser = JsonOutputParser


class _Documents:
    """The stage that reads on with each chunk."""

    __slots__ = ("_diff", "_text")

    def __init__(self, *, diff: bool) -> None:
        self._text = FencedJSON()
        self._diff = diff

    def feed(self, item: Any) -> Sequence[Any]:
        """Return the document, or its changes, if the chunk changed it."""
        self._text.feed(text_of(item))
        document = self._text.document
        patch = document.diff(append=not self._diff)
        if not patch:
            return ()
        if self._diff:
            # A document that is null is none: LangChain's reading.
            return () if patch[0] == _NULL else (patch,)
        value = document.value
        return () if value is None else (value,)

    def close(self) -> Sequence[Any]:
        """Return nothing: what the end makes certain was told before."""
        return ()


_NULL = {"op": "replace", "path": "", "value": None}


def _parse_document(text: str, *, partial: bool) -> Any:
    found = FencedJSON()
    found.feed(text)
    found.close()
    document = found.document
    is_wrong = not document.started or (document.failure is not None and not document.complete)
    if is_wrong and not partial:
        shown = text.strip()
        raise OutputParserException(f"Invalid json output: {shown}", llm_output=shown) from document.failure
    return document.value
