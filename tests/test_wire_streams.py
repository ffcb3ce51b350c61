"""``astream_records`` in a wire beside the chunks of ``astream``, written one by one: the same bytes, however made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any, get_args

import pytest

from cases import each, load_wire
from endings import read_all
from langchain_peer import KEY
from millstream import LLM, ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import StreamTruncatedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.providers import stream_decoding
from millstream.runnables import RunnableGenerator, RunnableLambda, RunnableSequence
from millstream.testing.memory import MemoryTransport
from millstream.wires.names import WireName, WireOptions, is_event_wire
from millstream.wires.record_stream import RecordStream, record_chunks
from streams import few_ways

CHAT = load_wire("openai.chat")
COMPLETIONS = load_wire("openai.completions")
WIRES = [name for name in get_args(WireName) if not is_event_wire(name)]

wires = pytest.mark.parametrize("wire", WIRES)


def options(wire: Any) -> WireOptions:
    return WireOptions(wire, id="0", created=1, model="m")


def chat(reads: list[bytes], **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


def completions(reads: list[bytes], **arguments: Any) -> OpenAI:
    return OpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


def read(stream: RecordStream) -> tuple[bytes, str]:
    """Return the bytes of a stream, the record of its error with them, and the error's class."""
    records, error = read_all(stream)
    if error is not None:
        records.append(stream.fail(error))
    return b"".join(records), type(error).__name__


def read_sync(stream: Any) -> tuple[bytes, str]:
    records: list[bytes] = []
    try:
        records += stream
    except Exception as error:
        return b"".join([*records, stream.fail(error)]), type(error).__name__
    return b"".join(records), "NoneType"


class Silent(BaseCallbackHandler):
    """A handler, so that LangChain's way is taken."""


OBSERVED: Any = {"callbacks": [Silent()]}


@wires
@each(CHAT)
def test_a_chat_model_writes_the_bytes_of_its_chunks(half: ModuleType, case: dict[str, Any], wire: Any) -> None:
    body = case["body"]
    for reads in few_ways(body, 97):
        model = chat(reads)
        expected = read(record_chunks(model.astream("p"), options(wire)))
        assert read(model.astream_records("p", wire=options(wire))) == expected
        assert read_sync(model.stream_records("p", wire=options(wire))) == expected


@wires
@each(CHAT)
def test_a_handler_changes_no_byte_of_a_chat_model(half: ModuleType, case: dict[str, Any], wire: Any) -> None:
    model = chat([case["body"]])
    expected = read(model.astream_records("p", wire=options(wire)))
    assert read(model.astream_records("p", OBSERVED, wire=options(wire))) == expected


@wires
@each(COMPLETIONS)
def test_a_handler_changes_no_byte_of_an_llm(half: ModuleType, case: dict[str, Any], wire: Any) -> None:
    model = completions([case["body"]])
    expected = read(model.astream_records("p", wire=options(wire)))
    assert read(model.astream_records("p", OBSERVED, wire=options(wire))) == expected
    assert read_sync(model.stream_records("p", wire=options(wire))) == expected


@wires
@each(CHAT)
def test_a_chain_with_a_parser_writes_the_text_alone(half: ModuleType, case: dict[str, Any], wire: Any) -> None:
    prompt = PromptTemplate.from_template("{x}")
    chain = prompt | chat([case["body"]]) | StrOutputParser()
    expected = read(record_chunks(chain.astream({"x": "p"}), options(wire)))
    assert read(chain.astream_records({"x": "p"}, wire=options(wire))) == expected
    assert read(chain.astream_records({"x": "p"}, OBSERVED, wire=options(wire))) == expected
    unfused = prompt | chat([case["body"]]) | StrOutputParser() | RunnableGenerator(same)
    assert read(unfused.astream_records({"x": "p"}, wire=options(wire))) == expected


