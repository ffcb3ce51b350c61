"""Checks at the end of structured output: cut off, filtered, refused, invalid; complete answers and streams."""

import asyncio
import json
import pickle
import warnings
from typing import Any, TypedDict

import pytest

from endings import read_all
from langchain_peer import KEY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel, RootModel, ValidationError

from millstream import ChatOpenAI
from millstream.errors import ContentFilterError, MillstreamError, RefusalError, TruncatedOutputError
from millstream.exceptions import OutputParserException
from millstream.language_models.schemas import SchemaMethod
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import JsonOutputParser
from millstream.output_parsers.openai_tools import JsonOutputToolsParser, PydanticToolsParser
from millstream.output_parsers.pydantic import PydanticOutputParser
from millstream.output_parsers.structured import StructuredOutput
from millstream.prompts import ChatPromptTemplate
from millstream.testing.memory import MemoryTransport


class Order(BaseModel):
    """An order."""

    item: str
    quantity: int = 1


class OrderDict(TypedDict):
    """An order."""

    item: str
    quantity: int


SCHEMA = {"title": "Order", "type": "object", "properties": {"item": {"type": "string"}}}
WAYS: list[tuple[Any, str]] = [
    (Order, "json_schema"),
    (Order, "function_calling"),
    (Order, "json_mode"),
    (OrderDict, "json_schema"),
    (OrderDict, "function_calling"),
    (SCHEMA, "json_schema"),
    (SCHEMA, "function_calling"),
    (SCHEMA, "json_mode"),
    (None, "json_mode"),
]
ways = pytest.mark.parametrize(
    ("schema", "method"), WAYS, ids=lambda value: getattr(value, "__name__", str(value))[:16]
)
BEGUN = '{"item": "nuts", "quantity": 1'
ENDS = [("length", TruncatedOutputError), ("content_filter", ContentFilterError)]
ends = pytest.mark.parametrize(("reason", "error"), ENDS, ids=["length", "content_filter"])


def by_tool(method: SchemaMethod) -> bool:
    return method == "function_calling"


def tool_name(schema: Any) -> str:
    return "OrderDict" if schema is OrderDict else "Order"


