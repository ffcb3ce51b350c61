"""Parsers of the old ``function_call``, and refusals, compared with LangChain's."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import langchain_core.output_parsers.openai_functions as theirs
import langchain_core.outputs as their_outputs
import pydantic
import pydantic.v1
import pytest
from langchain_core.messages import AIMessage as TheirMessage
from langchain_core.messages import AIMessageChunk as TheirChunk

import millstream.output_parsers.openai_functions as ours
from millstream.errors import RefusalError
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import (
    JsonOutputKeyToolsParser,
    JsonOutputParser,
    JsonOutputToolsParser,
    PydanticOutputParser,
    PydanticToolsParser,
)
from millstream.outputs import ChatGeneration, Generation

CALL = {"name": "f", "arguments": '{"a": "x\ny", "b": [1, 2], "c/d": {"e": null}}'}


class Joke(pydantic.BaseModel):
    setup: str
    rating: int = 0


class OldJoke(pydantic.v1.BaseModel):
    setup: str


def messages(call: Any) -> tuple[list[Any], list[Any]]:
    """Return the generation of a message with ``call``, of ours and of LangChain's."""
    extra = {} if call is None else {"function_call": call}
    return (
        [ChatGeneration(AIMessage("", additional_kwargs=extra))],
        [their_outputs.ChatGeneration(message=TheirMessage("", additional_kwargs=extra))],
    )


def outcome(parser: Any, result: list[Any], partial: bool) -> Any:
    try:
        return parser.parse_result(result, partial=partial)
    except Exception as error:
        return type(error).__name__, str(error).partition("\n")[0]


CALLS = [
    None,
    CALL,
    {"name": "f", "arguments": '{"a": 1, "b'},
    {"name": "f", "arguments": "nope"},
    {"name": "f", "arguments": {}},
    {"name": "f", "arguments": ""},
    {"name": "f", "arguments": '{"setup": "s"}'},
]
PARSERS: list[tuple[str, dict[str, Any]]] = [
    ("OutputFunctionsParser", {}),
    ("OutputFunctionsParser", {"args_only": False}),
    ("JsonOutputFunctionsParser", {}),
    ("JsonOutputFunctionsParser", {"args_only": False}),
    ("JsonOutputFunctionsParser", {"strict": True}),
    ("JsonKeyOutputFunctionsParser", {"key_name": "a"}),
    ("PydanticOutputFunctionsParser", {"pydantic_schema": Joke}),
    ("PydanticOutputFunctionsParser", {"pydantic_schema": OldJoke}),
    ("PydanticOutputFunctionsParser", {"pydantic_schema": {"f": Joke, "g": OldJoke}}),
    ("PydanticAttrOutputFunctionsParser", {"pydantic_schema": Joke, "attr_name": "setup"}),
]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("name", "options"), PARSERS)
def test_a_call_is_parsed_as_in_langchain(name: str, options: Any, call: Any, partial: bool) -> None:
    our_result, their_result = messages(call)
    found = outcome(getattr(ours, name)(**options), our_result, partial)
    expected = outcome(getattr(theirs, name)(**options), their_result, partial)
    if partial and options.get("strict") and call is CALL:
        # The text has a control character; LangChain is strict about complete calls alone.
        assert (found, expected) == ({"a": "x"}, {"a": "x\ny", "b": [1, 2], "c/d": {"e": None}})
    elif partial and found is None and expected is not None:
        assert expected == ("TypeError", "the JSON object must be str, bytes or bytearray, not dict")
    else:
        assert found == expected


def test_the_message_keeps_its_call() -> None:
    result, _ = messages(CALL)
    ours.OutputFunctionsParser(args_only=False).parse_result(result)["name"] = "g"
    ours.JsonOutputFunctionsParser(args_only=False).parse_result(result)["name"] = "g"
    assert result[0].message.additional_kwargs == {"function_call": CALL}


@pytest.mark.parametrize("name", ["OutputFunctionsParser", "JsonOutputFunctionsParser"])
@pytest.mark.parametrize("partial", [False, True])
def test_a_text_has_no_call(name: str, partial: bool) -> None:
    found = outcome(getattr(ours, name)(), [Generation("x")], partial)
    assert found == outcome(getattr(theirs, name)(), [their_outputs.Generation(text="x")], partial)
    assert found[0] == "OutputParserException"


