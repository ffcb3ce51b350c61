"""Characters whose halves come in two payloads: thoughts, arguments, reasoning and summaries have them whole."""

import asyncio
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")


import anthropic_samples as claude
from endings import aread
from google_answers import GEMINI_3, part, payload, stream
from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, WireOptions
from millstream.integrations import langchain as integration
from millstream.providers.payload_joiner import MAX_HELD, PayloadJoiner
from millstream.testing import MockServer, Reply
from ollama_peers import END, line, served
from responses_samples import CALL, REASONING, events_of, stream_body

HIGH, LOW = "\ud83c", "\udf89"
RUN = {"run_id": UUID(int=1)}
# Pieces, and the same in whole characters: a character belongs to the piece that completes it.
PIECES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "joined": (("x" + HIGH, LOW + "y"), ("x", "🎉y")),
    "joined alone": (("x", HIGH, LOW, "y"), ("x", "", "🎉", "y")),
    "joined and held again": (("x" + HIGH, LOW + HIGH, LOW + "y"), ("x", "🎉", "🎉y")),
    "not joined": (("x" + HIGH, "y"), ("x", "\ufffdy")),
    "two first halves": (("x" + HIGH, HIGH, LOW + "y"), ("x", "\ufffd", "🎉y")),
    "no first half": (("x", LOW + "y"), ("x", "\ufffdy")),
    "halves in one piece": (("x" + HIGH + LOW + "y", LOW + "z" + HIGH + "z"), ("x🎉y", "\ufffdz\ufffdz")),
}


def chat_reply(*deltas: Any) -> Reply:
    """Return the stream of chat completions of ``deltas``."""
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices = [*({"index": 0, "delta": delta, "finish_reason": None} for delta in deltas)]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    frames = [f"data: {json.dumps({**frame, 'choices': [choice]})}\n\n".encode() for choice in choices]
    return Reply(body=[*frames, b"data: [DONE]\n\n"], content_type="text/event-stream")


def responses_reply(item: Any, kind: str, *pieces: str) -> Reply:
    """Return the stream of the Responses API with ``pieces`` in place of the deltas of ``kind``."""
    body = []
    place = 0
    for event in events_of(item):
        if event["type"] != kind:
            body.append(event)
        elif not event.get("summary_index"):
            place += 1
            body += [{**event, "delta": piece} for piece in pieces] if place == 1 else []
    return Reply(body=stream_body(body), content_type="text/event-stream")


def calling(*pieces: str) -> list[Any]:
    """Return the payloads of a call of Anthropic's with ``pieces`` in its arguments."""
    return claude.tool_block(0, "f", '{"a": "', *pieces, '"}')


def openai_calls(*pieces: str) -> list[Any]:
    """Return the deltas of a call with ``pieces`` in its arguments."""
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "'}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in (*pieces, '"}')]
    return [{"role": "assistant", "content": None, "tool_calls": [first]}, *({"tool_calls": [one]} for one in rest)]


def escaped(thinking: str) -> bytes:
    """Return a payload of Ollama's with halves of characters."""
    return json.dumps(line("", thinking=thinking)).encode()


