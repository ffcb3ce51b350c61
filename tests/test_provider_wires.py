"""The records of each provider's answer: written by the core, and written from the chunks that handlers see."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from millstream import (
    ChatAnthropic,
    ChatGoogleGenerativeAI,
    ChatOllama,
    ChatOpenAI,
    RecordWriter,
    Transcoder,
    WireOptions,
)
from millstream.callbacks import BaseCallbackHandler
from millstream.testing import MockServer, Reply
from millstream.wires.names import WireName
from ollama_peers import END
from openai_served import USER, served

CALLS = [{"name": "f", "args": {"x": 1}, "id": "c1"}, {"name": "g", "args": {}, "id": "c2"}]
TOOL = {"name": "f", "description": "A tool.", "input_schema": {"type": "object", "properties": {}}}
REPLIES = {
    "text": Reply(pieces=["Hel", "lo"]),
    "reasoning": Reply(pieces=["Hel", "lo"], reasoning=("think", "ing")),
    "calls": Reply(pieces=["a"], tool_calls=CALLS),
}
MODELS: dict[str, Callable[[MockServer], Any]] = {
    "anthropic": lambda server: ChatAnthropic(model="claude-haiku-4-5", api_key="k", base_url=server.origin).bind_tools(
        [TOOL]
    ),
    "google": lambda server: ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k", base_url=server.origin),
    "ollama": lambda server: ChatOllama(model="m", base_url=server.origin),
    "ollama, thinking": lambda server: ChatOllama(model="m", base_url=server.origin, reasoning=True),
    "responses": lambda server: ChatOpenAI(model="m", api_key="k", base_url=server.url, use_responses_api=True),
}
WIRES: tuple[WireName, ...] = ("text", "ndjson", "vercel.ui", "ag-ui", "openai.chat", "openai.completions")


class Handler(BaseCallbackHandler):
    """A handler: chunks are made for it."""

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        """Do nothing."""


def records(model: Any, wire: WireName, *, is_observed: bool) -> bytes:
    config = {"callbacks": [Handler()] if is_observed else []}
    options = WireOptions(wire, id="answer", created=0)

    async def main() -> bytes:
        return b"".join([data async for data in model.astream_records("p", config, wire=options)])

    return asyncio.run(main())


def normalize(data: bytes) -> bytes:
    """Return records without ids of calls, numbers of answers, and white space in arguments."""
    data = re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\bc[12]\b", b"ID", data)
    return re.sub(rb"mock\d+", b"mock", data.replace(b'\\": ', b'\\":'))


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("which", MODELS)
def test_records_of_the_core_are_those_of_the_chunks(which: str, kind: str, wire: WireName) -> None:
    with MockServer(REPLIES[kind]) as server:
        model = MODELS[which](server)
        fused, observed = (records(model, wire, is_observed=is_observed) for is_observed in (False, True))
    assert normalize(fused) == normalize(observed)
    assert fused


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("which", MODELS)
def test_records_of_events_are_the_events(which: str, kind: str, version: Any) -> None:
    config: Any = {"run_id": UUID(int=1)}

    async def main(model: Any) -> tuple[bytes, bytes]:
        writer = RecordWriter()
        events = [event async for event in model.astream_events("p", config, version=version)]
        records = [data async for data in model.astream_records("p", config, version=version)]
        return b"".join([*map(writer.write, events), writer.end()]), b"".join(records)

    with MockServer(REPLIES[kind]) as server:
        expected, found = asyncio.run(main(MODELS[which](server)))
    assert normalize(found) == normalize(expected)


@pytest.mark.parametrize("is_observed", [False, True])
def test_two_calls_of_ollama_stay_two_on_a_wire(is_observed: bool) -> None:
    with MockServer(REPLIES["calls"]) as server:
        data = records(MODELS["ollama"](server), "ndjson", is_observed=is_observed)
    calls = [call for line in data.splitlines() for call in json.loads(line).get("tool_calls", ())]
    assert [(call["index"], call["name"]) for call in calls] == [(0, "f"), (1, "g")]


def test_thoughts_that_a_model_drops_are_on_no_wire() -> None:
    with MockServer(REPLIES["reasoning"]) as server:
        assert b"think" not in records(MODELS["ollama"](server), "ndjson", is_observed=False)
        assert b"think" in records(MODELS["ollama, thinking"](server), "ndjson", is_observed=False)


def find_reasons(data: bytes) -> list[str]:
    return re.findall(r'"finish_reason":"(\w+)"', data.decode())


@pytest.mark.parametrize("is_observed", [False, True])
@pytest.mark.parametrize("which", MODELS)
def test_an_answer_that_calls_tools_says_so_to_openais_clients(which: str, is_observed: bool) -> None:
    # Ollama and Gemini end such an answer like any other.
    for kind, reason in (("calls", "tool_calls"), ("text", "stop")):
        with MockServer(REPLIES[kind]) as server:
            assert find_reasons(records(MODELS[which](server), "openai.chat", is_observed=is_observed)) == [reason]


@pytest.mark.parametrize("source", ["ollama.chat", "auto"])
@pytest.mark.parametrize("calls", [[], [{"function": {"name": "f", "arguments": {}}}]])
def test_a_stream_of_ollama_that_calls_tools_says_so_to_openais_clients(source: str, calls: Any) -> None:
    transcoder = Transcoder(source, "openai.chat")
    payloads = [{"message": {"role": "assistant", "content": "a", "tool_calls": calls}, "done": False}, END]
    data = b"".join(transcoder.feed(json.dumps(payload).encode() + b"\n") for payload in payloads)
    assert find_reasons(data + transcoder.close()) == ["tool_calls" if calls else "stop"]
    assert transcoder.decoder.finish_reason == "stop"


@pytest.mark.parametrize("which", MODELS)
def test_openais_api_says_of_any_provider_that_it_calls_tools(which: str) -> None:
    with MockServer(REPLIES["calls"]) as upstream, served({"m": MODELS[which](upstream)}) as sdk:
        whole: Any = sdk.chat.completions.create(model="m", messages=USER).choices[0]
        with sdk.chat.completions.stream(model="m", messages=USER) as events:
            streamed: Any = events.get_final_completion().choices[0]
    for choice in (whole, streamed):
        assert (choice.finish_reason, len(choice.message.tool_calls)) == ("tool_calls", 2)
