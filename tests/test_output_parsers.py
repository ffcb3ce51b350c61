"""Output parsers beside LangChain's: what comes out chunk by chunk, whole, and where each differs."""

import asyncio
import copy
import json
import warnings
from collections.abc import AsyncIterator, Iterable, Sequence
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


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def streamed(parser: Any, items: Iterable[Any]) -> list[Any]:
    return list(parser.transform(iter(items)))


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


class _NoThreads(ThreadPoolExecutor):
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a hop to a thread")


def astreamed(parser: Any, items: Iterable[Any]) -> list[Any]:
    async def run() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(_NoThreads())
        return [output async for output in parser.atransform(_each(items))]

    return asyncio.run(run())


def sorted_patches(patches: list[Any]) -> list[Any]:
    # Within an object LangChain tells what is new in no order, and before what has changed deeper.
    return [sorted(patch, key=lambda operation: str(operation["path"])) for patch in patches]


def raised(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error).partition("\n")[0], getattr(error, "llm_output", None)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_gives_the_documents_that_langchain_gives(text: str, size: int) -> None:
    pieces = cut(text, size)
    assert repr(streamed(JsonOutputParser(), pieces)) == repr(streamed(TheirJson(), pieces))
    theirs = sorted_patches(streamed(TheirJson(diff=True), pieces))
    assert sorted_patches(streamed(JsonOutputParser(diff=True), pieces)) == theirs


@given(value=VALUES, size=st.sampled_from(SIZES), indent=st.sampled_from([None, 1]))
def test_a_document_gives_what_langchain_gives(value: Any, size: int, indent: int | None) -> None:
    pieces = cut(json.dumps(value, ensure_ascii=False, indent=indent), size)
    documents = streamed(JsonOutputParser(), pieces)
    assert documents == streamed(TheirJson(), pieces)
    # The patches lead from each to the next. LangChain's do so too, but where elements happen to be equal, by
    # another way: [1] becomes [12, 1] by an insertion.
    patched, seen = None, []
    for patch in streamed(JsonOutputParser(diff=True), pieces):
        patched = applied(patched, patch)
        seen.append(copy.deepcopy(patched))
    assert seen == documents


@pytest.mark.parametrize("text", TEXTS)
def test_a_whole_text_is_parsed_or_refused_as_langchain_does(text: str) -> None:
    assert raised(lambda: JsonOutputParser().invoke(text)) == raised(lambda: TheirJson().invoke(text))
    assert raised(lambda: JsonOutputParser().parse(text)) == raised(lambda: TheirJson().parse(text))


# Where it says something else on purpose: the pieces, what comes out here, what comes out there.
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
def test_a_difference_from_langchain_is_meant(pieces: list[str], ours: list[Any], theirs: list[Any]) -> None:
    assert repr(streamed(JsonOutputParser(), pieces)) == repr(ours)
    assert repr(streamed(TheirJson(), pieces)) == repr(theirs)


def test_a_member_that_comes_again_is_added_again() -> None:
    pieces = ['{"a":[', '],"a":1}']
    assert streamed(JsonOutputParser(diff=True), pieces)[1] == [{"op": "add", "path": "/a", "value": 1}]
    assert streamed(TheirJson(diff=True), pieces)[1] == [{"op": "replace", "path": "/a", "value": 1}]


@pytest.mark.parametrize(("text", "theirs"), [('{"a": 1]', None), ('{"a": nope', {})])
def test_an_error_in_a_whole_document_raises(text: str, theirs: Any) -> None:
    assert TheirJson().invoke(text) == theirs
    with pytest.raises(OutputParserException) as caught:
        JsonOutputParser().invoke(text)
    assert str(caught.value) == f"Invalid json output: {text}"
    assert caught.value.llm_output == text
    assert isinstance(caught.value, ValueError)


def test_texts_messages_and_generations_are_taken() -> None:
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
        for outputs in (streamed(StrOutputParser(), [item]), astreamed(StrOutputParser(), [item])):
            assert outputs == ["[1]"]
            assert type(outputs[0]) is str
        assert astreamed(JsonOutputParser(), [item]) == streamed(JsonOutputParser(), [item]) == [[1]]


