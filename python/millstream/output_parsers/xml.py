"""``XMLOutputParser``: parses XML in a complete answer, or element by element in a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree

from ..exceptions import OutputParserException
from ..streaming.accumulate import AddableDict
from ..streaming.protocols import Stage
from .base import text_of
from .format_instructions import XML_FORMAT_INSTRUCTIONS
from .transform import BaseTransformOutputParser

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ("XML_FORMAT_INSTRUCTIONS", "XMLOutputParser")

_FENCED = re.compile(r"```(xml)?(.*)```", re.DOTALL)
_START = re.compile(r"<[a-zA-Z:_]")


class XMLOutputParser(BaseTransformOutputParser[dict[str, Any]]):
    """Parses XML in a model's answer, also in a Markdown fence, into nested dicts of the elements' names.

    The value of a name is the element's text, or the list of its child elements. A stream yields each innermost element
    when it ends, within its parents; the sum of the chunks is a dict. ``tags`` are the names of elements for
    :meth:`get_format_instructions`.

    ``parser`` is the reader: ``"defusedxml"``, which refuses entities that grow, is another package and must be
    installed; ``"xml"`` is the standard library's. Raises
    :class:`~millstream.exceptions.OutputParserException` if the answer is not well-formed XML.
    """

    tags: list[str] | None = None
    encoding_matcher: re.Pattern[str] = re.compile(r"<([^>]*encoding[^>]*)>\n(.*)", re.MULTILINE | re.DOTALL)
    parser: Literal["defusedxml", "xml"] = "defusedxml"

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer."""
        return XML_FORMAT_INSTRUCTIONS.format(tags=self.tags)

    def parse(self, text: str) -> dict[str, Any]:
        """Return the elements in ``text``; raises :class:`~millstream.exceptions.OutputParserException`."""
        reader = _defused() if self.parser == "defusedxml" else ElementTree
        if fenced := _FENCED.search(text):
            text = fenced[2]
        if declared := self.encoding_matcher.search(text):
            text = declared[2]
        text = text.strip()
        try:
            return _to_dict(reader.fromstring(text))
        except (ElementTree.ParseError, ValueError, RecursionError) as error:
            # A document with forbidden entities is a ``ValueError`` of defusedxml; one that nests too deep recurses.
            raise OutputParserException(
                f"Failed to parse XML format from completion {text}. Got: {error}", llm_output=text
            ) from error

    @property
    def _type(self) -> str:
        return "xml"

    def _as_stage(self) -> Stage[Any, Any]:
        return _Elements(self.parser)


class _Elements(Stage[Any, AddableDict]):
    """The stage of XML: it returns each innermost element when it ends."""

    __slots__ = ("_before", "_has_started", "_is_parent", "_path", "_pull")

    def __init__(self, parser: str) -> None:
        target: Any = ElementTree.TreeBuilder()
        options = {"_parser": _defused().XMLParser(target=target)} if parser == "defusedxml" else {}
        self._pull = ElementTree.XMLPullParser(["start", "end"], **options)
        # The text in front of the document, as far as its first tag may begin in it.
        self._before = ""
        self._has_started = False
        # The names of the open elements.
        self._path: list[str] = []
        # Whether the innermost open element has had an element.
        self._is_parent = False

    def feed(self, item: object) -> Sequence[AddableDict]:
        """Return the elements that the chunk ends."""
        text = text_of(item)
        if not self._has_started:
            text = self._before + text
            found = _START.search(text)
            if found is None:
                self._before = text[-1:]
                return ()
            text, self._before, self._has_started = text[found.start() :], "", True
        self._pull.feed(text)
        outputs: list[AddableDict] = []
        try:
            outputs.extend(self._read())
        except ElementTree.ParseError:
            # Text after the document is ignored.
            if self._path:
                raise
        return outputs

    def _read(self) -> Iterator[AddableDict]:
        events: Any = self._pull.read_events()
        for event, element in events:
            if event == "start":
                self._path.append(element.tag)
                self._is_parent = False
                continue
            self._path.pop()
            if not self._is_parent:
                yield nested_element(self._path, element)
            self._is_parent = self._has_started = bool(self._path)

    def close(self) -> Sequence[AddableDict]:
        """Ignore a document without its end."""
        with suppress(ElementTree.ParseError):
            self._pull.close()
        return ()


def nested_element(path: Sequence[str], elem: Element) -> AddableDict:
    """Return ``elem`` within the elements ``path``, the outermost first."""
    nested = AddableDict({elem.tag: elem.text})
    for name in reversed(path):
        nested = AddableDict({name: [nested]})
    return nested


def _to_dict(root: Element) -> dict[str, Any]:
    if root.text and not root.text.isspace():
        return {root.tag: root.text}
    return {root.tag: [_to_dict(child) if len(child) else {child.tag: child.text} for child in root]}


def _defused() -> Any:
    try:
        from defusedxml import ElementTree as defused  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            "defusedxml is not installed. Install it to use the defusedxml parser (`pip install defusedxml`), or pass"
            ' parser="xml" for the parser of the standard library'
        ) from error
    return defused
