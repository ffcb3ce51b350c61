"""The JSON parser of ``integrations.langchain`` beside LangChain's: equal outputs for random documents in pieces."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import langchain_core.output_parsers as theirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ModelRefusalError
from langchain_core.messages import AIMessageChunk

import millstream.output_parsers.fenced
from millstream.integrations.langchain import JsonOutputParser

TEXTS = st.sampled_from(
    [
        "",
        "a",
        "b c",
        " x ",
        "é",
        "tab\t",
        'q"uote',
        "\\",
        "```",
        "`",
        "a/b",
        "~",
        "null",
        "{",
        "}]",
        "\n",
        "\u00a0",
        "long",
    ]
)
# No float is equal to the beginning of its text.
NUMBERS = st.sampled_from([0, 1, -1, 12, 123456, 1.5, -0.25, 1e-7, 1e300, 10**30])
VALUES: Any = st.recursive(
    TEXTS | NUMBERS | st.sampled_from([None, True, False]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
ANSWERS = st.sampled_from(
    ["{}", "```json\n{}\n```", "Here it is:\n```\n{}\n``` and done.", "  \n{}  \n", "{} That is all, folks."]
)
SIZES = st.lists(st.integers(0, 12), min_size=1, max_size=8)


@pytest.fixture
def assembler(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the parser read with each half of the core in turn."""
    monkeypatch.setattr(millstream.output_parsers.fenced, "JSONAssembler", impl.JSONAssembler)


def split(text: str, sizes: list[int]) -> list[str]:
    """Cut ``text`` into pieces of ``sizes``, again and again."""
    if not any(sizes):
        return [text]
    pieces: list[str] = []
    at = 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    return pieces or [text]


def outputs_of(parser: Any, chunks: list[Any]) -> list[Any]:
    outputs: list[Any] = []
    try:
        outputs.extend(parser.transform(iter(chunks)))
    except Exception as error:
        outputs.append((type(error), str(error)))
    return outputs


def of_both(chunks: list[Any], **fields: Any) -> tuple[list[Any], list[Any]]:
    return outputs_of(JsonOutputParser(**fields), chunks), outputs_of(theirs.JsonOutputParser(**fields), chunks)


@pytest.mark.usefixtures("assembler")
@given(value=VALUES, answer=ANSWERS, sizes=SIZES, indent=st.sampled_from([None, 2]), is_message=st.booleans())
def test_the_documents_of_any_answer_in_any_pieces_are_langchains(
    value: Any, answer: str, sizes: list[int], indent: int | None, is_message: bool
) -> None:
    text = answer.replace("{}", json.dumps(value, ensure_ascii=False, indent=indent))
    chunks: list[Any] = split(text, sizes)
    if is_message:
        chunks = [AIMessageChunk(content=piece, response_metadata={"model_provider": "openai"}) for piece in chunks]
    for diff in (False, True):
        ours, peers = of_both(chunks, diff=diff)
        assert ours == peers
        assert json.dumps(ours) == json.dumps(peers)