REPLIES: dict[str, tuple[str, Callable[..., Reply]]] = {
    "anthropic, thinking": (
        "anthropic",
        lambda *pieces: claude.stream_reply(
            [claude.start(), *claude.thinking_block(0, *pieces), *claude.text_block(1, "t"), *claude.stop()]
        ),
    ),
    "anthropic, arguments": (
        "anthropic",
        lambda *pieces: claude.stream_reply([claude.start(), *calling(*pieces), *claude.stop("tool_use")]),
    ),
    "responses, summary": (
        "responses",
        lambda *pieces: responses_reply(REASONING, "response.reasoning_summary_text.delta", *pieces),
    ),
    "responses, arguments": (
        "responses",
        lambda *pieces: responses_reply(CALL, "response.function_call_arguments.delta", '{"a": "', *pieces, '"}'),
    ),
    "google, thoughts": (
        "google",
        lambda *pieces: stream(
            [*(payload(part(one, thought=True)) for one in pieces), payload(part("t"), finishReason="STOP")]
        ),
    ),
    "google, text with usage": (
        "google",
        lambda *pieces: stream([*(payload(part(one), usage=(1, 2)) for one in pieces), payload(finishReason="STOP")]),
    ),
    "google, text between thoughts": (
        "google",
        lambda *pieces: stream(
            [
                *(payload(part("hm", thought=True), part(one), model=GEMINI_3) for one in pieces),
                payload(finishReason="STOP", model=GEMINI_3),
            ]
        ),
    ),
    "google, parts of one payload": (
        "google",
        lambda *pieces: stream([payload(*map(part, pieces), model=GEMINI_3), payload(finishReason="STOP")]),
    ),
    "ollama, thinking": (
        "ollama",
        lambda *pieces: served(*(json.dumps(line("", thinking=one)).encode() for one in pieces), END),
    ),
    "chat, arguments": ("chat", lambda *pieces: chat_reply(*openai_calls(*pieces))),
    "chat, reasoning": ("chat", lambda *pieces: chat_reply(*({"reasoning_content": one} for one in pieces))),
}
# Without types: these classes' constructors have aliases.
LANGCHAIN: Any = integration
# In these a text that comes later is a block of its own.
SEVERAL = ("google, text between thoughts", "google, parts of one payload")
OURS: dict[str, Callable[[MockServer], Any]] = {
    "anthropic": lambda server: ChatAnthropic(model="claude-haiku-4-5", api_key="k", base_url=server.origin),
    "google": lambda server: ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k", base_url=server.origin),
    "ollama": lambda server: ChatOllama(model="m", base_url=server.origin, reasoning=True),
    "responses": lambda server: ChatOpenAI(model="m", api_key="k", base_url=server.url, use_responses_api=True),
    "chat": lambda server: ChatOpenAI(model="m", api_key="k", base_url=server.url),
}
LANGCHAINS: dict[str, Callable[[MockServer], Any]] = {
    "anthropic": lambda server: LANGCHAIN.ChatAnthropic(model="claude-x", api_key="k", base_url=server.origin),
    "google": lambda server: LANGCHAIN.ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", api_key="k", base_url=server.origin
    ),
    "ollama": lambda server: LANGCHAIN.ChatOllama(model="m", base_url=server.origin, reasoning=True),
    "responses": lambda server: LANGCHAIN.ChatOpenAI(
        model="m", api_key="k", base_url=server.url, use_responses_api=True
    ),
    "chat": lambda server: LANGCHAIN.ChatOpenAI(model="m", api_key="k", base_url=server.url),
}


async def read_records(model: Any, **options: Any) -> bytes:
    return b"".join([data async for data in model.astream_records("p", RUN, **options)])


def wire(model: Any) -> bytes:
    return asyncio.run(read_records(model, wire=WireOptions("ndjson", id="a", created=0)))


def dump(chunks: Sequence[Any]) -> list[Any]:
    return [(chunk.content, chunk.additional_kwargs, getattr(chunk, "tool_call_chunks", None)) for chunk in chunks]


def merge(chunks: list[Any]) -> Any:
    return chunks[0] + chunks[1:] if len(chunks) > 1 else chunks[0]


WAYS: dict[str, Callable[[Any], Any]] = {
    "stream": lambda model: dump(list(model.stream("p", RUN))),
    "astream": lambda model: dump(asyncio.run(aread(model.astream("p", RUN)))),
    "merged": lambda model: dump([merge(list(model.stream("p", RUN)))]),
    "text": lambda model: str(merge(list(model.stream("p", RUN))).text),
    "invoke": lambda model: dump([model.invoke("p", RUN)]),
    "events v2": lambda model: str(asyncio.run(aread(model.astream_events("p", RUN, version="v2")))),
    "events v3": lambda model: list(model.stream_events("p", RUN, version="v3")),
    "records": lambda model: asyncio.run(read_records(model)),
    "records of version 3": lambda model: asyncio.run(read_records(model, version="v3")),
    "wire": wire,
}


