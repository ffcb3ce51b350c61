"""Parsers of lists and of XML, compared with LangChain's: complete texts, and streams split anywhere."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterable
from typing import Any

import langchain_core.output_parsers as theirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.output_parsers.xml import XMLOutputParser as TheirXML

import millstream.output_parsers as ours
from millstream.exceptions import OutputParserException
from millstream.language_models import GenericFakeChatModel
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import CommaSeparatedListOutputParser, ListOutputParser, XMLOutputParser
from millstream.prompts import PromptTemplate

LISTS = ["CommaSeparatedListOutputParser", "NumberedListOutputParser", "MarkdownListOutputParser"]
TEXTS = [
    *("", "a", "a, b,c", 'a, "b, c", d', "a,b\nc,d", ' "x', "a,, ,b"),
    *("1. foo\n\n2. bar\n\n3. baz", "Items:\n\n1. apple\n\n    2. banana\n\n3. cherry", "No items.", "1.\nfoo\n12. x"),
    *("- foo\n- bar\n- baz", "Items:\n- apple\n     * banana\n- cherry\nend", "-no\n* yes", "- a\n\n\ntext\n- b"),
]
DOCUMENTS = [
    "<foo><bar><baz>a</baz><baz>b</baz></bar><baz>tag</baz></foo>",
    '<?xml version="1.0" encoding="UTF-8"?>\n<body>Text of the body.</body>',
    "Sure:\n```xml\n<a>\n  <b>1</b>\n  <c><d>2</d></c>\n</a>\n```\n done",
    "text < 3 <a><b/></a> rest <c>",
    "<a x='1'>text<b>t</b>tail</a>",
]


def split(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def stream_both_ways(parser: Any, pieces: list[Any]) -> list[Any]:
    async def run() -> list[Any]:
        return [output async for output in parser.atransform(_each(pieces))]

    found = list(parser.transform(iter(pieces)))
    assert found == asyncio.run(run())
    return found


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_streams_as_in_langchain(name: str, text: str, size: int) -> None:
    parser, their_parser = getattr(ours, name)(), getattr(theirs, name)()
    pieces = split(text, size)
    assert parser.parse(text) == their_parser.parse(text)
    assert stream_both_ways(parser, pieces) == list(their_parser.transform(iter(pieces)))
    chunks = [AIMessageChunk(piece) for piece in pieces]
    assert stream_both_ways(parser, chunks) == stream_both_ways(parser, pieces)


@pytest.mark.parametrize("name", LISTS)
@given(st.lists(st.text(st.sampled_from('a1.-*, \n"'), max_size=4), max_size=12))
def test_any_list_streams_as_in_langchain(name: str, pieces: list[str]) -> None:
    parser, their_parser = getattr(ours, name)(), getattr(theirs, name)()
    assert list(parser.transform(iter(pieces))) == list(their_parser.transform(iter(pieces)))


@pytest.mark.parametrize("name", LISTS[1:])
@given(st.lists(st.sampled_from(["1.", "- ", " ", "a", "\n", "\n\n", "b c", "12. x", "* y", "\n- z\n"]), max_size=30))
def test_any_list_of_lines_streams_as_in_langchain(name: str, pieces: list[str]) -> None:
    parser, their_parser = getattr(ours, name)(), getattr(theirs, name)()
    assert list(parser.transform(iter(pieces))) == list(their_parser.transform(iter(pieces)))


@pytest.mark.parametrize("name", LISTS[1:])
def test_lines_without_items_are_forgotten(name: str) -> None:
    stage = getattr(ours, name)()._as_stage()
    for _ in range(1000):
        assert not stage.feed("some words of a line\n")
    assert sum(map(len, stage._pieces)) < 100
    items = stage.feed("1. a\n2. b\n- c\n- d"), stage.close()
    assert [item for found in items for [item] in found] == (["a", "b"] if name.startswith("Numbered") else ["c", "d"])


@pytest.mark.parametrize("name", LISTS[1:])
def test_a_pattern_of_a_user_may_span_lines(name: str) -> None:
    pieces = ["<", "a\n", "\n\n", "b>", " <c", ">"]
    parser, their_parser = (getattr(lib, name)(pattern=r"<([^>]*)>") for lib in (ours, theirs))
    assert list(parser.transform(iter(pieces))) == list(their_parser.transform(iter(pieces))) == [["a\n\n\nb"], ["c"]]


@pytest.mark.parametrize("name", LISTS)
def test_an_item_is_yielded_when_the_next_one_begins(name: str) -> None:
    pieces = ["- a", "\n", "1. b", "\n", "- 2. c, d", "\n- 3. e"]
    yielded: list[tuple[int, Any]] = []
    expected: list[tuple[int, Any]] = []
    for library, found in ((ours, yielded), (theirs, expected)):
        read = 0

        def count() -> Any:
            nonlocal read
            for piece in pieces:
                read += 1
                yield piece

        found += [(read, output) for output in getattr(library, name)().transform(count())]
    assert yielded == expected


@given(st.lists(st.text(st.sampled_from('ab ,"\n'), max_size=4), max_size=9))
def test_an_item_between_commas_is_yielded_when_it_is_in_langchain(pieces: list[str]) -> None:
    found: list[list[tuple[int, Any]]] = []
    for library in (ours, theirs):
        left = iter(pieces)
        outputs = library.CommaSeparatedListOutputParser().transform(left)
        found.append([(left.__length_hint__(), output) for output in outputs])  # type: ignore[attr-defined]
    assert found[0] == found[1]


def test_an_item_in_quotes_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = CommaSeparatedListOutputParser.parse

    def note(self: CommaSeparatedListOutputParser, text: str) -> list[str]:
        parsed.append(text)
        return parse(self, text)

    monkeypatch.setattr(CommaSeparatedListOutputParser, "parse", note)
    pieces = ['"', *["a, ", "\n", '""'] * 100, '"', " ,b"]
    assert stream_both_ways(CommaSeparatedListOutputParser(), pieces) == [['a, \n"' * 100 + " "], ["b"]]
    assert len(parsed) == 4


def test_a_list_parser_of_a_user_may_separate_by_another_character() -> None:
    class Semicolons(CommaSeparatedListOutputParser):
        def parse(self, text: str) -> list[str]:
            return text.split(";")

    stage = Semicolons()._as_stage()
    assert [stage.feed("a"), stage.feed(";b"), stage.close()] == [[], [["a"]], [["b"]]]


@pytest.mark.parametrize(("name", "text"), [(LISTS[1], "1" * 300_000), (LISTS[2], "\n " * 150_000)])
def test_a_text_without_items_is_searched_once(name: str, text: str) -> None:
    assert getattr(ours, name)().parse(text) == []


@pytest.mark.parametrize("name", LISTS)
def test_lists_have_langchains_types_and_instructions(name: str) -> None:
    parser, their_parser = getattr(ours, name)(), getattr(theirs, name)()
    assert parser._type == their_parser._type
    assert parser.get_format_instructions() == their_parser.get_format_instructions()
    assert parser.OutputType == their_parser.OutputType == list[str]
    assert repr(parser) == f"{name}()"


def test_a_list_parser_of_a_user_writes_parse_alone() -> None:
    def define(base: Any) -> Any:
        class Lines(base):  # type: ignore[misc]
            mark: str = ";"

            def parse(self, text: str) -> list[str]:
                return text.split(self.mark)

        return Lines(mark="|")

    pieces = ["a|", "b", "|c|d", ""]
    assert stream_both_ways(define(ListOutputParser), pieces) == [["a"], ["b"], ["c"], ["d"]]
    assert list(define(theirs.ListOutputParser).transform(iter(pieces))) == [["a"], ["b"], ["c"], ["d"]]


def test_a_chain_with_a_list_parser_streams_its_items() -> None:
    chain = (
        PromptTemplate.from_template("{x}")
        | GenericFakeChatModel(messages=iter([AIMessage("a, b, c")]))
        | CommaSeparatedListOutputParser()
    )
    assert list(chain.stream({"x": "1"})) == [["a"], ["b"], ["c"]]


# XML.


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_complete_document_is_parsed_as_in_langchain(text: str) -> None:
    parser, their_parser = XMLOutputParser(parser="xml"), TheirXML(parser="xml")

    def outcome(one: Any) -> Any:
        try:
            return one.invoke(text)
        except ValueError as error:
            return type(error).__name__, str(error).partition("\n")[0], error.llm_output  # type: ignore[attr-defined]

    assert outcome(parser) == outcome(their_parser)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_document_streams_as_in_langchain(text: str, size: int) -> None:
    parser, their_parser = XMLOutputParser(parser="xml"), TheirXML(parser="xml")
    pieces = split(text, size)
    assert stream_both_ways(parser, pieces) == list(their_parser.transform(iter(pieces)))


def test_the_chunks_of_a_document_add_up() -> None:
    chunks = stream_both_ways(XMLOutputParser(parser="xml"), ["<a><b>1</b>", "<c>2</c></a>"])
    assert chunks == [{"a": [{"b": "1"}]}, {"a": [{"c": "2"}]}]
    assert chunks[0] + chunks[1] == {"a": [{"b": "1"}, {"c": "2"}]}


def test_an_error_inside_of_the_document_is_raised_by_a_stream() -> None:
    for parser in (XMLOutputParser(parser="xml"), TheirXML(parser="xml")):
        chunks: Any = parser.transform(iter(["<a><b>1</b>", "<c></a>"]))
        assert next(chunks) == {"a": [{"b": "1"}]}
        with pytest.raises(SyntaxError, match="mismatched tag"):
            next(chunks)


def test_entities_that_grow_are_refused() -> None:
    text = '<!DOCTYPE l [<!ENTITY a "xxxxxxxxxx">' + "".join(
        f'<!ENTITY {name} "{("&" + before + ";") * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(OutputParserException, match="amplification"):
        XMLOutputParser(parser="xml").parse(f"{text}]><l>&i;</l>")


def test_a_document_that_nests_too_deep_is_an_error() -> None:
    with pytest.raises(OutputParserException, match="recursion"):
        XMLOutputParser(parser="xml").parse("<a>" * 10_000 + "</a>" * 10_000)


@pytest.mark.skipif(importlib.util.find_spec("defusedxml") is not None, reason="defusedxml is installed")
def test_the_default_parser_is_another_package() -> None:
    for call in (lambda: XMLOutputParser().parse("<a/>"), lambda: list(XMLOutputParser().transform(iter(["<a/>"])))):
        with pytest.raises(ImportError, match=r"defusedxml is not installed.*parser=\"xml\""):
            call()


@pytest.mark.skipif(importlib.util.find_spec("defusedxml") is None, reason="defusedxml is not installed")
@pytest.mark.parametrize("text", DOCUMENTS)
def test_the_default_parser_returns_the_same(text: str) -> None:
    pieces = split(text, 3)
    assert stream_both_ways(XMLOutputParser(), pieces) == stream_both_ways(XMLOutputParser(parser="xml"), pieces)


def test_the_instructions_of_xml_contain_the_tags() -> None:
    assert "['a', 'b']" in XMLOutputParser(tags=["a", "b"]).get_format_instructions()
    assert XMLOutputParser()._type == TheirXML()._type