@pytest.mark.usefixtures("assembler")
@pytest.mark.parametrize("diff", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        *('{"a": NaN, "b": [-Infinity, 1]}', '{"a": 1, b: 2, "c": 3}', '[1, 2}, "x"', '{"a": "b" "c": 1}', "[1,, 2]"),
        *('{"a": 1, "a": 1, "a": 2}', '{"a": {"b": 1}, "a": {"c": [1]}}', "[note] see ```json\n[1]\n```", "[01]"),
        *('{"x": ["a", "ab", "a"], "y": "a"}', "[[], [1], [], [[]], []]", '["", " x ", ""]', "null", '"text"', "12"),
        *("no JSON at all", "- item", "true story", '{"a": "line\nbreak\ttab"}'),
        *('{"action_input": "a\n\tb"}', '"\x0b \x0b"', '{"a\\nb": "\\"\\\\\\/\\b\\f"}', "```json\n```", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_the_documents_of_odd_answers_are_langchains(text: str, size: int, diff: bool) -> None:
    ours, peers = of_both(split(text, [size]), diff=diff)
    assert repr(ours) == repr(peers)


@pytest.mark.usefixtures("assembler")
def test_a_document_too_deep_for_the_reader_is_read_as_by_langchain() -> None:
    ours, peers = of_both(split("[" * 150 + "1" + "]" * 150, [70]))
    assert repr(ours) == repr(peers)


@pytest.mark.parametrize(
    ("chunks", "repaired", "peers"),
    [
        # A piece of an escape, for which LangChain drops the whole string.
        (['["caf', "\\u00", 'e9"]'], [["caf"], ["café"]], [["caf"], [], ["café"]]),
        (['["\\ud83d', '\\ude00"]'], [[""], ["😀"]], [["\ud83d"], ["😀"]]),
        (['["\\ud83d', '"]'], [[""], ["\ufffd"]], [["\ud83d"]]),
        # Brackets in the text after the document, with which LangChain reads another document.
        (["[[1], 2]", " [[", "]]"], [[[1], 2]], [[[1], 2], [[1]], [[1], 2]]),
        # Brackets in the text before the document, after which LangChain finds none.
        (["see ] ", "```json\n[1]", "\n```"], [[1]], []),
    ],
    ids=["escape", "pair", "half", "after", "before"],
)
def test_outputs_that_langchain_corrupts_are_repaired(chunks: list[str], repaired: list[Any], peers: list[Any]) -> None:
    ours, theirs_of_them = of_both(chunks)
    assert ours == repaired
    assert theirs_of_them == peers


def test_a_float_that_is_equal_to_its_beginning_makes_no_operation() -> None:
    ours, peers = of_both(["[1", ".0", ", 2]"], diff=True)
    assert peers[1] == [{"op": "replace", "path": "/0", "value": 1.0}, *ours[1]]


def test_only_invalid_json_is_parsed_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    inner = theirs.JsonOutputParser.parse_result

    def parse_result(self: Any, result: Any, *, partial: bool = False) -> Any:
        parsed.append(result[0].text)
        return inner(self, result, partial=partial)

    monkeypatch.setattr(theirs.JsonOutputParser, "parse_result", parse_result)
    outputs_of(JsonOutputParser(), ["Sure:\n```json\n[1", ", 2]", "\n```\n", "That was it (all)."])
    assert parsed == []
    outputs_of(JsonOutputParser(), ["[1", ", x"])
    assert parsed == ["[1, x"]


def test_a_patch_shares_nothing_with_the_parser() -> None:
    patches: Any = JsonOutputParser(diff=True).transform(iter(['{"a": [', "[1", "], [2]", ', 3], "b": 1}']))
    seen: list[Any] = []
    for patch in patches:
        seen.append(json.loads(json.dumps(patch)))
        for operation in patch:
            if isinstance(operation["value"], dict | list):
                operation["value"].clear()
    assert seen == outputs_of(theirs.JsonOutputParser(diff=True), ['{"a": [', "[1", "], [2]", ', 3], "b": 1}'])


REFUSALS = [
    [AIMessageChunk(content="[1"), AIMessageChunk(content="", additional_kwargs={"refusal": "No."})],
    [
        AIMessageChunk(content="[1", response_metadata={"model_provider": "anthropic"}),
        AIMessageChunk(content="", response_metadata={"stop_reason": "refusal"}),
        AIMessageChunk(content=", 2]"),
    ],
    [AIMessageChunk(content=[{"type": "refusal", "refusal": "No."}])],
]
OPENAI = {"model_provider": "openai"}
REFUSALS[0] = [chunk.model_copy(update={"response_metadata": OPENAI}) for chunk in REFUSALS[0]]


@pytest.mark.parametrize("chunks", REFUSALS, ids=["openai", "anthropic", "content"])
def test_a_refusal_raises_langchains_error_where_langchain_raises_it(chunks: list[Any]) -> None:
    async def each() -> AsyncIterator[Any]:
        for chunk in chunks:
            yield chunk

    async def read(parser: Any) -> Any:
        return [output async for output in parser.atransform(each())]

    def refused(parser: Any) -> Any:
        with pytest.raises(ModelRefusalError) as raised:
            asyncio.run(read(parser))
        return raised.value.raw_message

    ours, peers = of_both(chunks)
    assert ours == peers
    assert ours[-1][0] is ModelRefusalError
    assert refused(JsonOutputParser()) == refused(theirs.JsonOutputParser())


def test_metadata_of_other_providers_is_not_a_refusal() -> None:
    chunks = [
        AIMessageChunk(content=text, response_metadata={"n": number, "stop_reason": "end_turn"})
        for number, text in enumerate(["[1", ", 2", "]"])
    ]
    ours, peers = of_both(chunks)
    assert ours == peers == [[1], [1, 2]]
