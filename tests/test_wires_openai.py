"""The OpenAI SDK reads the wires of its names: plain streams, its stream helpers, and its models of each event."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import openai
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from cases import Case
from millstream.testing import MockServer, Reply
from wire_answers import ANSWERS, Meaning, make_writer, play, whole

CASES = [case for case in ANSWERS if not case.get("options", {}).get("all_choices")]
WHOLE = [case for case in CASES if Meaning(case).error is None]
FAILED = [case for case in CASES if Meaning(case).error is not None]
ClientOf = Callable[[bytes], AbstractContextManager[openai.OpenAI]]
REQUEST: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture(scope="module")
def client_of() -> Iterator[ClientOf]:
    """Return a function that returns a client of a server that answers with bytes.

    All clients share the connections of one, since each new one reads the system's certificates.
    """
    with openai.OpenAI(api_key="k", base_url="http://unused", max_retries=0) as shared:

        @contextmanager
        def client_of(body: bytes) -> Iterator[openai.OpenAI]:
            with MockServer(Reply(body=body)) as server:
                yield shared.with_options(base_url=server.url)

        yield client_of


def documents(body: bytes) -> list[Any]:
    """Return the data of the events, without the end mark."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def check_calls(found: list[list[str]], meant: Meaning) -> None:
    """Check that tool calls are those that were meant; one without an id got one."""
    assert len({id for id, _, _ in found}) == len(found)
    expected = [
        [known or id, name, whole(args)] for (id, _, _), (known, name, args) in zip(found, meant.calls, strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("wire", ["openai.chat", "openai.completions", "openai.responses"])
@pytest.mark.parametrize("case", FAILED, ids=[case["name"] for case in FAILED])
def test_an_error_is_raised_by_the_sdk(impl: ModuleType, client_of: ClientOf, wire: str, case: Case) -> None:
    def read() -> None:
        if wire == "openai.chat":
            list(client.chat.completions.create(stream=True, **REQUEST))
        elif wire == "openai.completions":
            list(client.completions.create(model="m", prompt="x", stream=True))
        else:
            list(client.responses.create(model="m", input="x", stream=True))

    with client_of(b"".join(play(impl, wire, case))) as client, pytest.raises(openai.APIError, match=r"\.$") as caught:
        read()
    assert caught.value.message == Meaning(case).error


@pytest.mark.parametrize("case", WHOLE, ids=[case["name"] for case in WHOLE])
def test_the_chat_helper_adds_the_answer_up(impl: ModuleType, client_of: ClientOf, case: Case) -> None:
    meant = Meaning(case)
    body = b"".join(play(impl, "openai.chat", case))
    with client_of(body) as client, client.chat.completions.stream(**REQUEST) as stream:
        kinds = [event.type for event in stream]
        if meant.finish_reason in ("length", "content_filter"):
            with pytest.raises((openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError)):
                stream.get_final_completion()
            return
        final = stream.get_final_completion()
    (choice,) = final.choices
    message: Any = choice.message
    assert (message.content or "", message.refusal or "") == (whole(meant.text), meant.refusal)
    assert (getattr(message, "reasoning_content", None) or "") == meant.reasoning
    check_calls([[call.id, call.function.name, call.function.arguments] for call in message.tool_calls or ()], meant)
    assert choice.finish_reason == meant.finish_reason
    assert [note.url_citation.url for note in message.annotations or ()] == meant.sources
    assert (final.id, final.created) == ("chatcmpl-a1", 1700000000)
    assert final.model == case.get("options", {}).get("model", "m")
    assert ("content.delta" in kinds) == bool(meant.text)


@pytest.mark.parametrize("case", WHOLE, ids=[case["name"] for case in WHOLE])
def test_a_plain_stream_of_completions_is_read(impl: ModuleType, client_of: ClientOf, case: Case) -> None:
    meant = Meaning(case)
    with client_of(b"".join(play(impl, "openai.completions", case))) as client:
        chunks: list[Completion] = list(client.completions.create(model="m", prompt="x", stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in choices) == whole(meant.text + meant.refusal)
    reasons: list[Any] = [choice.finish_reason for choice in choices]
    assert [reason for reason in reasons if reason] == [meant.finish_reason]
    assert [chunk.choices for chunk in chunks if chunk.usage] in ([], [[]])


@pytest.mark.parametrize("case", WHOLE, ids=[case["name"] for case in WHOLE])
def test_the_responses_helper_adds_the_answer_up(impl: ModuleType, client_of: ClientOf, case: Case) -> None:
    meant = Meaning(case)
    body = b"".join(play(impl, "openai.responses", case))
    with client_of(body) as client, client.responses.stream(model="m", input="x") as stream:
        events: list[Any] = list(stream)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == whole(meant.text)
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(meant.finish_reason or "")
    response = events[-1].response
    assert events[-1].type == f"response.{response.status}" == f"response.{'incomplete' if reason else 'completed'}"
    assert (response.incomplete_details and response.incomplete_details.reason) == reason
    assert response.output_text == whole(meant.text)
    by_type: dict[str, list[Any]] = {"function_call": [], "function_call_output": [], "message": [], "reasoning": []}
    for item in response.output:
        by_type[item.type].append(item)
    check_calls([[item.call_id, item.name, item.arguments] for item in by_type["function_call"]], meant)
    assert [(item.call_id, item.output) for item in by_type["function_call_output"]] == meant.results
    parts = [part for item in by_type["message"] for part in item.content]
    assert "".join(part.refusal for part in parts if part.type == "refusal") == meant.refusal
    assert [note.url for part in parts if part.type == "output_text" for note in part.annotations] == meant.sources
    assert "".join(part.text for item in by_type["reasoning"] for part in item.summary) == meant.reasoning


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_record_is_one_that_the_models_of_the_sdk_accept(impl: ModuleType, case: Case) -> None:
    for document in documents(b"".join(play(impl, "openai.chat", case))):
        if "error" not in document and not any(c["finish_reason"] == "eos_token" for c in document["choices"]):
            ChatCompletionChunk.model_validate(document)
    body = b"".join(play(impl, "openai.responses", case))
    events = documents(body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    names = [line.removeprefix(b"event: ").decode() for line in body.split(b"\n") if line.startswith(b"event: ")]
    assert names == [event["type"] for event in events]
    for event in events:
        if event["type"] == "response.failed":
            # The SDK knows the codes of OpenAI's own errors alone.
            event["response"]["error"]["code"] = "server_error"
        if event["type"] != "error":
            EVENTS.validate_python(event)


def test_every_item_and_every_part_that_begins_ends(impl: ModuleType) -> None:
    for case in WHOLE:
        events = documents(b"".join(play(impl, "openai.responses", case)))
        for begin, end in (("output_item.added", "output_item.done"), ("content_part.added", "content_part.done")):
            begun = [event["output_index"] for event in events if event["type"] == f"response.{begin}"]
            ended = [event["output_index"] for event in events if event["type"] == f"response.{end}"]
            assert sorted(begun) == sorted(ended), case["name"]


def test_a_text_is_sent_with_nothing_that_no_client_reads(impl: ModuleType) -> None:
    writer = make_writer(impl, "openai.chat")
    writer.write_text("a")
    (document,) = documents(writer.write_text("Hi"))
    assert set(document) == {"id", "object", "created", "model", "choices"}
    assert document["choices"] == [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]