def frame(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


def wire(schema: Any, method: SchemaMethod, text: str, reason: str, *, prose: bool = False) -> dict[bool, list[bytes]]:
    """Return the answer ``text``, streamed and complete."""
    pieces = [text[:4], text[4:12], text[12:]]
    if by_tool(method) and not prose:
        function = {"name": tool_name(schema), "arguments": ""}
        deltas: list[Any] = [{"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]}]
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
        call = {"id": "c", "type": "function", "function": {**function, "arguments": text}}
        message: Any = {"role": "assistant", "content": None, "tool_calls": [call]}
    else:
        deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
        message = {"role": "assistant", "content": text}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    frames = [*map(frame, deltas), frame({}, reason), b"data: [DONE]\n\n"]
    return {True: frames, False: [json.dumps(body).encode()]}


def model(answer: list[bytes]) -> ChatOpenAI:
    return ChatOpenAI(api_key=KEY, http_client=MemoryTransport(answer), model="gpt-4o")


def build_structured(answer: list[bytes], schema: Any, method: SchemaMethod, **options: Any) -> Any:
    return model(answer).with_structured_output(schema, method=method, **options)


def error_of(call: Any) -> BaseException | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def list_outcomes(answers: dict[bool, list[bytes]], schema: Any, method: SchemaMethod) -> list[BaseException | None]:
    """Return the outcome of each method: invoke, ainvoke, batch, a chain, and then the streams."""
    whole, streamed = answers[False], answers[True]
    step = build_structured(whole, schema, method)
    chain = ChatPromptTemplate([("human", "{input}")]) | build_structured(whole, schema, method)
    streaming = ChatPromptTemplate([("human", "{input}")]) | build_structured(streamed, schema, method)
    return [
        error_of(lambda: step.invoke("p")),
        error_of(lambda: asyncio.run(step.ainvoke("p"))),
        step.batch(["p"], return_exceptions=True)[0] if error_of(lambda: step.batch(["p"])) else None,
        error_of(lambda: chain.invoke("p")),
        read_all(build_structured(streamed, schema, method).stream("p"))[1],
        read_all(build_structured(streamed, schema, method).astream("p"))[1],
        read_all(streaming.stream("p"))[1],
        read_all(streaming.astream("p"))[1],
        read_all(build_structured(streamed, schema, method).astream_events("p"))[1],
    ]


@ends
@pytest.mark.parametrize("text", [BEGUN, BEGUN + "}", '{"it'], ids=["begun", "whole", "not yet valid"])
@ways
def test_an_answer_that_was_cut_off_or_filtered_raises(
    schema: Any, method: SchemaMethod, text: str, reason: str, error: type[Exception]
) -> None:
    for found in list_outcomes(wire(schema, method, text, reason), schema, method):
        assert type(found) is error
        assert isinstance(found, OutputParserException | MillstreamError)
        assert found.text == found.llm_output == text  # type: ignore[attr-defined]
        assert reason in str(found)


@ends
@ways
def test_partial_outputs_are_yielded_before_the_error(
    schema: Any, method: SchemaMethod, reason: str, error: type[Exception]
) -> None:
    answer = wire(schema, method, BEGUN, reason)[True]
    for stream in (
        build_structured(answer, schema, method).stream("p"),
        build_structured(answer, schema, method).astream("p"),
    ):
        outputs, found = read_all(stream)
        assert type(found) is error
        assert outputs[-1] == (Order(item="nuts", quantity=1) if schema is Order else json.loads(BEGUN + "}"))


@ends
@ways
def test_with_include_raw_the_error_is_the_parsing_error(
    schema: Any, method: SchemaMethod, reason: str, error: type[Exception]
) -> None:
    answers = wire(schema, method, BEGUN, reason)
    output = build_structured(answers[False], schema, method, include_raw=True).invoke("p")
    assert (output["parsed"], type(output["parsing_error"])) == (None, error)
    assert output["raw"].response_metadata["finish_reason"] == reason
    outputs, found = read_all(build_structured(answers[True], schema, method, include_raw=True).stream("p"))
    assert (found, outputs[-1]["parsed"], type(outputs[-1]["parsing_error"])) == (None, None, error)


@pytest.mark.parametrize("text", ["Sure, here it is.", "", '{"quantity": "many"}', "[1, 2", '{"item": "a"', '{"a": 1]'])
@pytest.mark.parametrize("prose", [False, True], ids=["as asked", "as a text"])
@ways
def test_a_stream_ends_as_invoke_does(schema: Any, method: SchemaMethod, text: str, prose: bool) -> None:
    answers = wire(schema, method, text, "stop", prose=prose)
    expected, *others = list_outcomes(answers, schema, method)
    for found in others:
        assert (type(found), str(found)) == (type(expected), str(expected))
    if not (by_tool(method) and (prose or not text)) and not (schema is not Order and text.endswith('"}')):
        assert isinstance(expected, OutputParserException | ValidationError)


@ways
def test_an_answer_with_incomplete_json_is_cut_off(schema: Any, method: SchemaMethod) -> None:
    for found in list_outcomes(wire(schema, method, BEGUN, "stop"), schema, method):
        assert type(found) is TruncatedOutputError
        assert (str(found), found.text) == ("the answer ended before its JSON did", BEGUN)


@ways
def test_a_refusal_raises_with_every_method(schema: Any, method: SchemaMethod) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I won't."}
    whole = [json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()]
    frames = [frame({"refusal": "I "}), frame({"refusal": "won't."}, "stop"), b"data: [DONE]\n\n"]
    for found in list_outcomes({True: frames, False: whole}, schema, method):
        assert (type(found), str(found)) == (RefusalError, "I won't.")


def test_an_output_known_only_at_the_end_is_yielded_then() -> None:
    step = StructuredOutput(PydanticOutputParser(pydantic_object=RootModel[None]))
    assert step.invoke(AIMessage("null")) == RootModel[None](None)
    assert list(step.transform(iter([AIMessageChunk("nu"), AIMessageChunk("ll")]))) == [RootModel[None](None)]


def test_the_text_of_a_streamed_call_is_the_received_text() -> None:
    frames = wire(Order, "function_calling", '{"item":"nuts"}', "length")[True]
    _, error = read_all(build_structured(frames, Order, "function_calling").stream("p"))
    assert (type(error), error.text) == (TruncatedOutputError, '{"item":"nuts"}')  # type: ignore[union-attr]


def test_parsers_alone_do_not_check_the_end() -> None:
    message = AIMessage(BEGUN, response_metadata={"finish_reason": "length"})
    assert JsonOutputParser().invoke(message) == {"item": "nuts", "quantity": 1}
    chunk = AIMessageChunk(BEGUN, response_metadata={"finish_reason": "length"})
    assert list(JsonOutputParser().transform(iter([chunk])))[-1] == {"item": "nuts", "quantity": 1}


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "max_tokens", "model_length"])
@pytest.mark.parametrize("name", ["finish_reason", "stop_reason", "done_reason"])
def test_the_finish_reasons_of_every_provider_are_known(name: str, reason: str) -> None:
    message = AIMessage(BEGUN + "}", response_metadata={name: reason})
    with pytest.raises(TruncatedOutputError):
        StructuredOutput(JsonOutputParser()).invoke(message)
    with pytest.raises(ContentFilterError):
        StructuredOutput(JsonOutputParser()).invoke(AIMessage("{}", response_metadata={name: "SAFETY"}))


def test_the_step_has_the_name_and_the_attributes_of_its_parser() -> None:
    step = build_structured([], Order, "function_calling").steps[-1]
    assert (step.get_name(), repr(step), step.tools) == ("PydanticToolsParser", repr(step.parser), [Order])
    assert isinstance(step.parser, PydanticToolsParser | JsonOutputToolsParser)
    with pytest.raises(AttributeError):
        step.nothing  # noqa: B018
    assert pickle.loads(pickle.dumps(StructuredOutput(JsonOutputParser()))).parser.diff is False


@pytest.mark.parametrize("error_class", [TruncatedOutputError, ContentFilterError])
def test_the_errors_can_be_pickled(error_class: type[Any]) -> None:
    error = pickle.loads(pickle.dumps(error_class("why", "text")))
    assert (type(error), str(error), error.text, error.llm_output) == (error_class, "why", "text", "text")
