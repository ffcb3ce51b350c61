"""Structured output of ``ChatGoogleGenerativeAI``, beside langchain-google-genai's over the same bytes."""

import warnings
from typing import Any

import pytest
from typing_extensions import TypedDict

from endings import aread
from google_answers import END, call, part, payload, stream
from google_peer import our_model, plain, quiet, read_async, their_model, whole
from millstream.errors import ContentFilterError, OutputParserException, TruncatedOutputError
from millstream.testing import MockServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel


class Joke(BaseModel):
    """A joke."""

    setup: str
    rating: int = 0


class JokeDict(TypedDict):
    """A joke."""

    setup: str


SCHEMA = {"title": "Joke", "type": "object", "properties": {"setup": {"type": "string"}}}
BY_TEXT = [payload(part('{"setup": "w')), payload(part('hy", "rating"')), payload(part(": 7}"), **END)]
BY_CALL = [payload(call("Joke", {"setup": "why", "rating": 7.0}, id="c1"), **END)]
BY_DICT = [payload(call("JokeDict", {"setup": "why"}, id="c1"), **END)]
CASES: list[tuple[Any, str, list[Any]]] = [
    *((schema, method, BY_TEXT) for schema in (Joke, JokeDict, SCHEMA) for method in ("json_schema", "json_mode")),
    *((schema, "function_calling", BY_CALL) for schema in (Joke, SCHEMA)),
    (JokeDict, "function_calling", BY_DICT),
]


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize(("schema", "method", "payloads"), CASES)
def test_an_answer_is_parsed_as_langchain_parses_it(
    schema: Any, method: Any, payloads: list[Any], include_raw: bool
) -> None:
    parts = [item["candidates"][0]["content"]["parts"][0] for item in payloads]
    text = "".join(item.get("text", "") for item in parts)
    document = payload(part(text) if text else parts[0], **END)
    with MockServer(whole(document)) as server, quiet():
        options = {"method": method, "include_raw": include_raw}
        theirs = their_model(server).with_structured_output(schema, **options).invoke("hi")
        ours = our_model(server).with_structured_output(schema, **options)
        assert _plain(ours.invoke("hi")) == _plain(theirs)
        assert _plain(read_async(our_model(server), lambda _: ours.ainvoke("hi"))) == _plain(theirs)


@pytest.mark.parametrize(("schema", "method", "payloads"), CASES)
def test_a_stream_ends_with_the_object_of_langchain(schema: Any, method: Any, payloads: list[Any]) -> None:
    with MockServer(stream(payloads)) as server, quiet():
        *_, theirs = their_model(server).with_structured_output(schema, method=method).stream("hi")
        ours = our_model(server).with_structured_output(schema, method=method)
        outputs = list(ours.stream("hi"))
        assert outputs[-1] == theirs
        assert read_async(our_model(server), lambda _: aread(ours.astream("hi"))) == outputs


def test_a_stream_yields_the_object_as_it_grows() -> None:
    with MockServer(stream(BY_TEXT)) as server:
        outputs = list(our_model(server).with_structured_output(SCHEMA).stream("hi"))
    assert outputs == [{"setup": "w"}, {"setup": "why"}, {"setup": "why", "rating": 7}]


@pytest.mark.parametrize(
    ("payloads", "error"),
    [
        ([payload(part('{"setup": "w')), payload(finishReason="MAX_TOKENS")], TruncatedOutputError),
        ([payload(part('{"setup": "w')), payload(finishReason="SAFETY")], ContentFilterError),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], ContentFilterError),
        ([payload(part('{"other": 1}'), **END)], OutputParserException),
    ],
)
def test_an_answer_that_does_not_fit_says_why(payloads: list[Any], error: type[Exception]) -> None:
    with MockServer(stream(payloads)) as server, quiet(), pytest.raises(error):
        list(our_model(server).with_structured_output(Joke).stream("hi"))
    document = payloads[-1] if "candidates" not in payloads[-1] else {**payloads[0], **payloads[-1]}
    if len(payloads) == 2:
        (first,), (last,) = (item["candidates"] for item in payloads)
        document = {**document, "candidates": [{**first, **last}]}
    with MockServer(whole(document)) as server, quiet(), pytest.raises(error):
        our_model(server).with_structured_output(Joke).invoke("hi")


def test_arguments_that_are_unknown_are_refused() -> None:
    with MockServer(whole()) as server:
        with pytest.raises(ValueError, match="Received unsupported arguments"):
            our_model(server).with_structured_output(Joke, foo=1)
        with pytest.raises(ValueError, match="method must be one of"):
            our_model(server).with_structured_output(Joke, method="no")  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="Unsupported schema type"):
            our_model(server).with_structured_output(5)  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "raw" in value:
        return {**value, "raw": plain(value["raw"])}
    return value