def test_several_classes_are_chosen_by_the_name_of_the_function() -> None:
    for library in (ours, theirs):
        parser: Any = library.PydanticOutputFunctionsParser
        assert parser(pydantic_schema=Joke).args_only is True
        assert parser(pydantic_schema={"f": Joke}).args_only is False
        with pytest.raises(ValueError, match="args_only should be False"):
            parser(pydantic_schema={"f": Joke}, args_only=True)


def chunks(size: int, cls: Any) -> list[Any]:
    text = CALL["arguments"]
    pieces: list[dict[str, Any]] = [{"name": "f", "arguments": ""}]
    pieces += [{"arguments": text[start : start + size]} for start in range(0, len(text), size)]
    return [
        cls(content=""),
        *(cls(content="", additional_kwargs={"function_call": piece}) for piece in pieces),
        cls(content=""),
    ]


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("options", [{}, {"diff": True}])
@pytest.mark.parametrize(("name", "more"), PARSERS[2:6])
def test_a_call_streams_as_in_langchain(name: str, more: Any, options: Any, size: int) -> None:
    parser, their_parser = getattr(ours, name)(**more, **options), getattr(theirs, name)(**more, **options)

    async def run() -> list[Any]:
        return [output async for output in parser.atransform(_each(chunks(size, AIMessageChunk)))]

    found = list(parser.transform(iter(chunks(size, AIMessageChunk))))
    assert found == asyncio.run(run())
    if more.get("strict"):
        # The valid part is yielded, up to the control character in the first argument.
        assert "x" in str(found[-1])
        assert "y" not in str(found)
        return
    expected = list(their_parser.transform(iter(chunks(size, TheirChunk))))
    if options:
        assert [sorted(patch, key=str) for patch in found] == [sorted(patch, key=str) for patch in expected]
    else:
        assert found == expected


def test_an_output_of_a_stream_may_be_changed() -> None:
    outputs = []
    for output in ours.JsonOutputFunctionsParser(args_only=False).transform(iter(chunks(4, AIMessageChunk))):
        outputs.append(json.dumps(output))
        output.clear()
    assert json.loads(outputs[-1])["name"] == "f"
    assert len(set(outputs)) == len(outputs)


# Refusals.

REFUSED = {
    "in the content": AIMessage([{"type": "refusal", "refusal": "I won't."}]),
    "beside the content": AIMessage("", additional_kwargs={"refusal": "I won't."}),
    "as a stop reason": AIMessage(
        [],
        response_metadata={
            "model_provider": "anthropic",
            "stop_reason": "refusal",
            "stop_details": {"type": "refusal", "category": "cyber", "explanation": "I won't."},
        },
    ),
}


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "parser",
    [
        JsonOutputParser(),
        PydanticOutputParser(pydantic_object=Joke),
        JsonOutputToolsParser(),
        JsonOutputKeyToolsParser(key_name="Joke"),
        PydanticToolsParser(tools=[Joke]),
    ],
    ids=lambda parser: type(parser).__name__,
)
def test_a_refusal_is_raised(parser: Any, message: AIMessage, partial: bool) -> None:
    with pytest.raises(RefusalError, match="Model refused.*I won't") as caught:
        parser.parse_result([ChatGeneration(message)], partial=partial)
    assert caught.value.raw_message is message


@pytest.mark.parametrize("parser", [JsonOutputParser(), PydanticOutputParser(pydantic_object=Joke)])
def test_a_refusal_in_a_stream_is_raised_at_its_end(parser: Any) -> None:
    pieces = [AIMessageChunk("", additional_kwargs={"refusal": piece}) for piece in ("I ", "won't.")]
    with pytest.raises(RefusalError, match=r"I won't\.$") as caught:
        list(parser.transform(iter(pieces)))
    assert caught.value.raw_message.additional_kwargs == {"refusal": "I won't."}


def test_a_refusal_in_a_stream_of_calls_is_raised_at_its_end() -> None:
    pieces = [AIMessageChunk("", additional_kwargs={"refusal": piece}) for piece in ("I ", "won't.")]
    with pytest.raises(RefusalError, match=r"I won't\.$"):
        list(JsonOutputToolsParser().transform(iter(pieces)))