def ask(models: Any, name: str, pieces: Sequence[str], way: str) -> Any:
    kind, reply = REPLIES[name]
    with MockServer(reply(*pieces)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return json.loads(json.dumps(WAYS[way](models[kind](server)), default=str))


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("case", PIECES)
@pytest.mark.parametrize("name", REPLIES)
def test_a_character_belongs_to_the_piece_that_completes_it(name: str, case: str) -> None:
    split, whole = PIECES[case]
    for way in WAYS:
        assert ask(OURS, name, split, way) == ask(OURS, name, whole, way), way


@pytest.mark.parametrize("case", ["joined", "joined and held again", "not joined"])
@pytest.mark.parametrize("name", REPLIES)
def test_the_models_of_the_langchain_integration_join_them_too(name: str, case: str) -> None:
    split, whole = PIECES[case]
    for way in ("stream", "merged"):
        found, expected = (ask(LANGCHAINS, name, pieces, way) for pieces in (split, whole))
        assert found == expected, way


@pytest.mark.parametrize("models", [OURS, LANGCHAINS])
@pytest.mark.parametrize("name", [name for name in REPLIES if name not in SEVERAL])
def test_a_first_half_without_the_second_is_not_lost(name: str, models: Any) -> None:
    found, expected = (ask(models, name, pieces, "merged") for pieces in (("x" + HIGH,), ("x", "\ufffd")))
    assert found == expected
    assert "\ufffd" in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize("models", [OURS, LANGCHAINS])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_first_half_at_the_end_of_several_texts_is_not_lost(name: str, models: Any) -> None:
    assert "\ufffd" in ask(models, name, ("x" + HIGH,), "text")


@pytest.mark.parametrize("models", [OURS, LANGCHAINS])
@pytest.mark.parametrize("name", ["anthropic, thinking", "ollama, thinking", "responses, summary", "google, thoughts"])
def test_a_first_half_before_a_broken_connection_is_in_the_last_chunk(name: str, models: Any) -> None:
    kind, reply = REPLIES[name]
    body: Any = reply("x" + HIGH, "MARK").body
    whole = body if isinstance(body, bytes) else b"".join(body)
    cut = whole[: whole.rindex(b"\n", 0, whole.index(b"MARK")) + 1]
    chunks: list[Any] = []
    with MockServer(Reply(body=cut, content_type=reply().content_type)) as server:
        stream = models[kind](server).stream("p")
        with pytest.raises(Exception, match="ended"):
            chunks.extend(stream)
    assert "\ufffd" in str(merge(chunks))


def test_a_whole_answer_has_characters_over_two_parts() -> None:
    answer = payload(*map(part, ("x" + HIGH, LOW + "y", "z" + HIGH)), finishReason="STOP", model=GEMINI_3)
    with MockServer(Reply(body=json.dumps(answer).encode(), content_type="application/json")) as server:
        message: Any = OURS["google"](server).invoke("p")
    assert [block["text"] for block in message.content] == ["x", "🎉y", "z\ufffd"]


def thought(text: str, index: int = 0) -> str:
    return json.dumps({"type": "content_block_delta", "index": index, "delta": {"thinking": text}})


def read_all(joiner: PayloadJoiner, *payloads: str) -> list[tuple[int, str]]:
    """Return the indexes and the thoughts of the payloads."""
    values = [value for payload in payloads for value in joiner.read(payload)]
    return [(value["index"], value["delta"]["thinking"]) for value in [*values, *joiner.finish()] if "delta" in value]


def test_blocks_that_grow_at_the_same_time_hold_back_a_half_each() -> None:
    joiner = PayloadJoiner("anthropic.messages")
    found = read_all(joiner, thought("a" + HIGH, 0), thought("b" + HIGH, 1), thought(LOW, 0), thought(LOW, 1))
    assert found == [(0, "a"), (1, "b"), (0, "🎉"), (1, "🎉")]


def test_the_end_of_a_block_ends_its_wait_alone() -> None:
    end = json.dumps({"type": "content_block_stop", "index": 0})
    found = read_all(
        PayloadJoiner("anthropic.messages"), thought(HIGH, 0), thought(HIGH, 1), end, thought(LOW, 0), thought(LOW, 1)
    )
    assert found == [(0, ""), (1, ""), (0, "\ufffd"), (0, "\ufffd"), (1, "🎉")]


def test_only_so_many_strings_wait() -> None:
    joiner = PayloadJoiner("anthropic.messages")
    found = read_all(joiner, *(thought(HIGH, index) for index in range(MAX_HELD + 2)))
    assert found[-2 - MAX_HELD : -MAX_HELD] == [(MAX_HELD, "\ufffd"), (MAX_HELD + 1, "\ufffd")]
    assert found[-MAX_HELD:] == [(index, "\ufffd") for index in range(MAX_HELD)]


@pytest.mark.parametrize("format", ["anthropic.messages", "openai.responses", "openai.chat", "gemini.generate", "x"])
@pytest.mark.parametrize(
    "value", [None, 5, "z", [], [5], {}, {"delta": 5, "choices": {}}, {"choices": [{"delta": []}]}]
)
def test_payloads_of_another_form_are_read_while_a_half_waits(format: str, value: Any) -> None:
    joiner = PayloadJoiner(format)
    joiner.read(thought(HIGH))
    assert joiner.read(json.dumps([value, HIGH]))[-1] == [value, "\ufffd"]
    assert joiner.read(json.dumps(value))[-1] == value
