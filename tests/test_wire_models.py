"""The name of the model on OpenAI's wires: of records that are made from chunks, as of those that the core makes."""

import asyncio
import re
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk as LangChainChunk

from endings import read_all
from millstream import ChatAnthropic, ChatOllama, ChatOpenAI, OpenAI
from millstream.messages import AIMessageChunk
from millstream.testing import MockServer, Reply
from millstream.wires.names import WireOptions
from millstream.wires.record_stream import record_chunks, record_sync_chunks

WIRES = ["openai.chat", "openai.completions", "openai.responses"]
MODELS: dict[str, Any] = {
    "openai.chat": lambda server: ChatOpenAI(base_url=server.url, api_key="k", model="m", stream_usage=True),
    "openai.responses": lambda server: ChatOpenAI(base_url=server.url, api_key="k", model="m", use_responses_api=True),
    "openai.completions": lambda server: OpenAI(base_url=server.url, api_key="k", model="m"),
    "anthropic.messages": lambda server: ChatAnthropic(base_url=server.origin, api_key="k", model="m"),
    "ollama.chat": lambda server: ChatOllama(base_url=server.origin, model="m"),
}

wires = pytest.mark.parametrize("wire", WIRES)


def options(wire: Any) -> WireOptions:
    return WireOptions(wire, id="0", created=1)


def names_of(body: bytes) -> set[bytes]:
    return set(re.findall(rb'"model":"([^"]*)"', body))


@wires
@pytest.mark.parametrize("name", MODELS)
def test_a_models_chunks_become_the_records_that_the_core_makes(half: ModuleType, name: str, wire: Any) -> None:
    with MockServer(Reply(pieces=("Hel", "lo"))) as server:
        model = MODELS[name](server)
        expected = b"".join(model.stream_records("p", wire=options(wire)))
        assert names_of(expected) == {b"m"}
        assert b"".join(record_sync_chunks(model.stream("p"), options(wire))) == expected
        records, error = read_all(record_chunks(model.astream("p"), options(wire)))
        assert (b"".join(records), error) == (expected, None)


FIRST: dict[str, Any] = {
    "message": AIMessageChunk(content="", response_metadata={"model_name": "m"}),
    "message of Ollama": AIMessageChunk(content="", response_metadata={"model": "m"}),
    "message of LangChain": LangChainChunk(content="", response_metadata={"model_name": "m"}),
    "message of a graph": (LangChainChunk(content=""), {"ls_model_name": "m"}),
    "mode of a graph": ("messages", (LangChainChunk(content=""), {"ls_model_name": "m"})),
}


@wires
@pytest.mark.parametrize("first", FIRST)
def test_the_first_chunk_may_name_the_model(half: ModuleType, first: str, wire: Any) -> None:
    chunks = [FIRST[first], AIMessageChunk(content="a"), AIMessageChunk(content="b")]
    assert names_of(b"".join(record_sync_chunks(chunks, options(wire)))) == {b"m"}
    given = WireOptions(wire, model="given")
    assert names_of(b"".join(record_sync_chunks(chunks, given))) == {b"given"}


@wires
def test_all_records_show_the_name_that_the_first_did(half: ModuleType, wire: Any) -> None:
    late = AIMessageChunk(content="b", response_metadata={"model_name": "m", "finish_reason": "stop"})
    assert names_of(b"".join(record_sync_chunks([AIMessageChunk(content="a"), late], options(wire)))) == {b""}


@wires
def test_a_name_that_is_no_text_is_none(half: ModuleType, wire: Any) -> None:
    odd = AIMessageChunk(content="a", response_metadata={"model_name": None, "model": 3})
    assert names_of(b"".join(record_sync_chunks([odd], options(wire)))) == {b""}


@wires
def test_the_cores_writer_is_named_once(impl: ModuleType, wire: Any) -> None:
    for model, expected in (("", b"m"), ("given", b"given")):
        writer = impl.WireWriter(wire, "0", 1, model=model)
        writer._name_model("m")
        writer._name_model("n")
        assert names_of(writer.write_text("a") + writer.close()) == {expected}
    with pytest.raises(TypeError):
        writer._name_model(3)


def test_a_chain_without_a_model_shows_no_name() -> None:
    async def chunks() -> Any:
        yield "a"

    async def main() -> bytes:
        return b"".join([record async for record in record_chunks(chunks(), options("openai.chat"))])

    assert names_of(asyncio.run(main())) == {b""}