def test_chunks_give_their_texts_one_by_one_empty_ones_too() -> None:
    texts = ["", "a", " b", ""]
    for items in (texts, [AIMessageChunk(text) for text in texts], [GenerationChunk(text) for text in texts]):
        assert streamed(StrOutputParser(), items) == astreamed(StrOutputParser(), items) == texts
    assert streamed(TheirStr(), [TheirChunk(content=text) for text in texts]) == texts


def test_message_chunks_make_one_document() -> None:
    pieces = cut('Here: ```json\n{"a": ["x", 12]}```', 3)
    documents = streamed(JsonOutputParser(), pieces)
    for chunk in (AIMessageChunk, TheirChunk):
        items = [chunk(content=piece) for piece in pieces]
        assert streamed(JsonOutputParser(), items) == astreamed(JsonOutputParser(), items) == documents
    assert documents[-1] == {"a": ["x", 12]}


@pytest.mark.parametrize("wrong", [5, None, {"a": 1}, ["a"]])
def test_anything_else_is_refused(wrong: Any) -> None:
    for parser in (StrOutputParser(), JsonOutputParser()):
        message = f"^an output parser takes a text, a message or a generation, not {type(wrong).__name__}$"
        with pytest.raises(TypeError, match=message):
            parser.invoke(wrong)
        with pytest.raises(TypeError, match=message):
            streamed(parser, [wrong])


def test_each_stream_has_a_document_of_its_own() -> None:
    parser = JsonOutputParser()
    one, other = parser.transform(iter(["[1", ",2]"])), parser.transform(iter(["[3", ",4]"]))
    assert [next(one), next(other), next(one), next(other)] == [[1], [3], [1, 2], [3, 4]]


def test_what_came_out_may_be_changed() -> None:
    seen = []
    for document in JsonOutputParser().transform(iter(['{"a": [1', ", 2", ", 3]}"])):
        seen.append(list(document["a"]))
        document["a"].append(document["a"])
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_invoke_waits_for_no_thread() -> None:
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
    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        document = super().parse_result(result, partial=partial)
        return None if document is None else {"kept": document}


def test_users_parsers_stream_as_their_bases_say() -> None:
    assert streamed(_Shouted(), ["a", "b"]) == astreamed(_Shouted(), ["a", "b"]) == ["A", "B"]
    assert streamed(_Length(), ["ab", AIMessageChunk("abc")]) == [2, 3]
    lines = ["a", "\nb", "", "\n", "c"]
    assert streamed(_Lines(), lines) == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert astreamed(_Lines(diff=True), [AIMessageChunk(line) for line in lines]) == [["a"], ["b"], ["c"]]
    assert streamed(_Kept(), ["x ```", "[1", ", 2"]) == [{"kept": [1]}, {"kept": [1, 2]}]
    assert streamed(_Answer(), ["ye", "s"]) == [True]
    assert streamed(_Answer(), []) == []
    assert asyncio.run(_Answer().ainvoke(AIMessage("yes"))) is True
    assert asyncio.run(_Answer().aparse("no")) is False


class _Joke(pydantic.BaseModel):
    """A joke."""

    setup: str
    punchline: str = pydantic.Field(description="what one laughs at")


def test_the_instructions_tell_the_schema() -> None:
    assert JsonOutputParser().get_format_instructions() == TheirJson().get_format_instructions()
    told = JsonOutputParser(pydantic_object=_Joke).get_format_instructions()
    theirs = TheirJson(pydantic_object=_Joke).get_format_instructions()
    assert json.loads(told.splitlines()[-2]) == json.loads(theirs.splitlines()[-2])
    with pytest.raises(NotImplementedError):
        StrOutputParser().get_format_instructions()


def test_parsers_print_as_langchains_do() -> None:
    assert repr(StrOutputParser()) == repr(TheirStr())
    assert repr(JsonOutputParser()) == repr(TheirJson())
    assert repr(JsonOutputParser(diff=True)) == "JsonOutputParser(diff=True)"
    assert SimpleJsonOutputParser is JsonOutputParser
    assert (StrOutputParser().get_name(), JsonOutputParser(name="n").get_name()) == ("StrOutputParser", "n")


def test_an_exception_that_is_sent_to_the_model_says_what_was_wrong() -> None:
    error = OutputParserException("e", "o", "l", True)
    assert (str(error), error.observation, error.llm_output, error.send_to_llm) == ("e", "o", "l", True)
    with pytest.raises(ValueError, match=r"^Arguments 'observation' & 'llm_output' are required"):
        OutputParserException("e", send_to_llm=True)