async def same(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text


@wires
@each(CHAT)
def test_a_chain_without_a_parser_writes_the_messages(half: ModuleType, case: dict[str, Any], wire: Any) -> None:
    chain = PromptTemplate.from_template("{x}") | chat([case["body"]])
    expected = read(chat([case["body"]]).astream_records("p", wire=options(wire)))
    assert read(chain.astream_records({"x": "p"}, wire=options(wire))) == expected
    assert read_sync(chain.stream_records({"x": "p"}, wire=options(wire))) == expected


CHAINS: dict[str, Callable[[Any], Any]] = {
    "model": lambda model: model,
    "prompt, model": lambda model: PromptTemplate.from_template("{x}") | model,
    "prompt, model, parser": lambda model: PromptTemplate.from_template("{x}") | model | StrOutputParser(),
    "bound": lambda model: model.bind(stop=["x"]),
}


@wires
@pytest.mark.parametrize("chain", CHAINS)
def test_no_object_is_created_for_a_delta(
    half: ModuleType, monkeypatch: pytest.MonkeyPatch, chain: str, wire: Any
) -> None:
    class WireOnly:
        """A decoder that can do nothing else."""

        def __init__(self, format: str, n: int | None) -> None:
            self._decoder = half.StreamDecoder(format, n=n)

        def __getattr__(self, name: str) -> Any:
            return None if name in ("feed", "feed_text", "_feed_parts") else getattr(self._decoder, name)

    def frame(delta: str) -> bytes:
        return b'data: {"choices":[{"index":0,"delta":%b}]}\n\n' % delta.encode()

    tool = frame('{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}')
    reads = [frame('{"content":"a"}'), frame('{"reasoning_content":"b"}'), tool, b"data: [DONE]\n\n"]
    monkeypatch.setattr(stream_decoding, "StreamDecoder", WireOnly)
    input = {"x": "p"} if "prompt" in chain else "p"
    records, error = read_all(CHAINS[chain](chat(reads)).astream_records(input, wire=wire))
    assert error is None
    assert b"a" in b"".join(records)


@wires
def test_a_cut_stream_ends_in_the_record_of_its_error(half: ModuleType, wire: Any) -> None:
    model = chat([b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'])
    stream = model.astream_records("p", wire=wire)
    records, error = read_all(stream)
    assert isinstance(error, StreamTruncatedError)
    assert b"Hel" in b"".join(records)
    assert (b"cut off" in stream.fail(error)) == (wire != "text")


def test_what_precedes_the_first_chunk_is_known(half: ModuleType) -> None:
    model = chat([b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n', b"data: [DONE]\n\n"])
    for wire in get_args(WireName):
        stream = model.astream_records("p", wire=wire)
        records, _ = read_all(stream)
        prefaces = [stream.is_preface(one) for one in records]
        assert prefaces in ([False] * len(records), [True, *[False] * (len(records) - 1)])
        assert prefaces[0] == (wire in ("vercel.ui", "ag-ui", "langchain.v1", "langchain.v2")), wire


class Users(LLM):
    """A model of a user's."""

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return "Hi " + prompt

    @property
    def _llm_type(self) -> str:
        return "users"


@wires
def test_any_runnable_has_records(half: ModuleType, wire: Any) -> None:
    bytes_of_model, _ = read(Users().astream_records("p", wire=options(wire)))
    assert b"Hi p" in bytes_of_model
    function = RunnableLambda(lambda text: "Hi " + text)
    assert read(function.astream_records("p", wire=options(wire)))[0] == bytes_of_model
    assert read_sync(function.stream_records("p", wire=options(wire)))[0] == bytes_of_model


class Loud:
    """Streams of a user's class."""

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        for text in super().stream(input, config, **kwargs):  # type: ignore[misc]
            yield text.upper()

    async def astream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        async for text in super().astream(input, config, **kwargs):  # type: ignore[misc]
            yield text.upper()


class LoudModel(Loud, OpenAI):
    """A model of a user's."""


class LoudChain(Loud, RunnableSequence[Any, Any]):
    """A chain of a user's."""


@wires
def test_the_streams_of_a_users_class_are_written(half: ModuleType, wire: Any) -> None:
    body = b'data: {"choices":[{"index":0,"text":"loud","finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    chain_class: Any = LoudChain
    model: Any = LoudModel(api_key=KEY, http_client=MemoryTransport([body]))
    chain: Any = chain_class(PromptTemplate.from_template("{x}"), completions([body]))
    runs: list[tuple[Any, Any]] = [(model, "p"), (chain, {"x": "p"})]
    for runnable, input in runs:
        for records, error in (
            read(runnable.astream_records(input, wire=wire)),
            read_sync(runnable.stream_records(input, wire=wire)),
        ):
            assert error == "NoneType"
            assert b"LOUD" in records
            assert b"loud" not in records


def test_the_model_is_named(half: ModuleType) -> None:
    records, _ = read(chat([CHAT[0]["body"]], model="gpt-x").astream_records("p", wire="openai.chat"))
    assert b'"model":"gpt-x"' in records
    records, _ = read(RunnableLambda(str.upper).astream_records("p", wire="openai.chat"))
    assert b'"model":"upper"' in records


def test_wrong_wires_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"wire must be one of 'ag-ui', .*, not 'sse'"):
        chat([]).astream_records("p", wire="sse")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="format frames LangChain's wires alone"):
        chat([]).astream_records("p", wire="text", format="ndjson")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_stream_of_events_names_the_wire_of_their_version(half: ModuleType, version: Any) -> None:
    stream, sync = chat([]).astream_records("p", version=version), chat([]).stream_records("p", version=version)
    assert (stream.wire, stream.lean().wire, sync.wire) == (f"langchain.{version}",) * 3


def test_parts_are_handed_out_once(half: ModuleType) -> None:
    stream = chat([CHAT[0]["body"]]).astream_records("p", wire="langchain.v2")
    assert stream._open_parts() is not None
    _, error = read_all(stream)
    assert isinstance(error, RuntimeError)
    assert stream._open_parts() is None


def test_a_stream_that_is_not_read_is_closed_without_a_request(half: ModuleType) -> None:
    async def main() -> None:
        stream = chat([CHAT[0]["body"]]).astream_records("p", wire="langchain.v2")
        await stream.aclose()
        assert [one async for one in stream] == []

    asyncio.run(main())
