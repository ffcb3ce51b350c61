"""Output parsers, compared with LangChain's: outputs of streams and of complete answers, and the differences."""

import asyncio
import copy
import json
import warnings
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millstream.exceptions import OutputParserException
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import (
    BaseCumulativeTransformOutputParser,
    BaseOutputParser,
    BaseTransformOutputParser,
    JsonOutputParser,
    SimpleJsonOutputParser,
    StrOutputParser,
)
from millstream.outputs import Generation, GenerationChunk
from naive_json import applied

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pydantic
    from langchain_core.messages import AIMessageChunk as TheirChunk
    from langchain_core.output_parsers import JsonOutputParser as TheirJson
    from langchain_core.output_parsers import StrOutputParser as TheirStr

WORDS = st.text(st.sampled_from('ab\u00e9\U0001f600"\\{}[]:,1'), max_size=5)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(2.5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=10,
)
SIZES = (1, 2, 3, 7, 1000)
TEXTS = [
    *(' {"a": "hi", "b": [1, 2.5, true], "c": {"d": null}} ', '[{"a":1},{"a":"x"}]', '{"a/b~c":1,"":[2]}', "3.25e2"),
    *('"hello"', "null", "true", "[null, 1]", "[1, tru", '{"a": "b', "", " ", "hello", "12 monkeys", "-", "`[1]`"),
    *('Sure:\n```json\n{"a": 12}\n``` bye ```x', "```\n[1]\n```", '```js\n{"a":1}', '- ```json {"a":1}', "``json"),
    *("tru ```json\n[1]```", '``` ```json {"a":1}', '``{"a":"b"}``', '{"a":1} trailing', '{"a":1}{"b":2}', "``````[1]"),
    *('one ``two `` three ```json["x"]', "see ```json", "see ``", '```jso{"a":1}', "\u00a0\n[1]", "a```JSON\n[1]"),
]


