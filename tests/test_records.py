"""``astream_records`` beside ``RecordWriter`` over ``astream_events``: the same bytes, however they are made."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import each, load_wire
from endings import read_all
from langchain_peer import KEY
from millstream import LLM, OpenAI, RecordWriter
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import ProviderError, StreamError, StreamStalledError, StreamTruncatedError
from millstream.outputs import GenerationChunk
from millstream.providers import stream_decoding
from millstream.runnables import Runnable
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply, Stall
from millstream.testing.memory import MemoryTransport
from strategies import CUTS, JUNK, STRINGS
from streams import Halves, cut, described, few_ways

WIRE = load_wire("openai.completions")
ENDS = [b"", b"data: [DONE]\n\n", b"data: [DONE]", b"data: {bad}\n\n", b'data: {"error":"no"}\n\n']

RUN: Any = {"run_id": UUID(int=7)}
Format = Literal["sse", "ndjson"]
WAYS: list[tuple[str, Format]] = [("v1", "sse"), ("v2", "sse"), ("v1", "ndjson"), ("v2", "ndjson")]
ways = pytest.mark.parametrize(("version", "format_"), WAYS, ids=map("-".join, WAYS))


def model(reads: list[bytes], **arguments: Any) -> OpenAI:
    return OpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


def expected_of(subject: Any, format_: Format, *args: Any, **called: Any) -> tuple[bytes, Any]:
    """Return the records of the events, and the error that ended them."""
    writer = RecordWriter(format=format_)
    events, error = read_all(subject.astream_events(*args, **called))
    records = b"".join(map(writer.write, events))
    return (records + writer.end(), None) if error is None else (records, described(error))


def check_model(subject: Any, version: str, format_: Format, config: Any = RUN, **called: Any) -> list[bytes]:
    """Check the records of a run against its events, and return them as they came."""
    expected = expected_of(subject, format_, "p", config, version=version, **called)
    records, error = read_all(subject.astream_records("p", config, version=version, format=format_, **called))
    assert (b"".join(records), error and described(error)) == expected
    assert b"" not in records
    return records


@ways
@each(WIRE)
def test_every_vector_makes_the_records_of_its_events(
    half: ModuleType, case: dict[str, Any], version: str, format_: Format
) -> None:
    body = case["body"]
    for reads in few_ways(body, 97):
        records = check_model(model(reads), version, format_)
        assert len(records) <= len(reads) + 2


CHOICES = st.fixed_dictionaries(
    {"text": STRINGS | st.sampled_from(["\u2028", '"\\\x7f', "\u2029\x85"])},
    optional={"index": st.integers(0, 1), "finish_reason": st.sampled_from([None, "stop", "length"]), "logprobs": JUNK},
)


@given(
    choices=st.lists(st.lists(CHOICES, max_size=2), max_size=6),
    end=st.sampled_from(ENDS),
    cuts=CUTS,
    config=st.fixed_dictionaries({}, optional={"tags": st.lists(STRINGS, max_size=2), "metadata": st.just({})}),
    way=st.sampled_from(WAYS),
    arguments=st.sampled_from([{}, {"logprobs": 1}, {"stream_usage": True}]),
    native=st.booleans(),
)
def test_any_stream_makes_the_records_of_its_events(
    halves: Halves,
    choices: list[list[Any]],
    end: bytes,
    cuts: list[int],
    config: Any,
    way: tuple[str, Format],
    arguments: Any,
    native: bool,
) -> None:
    frames = [b"data: " + json.dumps({"choices": listed, "usage": {"n": 1}}).encode() + b"\n\n" for listed in choices]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_decoding, "StreamDecoder", (halves.rust if native else halves.python).StreamDecoder)
        check_model(model(cut(b"".join(frames) + end, cuts), **arguments), *way, {**RUN, **config})


@ways
@given(names=STRINGS, metadata=st.dictionaries(st.text(max_size=3) | st.integers(), JUNK | st.just(2**70), max_size=3))
def test_whatever_a_run_is_called_its_records_are_those_of_its_events(
    version: str, format_: Format, names: str, metadata: Any
) -> None:
    reads = [case["body"] for case in WIRE[:1]]
    named = model(reads, name=names or None, tags=[names, '"'], metadata={"m": [{"data": {"chunk": names}}]})
    check_model(named, version, format_, {**RUN, "metadata": metadata, "tags": ['{"chunk":""}', "\u2028"]})


FILTERS: list[dict[str, list[str]]] = [
    {"include_names": ["OpenAI"]},
    {"include_names": ["other"]},
    {"include_names": []},
    {"include_types": ["llm"], "exclude_names": ["other"]},
    {"include_tags": ["t"], "exclude_types": ["chain"]},
    {"exclude_types": ["llm"]},
    {"exclude_tags": ["t"]},
    {"exclude_names": ["OpenAI"]},
]


@ways
@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_filters_leave_out_the_same_records(version: str, format_: Format, filters: dict[str, list[str]]) -> None:
    reads = [WIRE[0]["body"]]
    records = check_model(model(reads), version, format_, {**RUN, "tags": ["t"]}, **filters)
    if filters in ({"include_names": ["other"]}, {"exclude_tags": ["t"]}):
        assert b"".join(records) == RecordWriter(format=format_).end()


def test_no_text_and_no_delta_is_made(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class RecordsOnly:
        """A decoder that can do nothing else."""

        def __init__(self, format: str, n: int | None) -> None:
            self._decoder = impl.StreamDecoder(format, n=n)

        def __getattr__(self, name: str) -> Any:
            return None if name in ("feed", "feed_text", "close", "close_text") else getattr(self._decoder, name)

    frames = [b'data: {"choices":[{"index":0,"text":"a"}]}\n\n'] * 10
    monkeypatch.setattr(stream_decoding, "StreamDecoder", RecordsOnly)
    records, error = read_all(model([*frames[:9], b"".join(frames), b"data: [DONE]\n\n"]).astream_records("p"))
    assert error is None
    # The start, one for each read that brings text, and the end.
    assert [record.count(b"event: data\n") for record in records] == [1, *[1] * 9, 10, 1]


@ways
def test_log_probabilities_and_usage_stand_in_the_end(half: ModuleType, version: str, format_: Format) -> None:
    choice = {"index": 0, "text": "a", "logprobs": {"tokens": ["a"]}, "finish_reason": "stop"}
    frames = [{"choices": [choice]}, {"choices": [], "usage": {"total_tokens": 2**70}}]
    reads = [b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames] + [b"data: [DONE]\n\n"]
    records = b"".join(check_model(model(reads, logprobs=1), version, format_))
    if version == "v2":
        assert b'"generation_info":{"finish_reason":"stop","logprobs":{"tokens":["a"]}}' in records
        assert b'"llm_output":{"token_usage":{"total_tokens":1180591620717411303424}}' in records


@ways
def test_handlers_hear_every_chunk_of_a_run_in_records(half: ModuleType, version: str, format_: Format) -> None:
    tokens: list[str] = []

    class Listener(BaseCallbackHandler):
        def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
            tokens.append(token)

    check_model(model([WIRE[0]["body"]]), version, format_, {**RUN, "callbacks": [Listener()]})
    # Once for the events, once for the records.
    assert tokens == ["Once", " upon", ""] * 2


# Other Runnables.


class Whole(LLM):
    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return f"{prompt} \u2028 {stop} \ud83d"

    @property
    def _llm_type(self) -> str:
        return "whole"


class Chunked(Whole):
    async def _astream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        for piece in ("", *prompt, "\ud83d"):
            yield GenerationChunk(piece, {"count": [piece]})


class Broken(Whole):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield GenerationChunk("a")
        raise RuntimeError("broken")


class Retold(Chunked):
    def astream_events(self, *args: Any, **kwargs: Any) -> Any:
        assert kwargs.keys() <= {"version", "include_names", "stop"}

        async def retold() -> AsyncGenerator[Any, None]:
            async for event in super(Retold, self).astream_events(*args, **kwargs):
                yield {**event, "retold": True}

        return retold()


class Echo(Runnable[str, str]):
    def invoke(self, input: str, config: Any = None, **kwargs: Any) -> str:
        return input

    async def astream_events(  # type: ignore[override]
        self, input: str, config: Any = None, *, version: str
    ) -> AsyncIterator[Any]:
        yield {"event": "on_chain_stream", "data": {"chunk": input}, "version": version}


@ways
@pytest.mark.parametrize("kind", [Whole, Chunked, Broken, Retold])
@pytest.mark.parametrize("called", [{}, {"stop": ["s"]}, {"include_names": ["other"]}], ids=str)
def test_users_models_have_records_too(kind: type[LLM], called: Any, version: str, format_: Format) -> None:
    check_model(kind(), version, format_, **called)


@ways
def test_any_runnable_with_events_has_records(version: str, format_: Format) -> None:
    check_model(Echo(), version, format_)


@ways
def test_the_records_of_a_bound_model_are_its_own(version: str, format_: Format) -> None:
    bound = model([WIRE[0]["body"]]).bind(stop=["x"]).with_config(tags=["t"])
    assert len(check_model(bound, version, format_)) == 3
    with pytest.raises(ValueError, match="format must be one of"):
        bound.astream_records("p", format="json")  # type: ignore[arg-type]


# How it goes wrong, and how it is left.


def test_another_format_or_version_is_refused_and_nothing_is_sent(mock_server: MockServer) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY)
    with pytest.raises(ValueError, match="format must be one of 'ndjson', 'sse', not 'json'"):
        llm.astream_records("p", format="json")  # type: ignore[arg-type]
    records, error = read_all(llm.astream_records("p", version="v9"))  # type: ignore[arg-type]
    assert (records, type(error)) == ([], NotImplementedError)
    llm.astream_records("p")
    assert mock_server.requests == []


FAULTS: list[tuple[Any, type[StreamError]]] = [
    (ErrorFrame(after=3), ProviderError),
    (Cut(after=3, how="reset"), StreamTruncatedError),
    (Cut(after=3, how="fin", inside=True), StreamTruncatedError),
    (Stall(after=3, comment_every=0.02), StreamStalledError),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=str)
def test_an_error_comes_after_the_records_and_nothing_marks_the_end(
    half: ModuleType, fault: Any, kind: type[StreamError]
) -> None:
    with MockServer(Reply(fault=fault)) as server:
        llm = OpenAI(base_url=server.url, api_key=KEY, stream_chunk_timeout=0.6)
        records, error = read_all(llm.astream_records("p", RUN))
        expected = expected_of(llm, "sse", "p", RUN)
    assert isinstance(error, kind)
    assert error.text == "".join(VERSE[:3])
    assert (b"".join(records), described(error)) == expected
    assert b"event: end" not in records[-1]


async def leave_by_break(llm: OpenAI) -> None:
    async for record in llm.astream_records("p"):
        if b"on_llm_stream" in record:
            break


async def leave_by_aclose(llm: OpenAI) -> None:
    stream = llm.astream_records("p")
    while b"on_llm_stream" not in await anext(stream):
        pass
    await stream.aclose()


async def leave_by_cancelling(llm: OpenAI) -> None:
    seen: list[bytes] = []

    async def read() -> None:
        async for record in llm.astream_records("p"):
            seen.append(record)  # noqa: PERF401

    task = asyncio.create_task(read())
    while b"".join(seen).count(b"on_llm_stream") < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_aclose, leave_by_cancelling])
def test_leaving_early_closes_the_upstream_at_once(leave: Callable[[OpenAI], Any]) -> None:
    async def main(server: MockServer) -> None:
        await leave(OpenAI(base_url=server.url, api_key=KEY))
        await server.await_closed()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    gc.collect()
    gc.disable()
    try:
        with MockServer(Reply(fault=Stall(after=3))) as server:
            asyncio.run(main(server))
            assert server.wait_closed().closed_by == "client"
            assert server.connections.open == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [Chunked, Retold])
def test_leaving_early_closes_a_users_generator(kind: type[Chunked]) -> None:
    closed: list[bool] = []

    class Endless(kind):  # type: ignore[misc, valid-type]
        async def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            try:
                while True:
                    yield GenerationChunk("a")
            finally:
                closed.append(True)

    async def main() -> None:
        stream = Endless().astream_records("p")
        await anext(stream)
        await anext(stream)
        assert not closed
        await stream.aclose()
        # A generator of the user's that drops ours leaves its closing to the loop.
        for _ in range(20 if kind is Retold else 0):
            await asyncio.sleep(0)
        assert closed

    asyncio.run(main())
