"""Parsers of users: fields, pydantic in the class body, generics, and which of their methods a stream calls."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Generic, TypeVar

import jsonpatch
import langchain_core.output_parsers as theirs
import pydantic
import pytest

import millstream.output_parsers as ours
from millstream.events.run_log import diff
from millstream.language_models import GenericFakeChatModel
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser, StrOutputParser
from millstream.outputs import ChatGeneration, Generation

LIBRARIES = pytest.mark.parametrize("library", [ours, theirs], ids=["ours", "theirs"])
T = TypeVar("T")


class Joke(pydantic.BaseModel):
    setup: str
    punchline: str = ""


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def astream(parser: Any, items: Iterable[Any]) -> list[Any]:
    async def run() -> list[Any]:
        return [output async for output in parser.atransform(_each(items))]

    return asyncio.run(run())


@LIBRARIES
def test_annotated_fields_are_arguments(library: Any) -> None:
    class Yes(library.BaseOutputParser[bool]):  # type: ignore[misc]
        yes: str = "YES"
        no: str = "NO"

        def parse(self, text: str) -> bool:
            if text not in (self.yes, self.no):
                raise ValueError(text)
            return text == self.yes

        @property
        def _type(self) -> str:
            return "yes"

    parser = Yes(yes="JA")
    assert (parser.invoke("JA"), parser.invoke("NO"), parser.name) == (True, False, None)
    assert parser.batch(["JA", "NO"]) == [True, False]
    assert parser.OutputType is bool
    assert parser.asdict() == {"name": None, "yes": "JA", "no": "NO", "_type": "yes"}
    assert list(parser.transform(iter(["J", "A"]))) == [True]
    assert asyncio.run(parser.ainvoke("NO")) is False


@LIBRARIES
def test_a_parser_may_use_pydantic(library: Any) -> None:
    class Bounded(library.BaseOutputParser[int]):  # type: ignore[misc]
        top: int = pydantic.Field(default=10, ge=1, alias="max")

        @pydantic.field_validator("top")
        @classmethod
        def is_even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("odd")
            return value

        def parse(self, text: str) -> int:
            return min(int(text), self.top)

    assert Bounded(max="4").invoke("7") == 4
    with pytest.raises(pydantic.ValidationError, match="odd"):
        Bounded(max=3)
    with pytest.raises(pydantic.ValidationError, match="greater than or equal to 1"):
        Bounded(max=0)


@LIBRARIES
def test_a_parser_may_be_generic(library: Any) -> None:
    class Held(library.BaseOutputParser[T], Generic[T]):  # type: ignore[misc]
        made: Any

        def parse(self, text: str) -> T:
            made: T = self.made(text)
            return made

    class Number(Held[float]):
        made: Any = float

    assert (Held[int](made=int).invoke("3"), Number().invoke("3")) == (3, 3.0)
    assert Number().OutputType is float


def test_a_parser_of_objects_takes_its_class_as_a_type_argument() -> None:
    cls: Any = PydanticOutputParser[Joke]
    parser = cls(pydantic_object=Joke)
    assert parser.invoke('{"setup": "a"}') == Joke(setup="a")
    assert parser.OutputType is Joke
    assert parser.get_name() == "PydanticOutputParser"
    assert JsonOutputParser[dict[str, int]]().invoke('{"a": 1}') == {"a": 1}
    with pytest.raises(TypeError, match=r"write PydanticOutputParser\(pydantic_object=...\)"):
        cls(Joke)


@LIBRARIES
def test_types_of_inputs_and_outputs(library: Any) -> None:
    assert library.StrOutputParser().OutputType is str
    assert library.JsonOutputParser().OutputType is Any
    assert str in library.StrOutputParser().InputType.__args__


def test_a_parser_of_generations_receives_the_message() -> None:
    class Swapped(ours.BaseGenerationOutputParser[str]):
        def parse_result(self, result: list[Generation], *, partial: bool = False) -> str:
            (generation,) = result
            assert isinstance(generation, ChatGeneration)
            return str(generation.message.content).swapcase()

    assert (GenericFakeChatModel(messages=iter([AIMessage("hEllo")])) | Swapped()).invoke("") == "HeLLO"


class Slow(ours.BaseTransformOutputParser[str]):
    def parse(self, text: str) -> str:
        raise AssertionError

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> str:
        await asyncio.sleep(0)
        return result[0].text.upper()


class SlowSoFar(ours.BaseCumulativeTransformOutputParser[str]):
    parse = Slow.parse
    aparse_result = Slow.aparse_result


@pytest.mark.parametrize(
    ("parser", "expected"), [(Slow(), ["A", " ", "B"]), (SlowSoFar(), ["A", "A ", "A B"])], ids=["each", "so far"]
)
def test_an_async_method_of_a_user_is_awaited_in_a_stream(parser: Any, expected: list[str]) -> None:
    assert astream(parser, [AIMessageChunk(piece) for piece in ("a", " ", "b")]) == expected
    chain: Any = GenericFakeChatModel(messages=iter([AIMessage("a b")])) | parser

    async def run() -> list[Any]:
        return [output async for output in chain.astream("")]

    assert asyncio.run(run()) == expected


@LIBRARIES
def test_the_inner_doors_of_a_stream_may_be_overridden(library: Any) -> None:
    class Pairs(library.BaseTransformOutputParser[str]):  # type: ignore[misc]
        def parse(self, text: str) -> str:
            return text

        def _transform(self, input: Iterator[Any]) -> Iterator[str]:
            for first in input:
                yield f"{first}{next(input, '')}"

        async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[str]:
            async for first in input:
                yield f"{first}{await anext(input, '')}"

    assert list(Pairs().transform(iter("abc"))) == astream(Pairs(), "abc") == ["ab", "c"]


@LIBRARIES
def test_a_cumulative_parser_yields_changes(library: Any) -> None:
    class Words(library.BaseCumulativeTransformOutputParser[list[str]]):  # type: ignore[misc]
        def parse(self, text: str) -> list[str]:
            return text.split()

        def _diff(self, prev: Any, next: list[str]) -> Any:
            return next[len(prev or []) :]

    pieces = ["a", " b", " ", "c"]
    assert list(Words().transform(iter(pieces))) == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert list(Words(diff=True).transform(iter(pieces))) == astream(Words(diff=True), pieces) == [["a"], ["b"], ["c"]]


def test_a_parser_that_is_closed_early_closes_its_input() -> None:
    closed = []

    def items() -> Iterator[str]:
        try:
            yield from "abc"
        finally:
            closed.append(True)

    stream = StrOutputParser().transform(items())
    assert next(stream) == "a"
    stream.close()
    assert closed == [True]


def test_a_subclass_of_a_json_parser_patches_what_it_makes() -> None:
    class Wrapped(JsonOutputParser[Any]):
        def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
            found = super().parse_result(result, partial=partial)
            return None if found is None else {"found": found}

    pieces = ["[1", ", 2", "]"]
    assert list(Wrapped(diff=True).transform(iter(pieces))) == [
        [{"op": "replace", "path": "", "value": {"found": [1]}}],
        [{"op": "add", "path": "/found/1", "value": 2}],
    ]
    assert Wrapped().parse("[1]") == {"found": [1]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": [1, 2, 3], "c": {"x": "y"}}, {"b": [1, 5], "c": {"x": "z", "~/": None}, "d": 1}),
        ([{"a": 1}], [{"a": True}, []]),
        (None, {"a": 1}),
        ({}, {}),
        ([1, 2], {"a": 1}),
    ],
)
def test_a_patch_turns_one_document_into_the_other(before: Any, after: Any) -> None:
    patch = diff(before, after)
    assert jsonpatch.apply_patch(before, patch) == after
    assert repr(jsonpatch.apply_patch(before, patch)) == repr(jsonpatch.make_patch(before, after).apply(before))


def test_a_base_class_may_be_used_without_a_runnable() -> None:
    class First(ours.BaseLLMOutputParser[str]):
        def parse_result(self, result: list[Generation], *, partial: bool = False) -> str:
            return result[0].text

    results: list[Generation] = [ChatGeneration(AIMessage("a"))]
    assert (First().parse_result(results), asyncio.run(First().aparse_result(results))) == ("a", "a")
    assert not isinstance(First(), BaseOutputParser)


def test_parsers_are_equal_if_their_fields_are() -> None:
    assert StrOutputParser() == StrOutputParser() != StrOutputParser(name="n")
    assert (
        PydanticOutputParser(pydantic_object=Joke) == PydanticOutputParser(pydantic_object=Joke) != JsonOutputParser()
    )