def split(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def stream_outputs(parser: Any, items: Iterable[Any]) -> list[Any]:
    return list(parser.transform(iter(items)))


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


class _NoThreads(ThreadPoolExecutor):
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a hop to a thread")


def astream_outputs(parser: Any, items: Iterable[Any]) -> list[Any]:
    async def run() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(_NoThreads())
        return [output async for output in parser.atransform(_each(items))]

    return asyncio.run(run())


def sorted_patches(patches: list[Any]) -> list[Any]:
    # Within an object, LangChain lists new members in no order, and before changes inside of members.
    return [sorted(patch, key=lambda operation: str(operation["path"])) for patch in patches]


def error_of(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error).partition("\n")[0], getattr(error, "llm_output", None)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_yields_the_same_documents_as_in_langchain(text: str, size: int) -> None:
    pieces = split(text, size)
    assert repr(stream_outputs(JsonOutputParser(), pieces)) == repr(stream_outputs(TheirJson(), pieces))
    theirs = sorted_patches(stream_outputs(TheirJson(diff=True), pieces))
    assert sorted_patches(stream_outputs(JsonOutputParser(diff=True), pieces)) == theirs


@given(value=VALUES, size=st.sampled_from(SIZES), indent=st.sampled_from([None, 1]))
def test_a_document_yields_the_same_outputs_as_in_langchain(value: Any, size: int, indent: int | None) -> None:
    pieces = split(json.dumps(value, ensure_ascii=False, indent=indent), size)
    documents = stream_outputs(JsonOutputParser(), pieces)
    assert documents == stream_outputs(TheirJson(), pieces)
    # Each patch leads from one document to the next. LangChain's patches may differ where elements happen to be
    # equal: they turn [1] into [12, 1] by an insertion.
    patched, seen = None, []
    for patch in stream_outputs(JsonOutputParser(diff=True), pieces):
        patched = applied(patched, patch)
        seen.append(copy.deepcopy(patched))
    assert seen == documents


@pytest.mark.parametrize("text", TEXTS)
def test_a_complete_text_is_parsed_or_rejected_as_in_langchain(text: str) -> None:
    assert error_of(lambda: JsonOutputParser().invoke(text)) == error_of(lambda: TheirJson().invoke(text))
    assert error_of(lambda: JsonOutputParser().parse(text)) == error_of(lambda: TheirJson().parse(text))


# Intended differences: the pieces, our outputs, and LangChain's.
DIFFERENCES: list[tuple[str, list[str], list[Any], list[Any]]] = [
    ("white space at a chunk's end is shown at once", ['["a ', 'b"]'], [["a "], ["a b"]], [["a"], ["a b"]]),
    ("and so are backticks", ['["`', 'b"]'], [["`"], ["`b"]], [[""], ["`b"]]),
    (
        "an unfinished escape takes nothing away",
        ['["a', "\\u00", 'e9"]'],
        [["a"], ["a\u00e9"]],
        [["a"], [], ["a\u00e9"]],
    ),
    ("half a pair is not shown", ['["\\ud83d', '\\ude00"]'], [[""], ["\U0001f600"]], [["\ud83d"], ["\U0001f600"]]),
    ("what is right before an error is shown", ['{"a": 1, b}'], [{"a": 1}], []),
    ("brackets that do not match are an error", ["[1}"], [[1]], []),
    ("what is no number is not shown", ["[NaN]"], [[]], [[float("nan")]]),
]


@pytest.mark.parametrize(
    ("pieces", "ours", "theirs"), [case[1:] for case in DIFFERENCES], ids=[c[0] for c in DIFFERENCES]
)
def test_intended_differences_from_langchain(pieces: list[str], ours: list[Any], theirs: list[Any]) -> None:
    assert repr(stream_outputs(JsonOutputParser(), pieces)) == repr(ours)
    assert repr(stream_outputs(TheirJson(), pieces)) == repr(theirs)


def test_a_repeated_member_is_added_again() -> None:
    pieces = ['{"a":[', '],"a":1}']
    assert stream_outputs(JsonOutputParser(diff=True), pieces)[1] == [{"op": "add", "path": "/a", "value": 1}]
    assert stream_outputs(TheirJson(diff=True), pieces)[1] == [{"op": "replace", "path": "/a", "value": 1}]


@pytest.mark.parametrize(("text", "theirs"), [('{"a": 1]', None), ('{"a": nope', {})])
def test_an_error_in_a_complete_document_raises(text: str, theirs: Any) -> None:
    assert TheirJson().invoke(text) == theirs
    with pytest.raises(OutputParserException) as caught:
        JsonOutputParser().invoke(text)
    assert str(caught.value) == f"Invalid json output: {text}"
    assert caught.value.llm_output == text
    assert isinstance(caught.value, ValueError)


def test_texts_messages_and_generations_are_accepted() -> None:
    blocks: Any = [{"type": "text", "text": "[1"}, {"type": "image"}, {"type": "text", "text": "]"}]
    for item in (
        "[1]",
        AIMessage("[1]"),
        AIMessage(blocks),
        TheirChunk(content=blocks),
        Generation("[1]"),
        TheirChunk(content="[1]"),
    ):
        assert JsonOutputParser().invoke(item) == [1]
        assert StrOutputParser().invoke(item) == "[1]"
        for outputs in (stream_outputs(StrOutputParser(), [item]), astream_outputs(StrOutputParser(), [item])):
            assert outputs == ["[1]"]
            assert type(outputs[0]) is str
        assert astream_outputs(JsonOutputParser(), [item]) == stream_outputs(JsonOutputParser(), [item]) == [[1]]


def test_each_chunk_yields_its_text_even_if_it_is_empty() -> None:
    texts = ["", "a", " b", ""]
    for items in (texts, [AIMessageChunk(text) for text in texts], [GenerationChunk(text) for text in texts]):
        assert stream_outputs(StrOutputParser(), items) == astream_outputs(StrOutputParser(), items) == texts
    assert stream_outputs(TheirStr(), [TheirChunk(content=text) for text in texts]) == texts


def test_message_chunks_make_one_document() -> None:
    pieces = split('Here: ```json\n{"a": ["x", 12]}```', 3)
    documents = stream_outputs(JsonOutputParser(), pieces)
    for chunk in (AIMessageChunk, TheirChunk):
        items = [chunk(content=piece) for piece in pieces]
        assert stream_outputs(JsonOutputParser(), items) == astream_outputs(JsonOutputParser(), items) == documents
    assert documents[-1] == {"a": ["x", 12]}


@pytest.mark.parametrize("wrong", [5, None, {"a": 1}, ["a"]])
def test_anything_else_is_rejected(wrong: Any) -> None:
    for parser in (StrOutputParser(), JsonOutputParser()):
        message = f"^an output parser takes a text, a message or a generation, not {type(wrong).__name__}$"
        with pytest.raises(TypeError, match=message):
            parser.invoke(wrong)
        with pytest.raises(TypeError, match=message):
            stream_outputs(parser, [wrong])


def test_each_stream_has_its_own_document() -> None:
    parser = JsonOutputParser()
    one, other = parser.transform(iter(["[1", ",2]"])), parser.transform(iter(["[3", ",4]"]))
    assert [next(one), next(other), next(one), next(other)] == [[1], [3], [1, 2], [3, 4]]


def test_an_output_may_be_changed() -> None:
    seen = []
    for document in JsonOutputParser().transform(iter(['{"a": [1', ", 2", ", 3]}"])):
        seen.append(list(document["a"]))
        document["a"].append(document["a"])
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_invoke_does_not_use_a_thread() -> None:
    async def run() -> Any:
        asyncio.get_running_loop().set_default_executor(_NoThreads())
        return await JsonOutputParser().ainvoke("[1]"), await StrOutputParser().ainvoke("a")

    assert asyncio.run(run()) == ([1], "a")


class _Shouted(StrOutputParser):
    def parse(self, text: str) -> str:
        return text.upper()


class _Lines(BaseCumulativeTransformOutputParser[list[str]]):
    def parse(self, text: str) -> list[str]:
        return text.splitlines()

    def _diff(self, prev: list[str] | None, next: list[str]) -> list[str]:
        return next[len(prev or []) :]


class _Length(BaseTransformOutputParser[int]):
    def parse(self, text: str) -> int:
        return len(text)


class _Answer(BaseOutputParser[bool]):
    def parse(self, text: str) -> bool:
        return text == "yes"


class _Kept(JsonOutputParser):
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        document = super().parse_result(result, partial=partial)
        return None if document is None else {"kept": document}


def test_parsers_of_users_stream_as_their_base_classes_document() -> None:
    assert stream_outputs(_Shouted(), ["a", "b"]) == astream_outputs(_Shouted(), ["a", "b"]) == ["A", "B"]
    assert stream_outputs(_Length(), ["ab", AIMessageChunk("abc")]) == [2, 3]
    lines = ["a", "\nb", "", "\n", "c"]
    assert stream_outputs(_Lines(), lines) == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert astream_outputs(_Lines(diff=True), [AIMessageChunk(line) for line in lines]) == [["a"], ["b"], ["c"]]
    assert stream_outputs(_Kept(), ["x ```", "[1", ", 2"]) == [{"kept": [1]}, {"kept": [1, 2]}]
    assert stream_outputs(_Answer(), ["ye", "s"]) == [True]
    assert stream_outputs(_Answer(), []) == []
    assert asyncio.run(_Answer().ainvoke(AIMessage("yes"))) is True
    assert asyncio.run(_Answer().aparse("no")) is False


class _Joke(pydantic.BaseModel):
    """A joke."""

    setup: str
    punchline: str = pydantic.Field(description="what one laughs at")


def test_the_instructions_contain_the_schema() -> None:
    assert JsonOutputParser().get_format_instructions() == TheirJson().get_format_instructions()
    instructions = JsonOutputParser(pydantic_object=_Joke).get_format_instructions()
    theirs = TheirJson(pydantic_object=_Joke).get_format_instructions()
    assert json.loads(instructions.splitlines()[-2]) == json.loads(theirs.splitlines()[-2])
    with pytest.raises(NotImplementedError):
        StrOutputParser().get_format_instructions()


def test_parsers_print_as_in_langchain() -> None:
    assert repr(StrOutputParser()) == repr(TheirStr())
    assert repr(JsonOutputParser()) == repr(TheirJson())
    assert repr(JsonOutputParser(diff=True)) == "JsonOutputParser(diff=True)"
    assert SimpleJsonOutputParser is JsonOutputParser
    assert (StrOutputParser().get_name(), JsonOutputParser(name="n").get_name()) == ("StrOutputParser", "n")


def test_an_exception_for_the_model_needs_an_observation() -> None:
    error = OutputParserException("e", "o", "l", True)
    assert (str(error), error.observation, error.llm_output, error.send_to_llm) == ("e", "o", "l", True)
    with pytest.raises(ValueError, match=r"^Arguments 'observation' & 'llm_output' are required"):
        OutputParserException("e", send_to_llm=True)
