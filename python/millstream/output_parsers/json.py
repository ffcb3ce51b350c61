"""``JsonOutputParser``: parses JSON in a complete answer, or incrementally in a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._model_classes import schema_of_model
from ..exceptions import OutputParserException
from ..outputs import Generation
from ..streaming.protocols import Stage
from .base import text_of
from .fenced import FencedJSON
from .format_instructions import JSON_FORMAT_INSTRUCTIONS
from .json_text import parse_and_check_json_markdown, parse_partial_json
from .refusals import Refusals, check_refusal
from .transform import BaseCumulativeTransformOutputParser

__all__ = ("JsonOutputParser", "SimpleJsonOutputParser", "parse_and_check_json_markdown", "parse_partial_json")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    Document = TypeVarWithDefault("Document", default=Any)
else:
    Document = TypeVar("Document")


class JsonOutputParser(BaseCumulativeTransformOutputParser[Document]):
    """Parses JSON in a model's answer, also after other text and in a Markdown fence.

    Of a complete answer that was cut off, the partial document is returned. An answer without JSON, or with
    invalid JSON, raises :class:`~millstream.exceptions.OutputParserException`.

    A stream yields the partial document after each chunk that changes it
    (:class:`~millstream.JSONAssembler` documents partial documents). With ``diff`` it yields the changes
    as a JSON Patch (RFC 6902), in which a string that grew is replaced as a whole. Reading takes time
    linear in the answer, but each output costs the size of the document. Where that matters, use a
    :class:`~millstream.JSONAssembler`, whose ``diff`` appends to strings. After the first error in the
    document, a stream yields nothing more and raises no error.

    ``pydantic_object`` is the class whose schema :meth:`get_format_instructions` contains. The output is
    not validated.
    """

    pydantic_object: type[Any] | None = None

    def parse(self, text: str) -> Document:
        """Return the document in ``text``; raises :class:`~millstream.exceptions.OutputParserException`."""
        document: Document = self.parse_result([Generation(text)])
        return document

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the document in the first generation's text; with ``partial``, ``None`` if it has none."""
        check_refusal(result[0])
        return _parse_document(result[0].text, partial=partial)

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return what :meth:`parse_result` returns, without an executor."""
        return self.parse_result(result, partial=partial)

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer."""
        cls = self.pydantic_object
        if cls is None:
            return "Return a JSON object."
        schema = {key: value for key, value in schema_of_model(cls).items() if key not in ("title", "type")}
        return JSON_FORMAT_INSTRUCTIONS.format(schema=json.dumps(schema, ensure_ascii=False))

    def _diff(self, prev: Document | None, next: Document) -> Any:
        from ..events.run_log import diff

        return diff(prev, next)

    def _as_stage(self) -> Stage[Any, Any]:
        if type(self).parse_result is not JsonOutputParser.parse_result:
            return super()._as_stage()
        return _Documents(diff=self.diff)

    def _as_call(self) -> Callable[[Any], Any] | None:
        return self._parse_answer if type(self).parse_result is JsonOutputParser.parse_result else None

    @property
    def _type(self) -> str:
        return "simple_json_output_parser"


SimpleJsonOutputParser = JsonOutputParser


class _Documents(Stage[Any, Any]):
    """The stage of :class:`JsonOutputParser`: one incremental reader for the whole stream."""

    __slots__ = ("_diff", "_refusals", "_text")

    def __init__(self, *, diff: bool) -> None:
        self._text = FencedJSON()
        self._diff = diff
        self._refusals = Refusals()

    def feed(self, item: object) -> Sequence[Any]:
        """Return the document, or its changes, if the chunk changed it."""
        text = text_of(item)
        if not text:
            self._refusals.add(item)
        self._text.feed(text)
        document = self._text.document
        patch = document.diff(append=not self._diff)
        if not patch:
            return ()
        if self._diff:
            # A null document counts as no output, as in LangChain.
            return () if patch[0] == _NULL else (patch,)
        value = document.value
        return () if value is None else (value,)

    def close(self) -> Sequence[Any]:
        """Return nothing; raise :class:`~millstream.errors.RefusalError` if the model refused."""
        self._refusals.check()
        return ()


_NULL = {"op": "replace", "path": "", "value": None}


def _parse_document(text: str, *, partial: bool) -> Any:
    reader = FencedJSON()
    reader.feed(text)
    reader.close()
    document = reader.document
    is_invalid = not document.started or (document.failure is not None and not document.complete)
    if is_invalid and not partial:
        output = text.strip()
        raise OutputParserException(f"Invalid json output: {output}", llm_output=output) from document.failure
    return document.value
