"""``OpenAI``: its outputs, compared with LangChain's."""

import asyncio
import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cases import choices_in
from endings import read_all
from langchain_peer import KEY, apeer, llm_of, peer
from millstream import OpenAI
from millstream.errors import (
    APIError,
    EventTooLargeError,
    ProviderError,
    StreamDecodeError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.outputs import GenerationChunk
from millstream.providers import stream_decoding
from millstream.testing import GOLDFISH, VERSE, Cut, ErrorFrame, MockServer, Reply, Stall
from millstream.testing.memory import MemoryTransport

WIRE = Path(__file__).parent / "vectors" / "wire"
SPARKLING = "Write me a 1 verse song about sparkling water."


def model_over(*reads: bytes, **arguments: Any) -> OpenAI:
    return OpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


def frame(text: str = "", **fields: Any) -> bytes:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": None} | fields
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def collect_stream(
    model: OpenAI, *, asynchronous: bool, prompt: str = "p", **arguments: Any
) -> tuple[list[str], Exception | None]:
    """Return the chunks of one stream and the exception it ended with."""
    return read_all(model.astream(prompt, **arguments) if asynchronous else model.stream(prompt, **arguments))


both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])


# The examples of LangChain's page.


def test_the_pages_sync_sample_streams_piece_by_piece(
    mock_server: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY, model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512)
    for chunk in llm.stream(SPARKLING):
        print(chunk, end="|", flush=True)
    printed = capsys.readouterr().out
    assert printed.startswith("\n\n|Spark|ling| water|,| oh| so clear|\n|Bubbles dancing|")
    assert printed.endswith("| delight||")


def test_the_pages_async_sample_streams_piece_by_piece(mock_server: MockServer) -> None:
    assert collect_stream(llm_of(mock_server), asynchronous=True, prompt=SPARKLING) == (list(VERSE), None)


@both_ways
@pytest.mark.parametrize("options", [{}, {"n": 1, "logprobs": None}, {"pieces_per_write": 5}, {"bytes_per_write": 7}])
def test_chunks_are_langchains(asynchronous: bool, options: dict[str, Any]) -> None:
    reply = Reply(**{key: value for key, value in options.items() if key.endswith("write")})
    with MockServer(reply) as server:

        async def theirs_async() -> list[str]:
            async with apeer(server.url) as theirs:
                return [chunk async for chunk in theirs.astream(SPARKLING)]

        if asynchronous:
            expected = asyncio.run(theirs_async())
        else:
            with peer(server.url) as theirs:
                expected = list(theirs.stream(SPARKLING))
        assert collect_stream(llm_of(server), asynchronous=asynchronous, prompt=SPARKLING) == (expected, None)


def test_a_stream_is_lazy_and_its_first_chunk_is_yielded_before_the_last_is_sent() -> None:
    with MockServer(Reply(fault=Stall(after=2))) as server:
        stream = llm_of(server).stream("p")
        assert server.requests == []
        assert (next(stream), next(stream)) == VERSE[:2]
        server.release()
        assert tuple(stream) == VERSE[2:]


# invoke, batch, generate.


def test_generate_returns_langchains_result(mock_server: MockServer) -> None:
    with peer(mock_server.url, n=2, best_of=2) as theirs:
        expected = theirs.generate(["a", "b"])
    result = llm_of(mock_server, n=2, best_of=2).generate(["a", "b"])
    assert result.model_dump()["generations"] == expected.model_dump()["generations"]
    assert [len(choices) for choices in result.generations] == [2, 2]
    assert result.llm_output is not None
    assert expected.llm_output is not None
    assert list(result.llm_output.items()) == list(expected.llm_output.items())
    assert result.run is not None
    assert len(result.run) == 2


def test_ainvoke_and_abatch_return_langchains_results(mock_server: MockServer) -> None:
    async def run() -> None:
        async with apeer(mock_server.url) as theirs:
            expected = await theirs.ainvoke("a"), await theirs.abatch(["a", "b"])
        model = llm_of(mock_server)
        assert (await model.ainvoke("a"), await model.abatch(["a", "b"])) == expected

    asyncio.run(run())


def test_a_failing_batch_fails_for_every_input_of_its_group() -> None:
    def reply(request: Any) -> Reply:
        return Reply(fault=ErrorFrame()) if "b" in request.body["prompt"] else Reply()

    with MockServer(reply) as server:
        outputs = llm_of(server).batch(["a", "b", "c"], {"max_concurrency": 2}, return_exceptions=True)
        assert isinstance(outputs[0], ProviderError)
        assert outputs[0] is outputs[1]
        assert outputs[2] == "".join(VERSE)
        with pytest.raises(ProviderError, match="overloaded"):
            llm_of(server).batch(["a", "b"])


def test_a_streaming_model_accepts_one_prompt_at_a_time(mock_server: MockServer) -> None:
    model = llm_of(mock_server, streaming=True)
    assert model.invoke("p") == "".join(VERSE)
    with pytest.raises(ValueError, match="Cannot stream results with multiple prompts"):
        model.batch(["a", "b"])
    assert llm_of(mock_server, streaming=True, batch_size=1).batch(["a", "b"]) == ["".join(VERSE)] * 2


def test_an_empty_batch_sends_nothing(mock_server: MockServer) -> None:
    assert llm_of(mock_server).batch([]) == []
    assert asyncio.run(llm_of(mock_server).abatch([])) == []
    assert mock_server.requests == []


# Where LangChain is wrong.


@both_ways
def test_two_finish_chunks_never_become_stopstop(asynchronous: bool) -> None:
    reads = [frame("a"), frame("", finish_reason="stop"), frame("", finish_reason="stop"), b"data: [DONE]\n\n"]
    assert collect_stream(model_over(*reads), asynchronous=asynchronous) == (["a", ""], None)
    (generations,) = model_over(*reads, streaming=True).generate(["p"]).generations
    assert generations[0].generation_info == {"finish_reason": "stop", "logprobs": None}
    first, second = GenerationChunk("a", {"finish_reason": "stop"}), GenerationChunk("b", {"finish_reason": "stop"})
    assert (first + second).generation_info == {"finish_reason": "stop"}


@both_ways
def test_the_choices_of_a_stream_with_several_do_not_mix(mock_server: MockServer, asynchronous: bool) -> None:
    chunks, error = collect_stream(llm_of(mock_server, n=3), asynchronous=asynchronous)
    assert (chunks, error) == (list(VERSE), None)
    assert mock_server.requests[-1].body["n"] == 3


@both_ways
def test_surrogates_split_over_two_frames_are_one_character(asynchronous: bool) -> None:
    reads = [
        b'data: {"choices":[{"index":0,"text":"\\ud83c"}]}\n\n',
        b'data: {"choices":[{"index":0,"text":"\\udfa3","finish_reason":"stop"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
    assert collect_stream(model_over(*reads), asynchronous=asynchronous) == (["🎣"], None)


def test_the_usage_of_a_stream_is_kept(mock_server: MockServer) -> None:
    async def end(model: OpenAI) -> Any:
        events = [event async for event in model.astream_events("p", version="v2")]
        return events[-1]["data"]["output"]["llm_output"]

    usage = asyncio.run(end(llm_of(mock_server, stream_usage=True)))["token_usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert asyncio.run(end(llm_of(mock_server))) is None
    output = llm_of(mock_server, streaming=True, stream_usage=True).generate(["p"]).llm_output or {}
    assert output == {
        "token_usage": {key: usage[key] for key in output["token_usage"]},
        "model_name": "gpt-3.5-turbo-instruct",
    }


def test_log_probabilities_of_a_stream_are_joined() -> None:
    def probabilities(token: str) -> dict[str, Any]:
        return {"tokens": [token], "token_logprobs": [-0.5], "top_logprobs": [{token: -0.5}], "text_offset": [0]}

    reads = [
        frame("a", logprobs=probabilities("a")),
        frame("b", logprobs=probabilities("b"), finish_reason="stop"),
        b"data: [DONE]\n\n",
    ]
    (generations,) = model_over(*reads, streaming=True, logprobs=1).generate(["p"]).generations
    info = generations[0].generation_info
    assert info is not None
    assert (generations[0].text, info["finish_reason"]) == ("ab", "stop")
    assert (info["logprobs"]["tokens"], info["logprobs"]["token_logprobs"]) == (["a", "b"], [-0.5, -0.5])


@both_ways
def test_a_stream_cut_before_its_end_mark_raises_with_the_text_so_far(asynchronous: bool) -> None:
    for how in ("reset", "fin", "end"):
        with MockServer(Reply(fault=Cut(after=3, how=how))) as server:
            chunks, error = collect_stream(llm_of(server), asynchronous=asynchronous)
            assert isinstance(error, StreamTruncatedError)
            assert chunks == list(VERSE[:3])
            assert (error.text, error.deltas_seen) == ("".join(VERSE[:3]), 3)
            assert (error.__cause__ is None) == (how == "end")


@both_ways
def test_a_connection_cut_inside_a_frame_yields_the_complete_frames(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Cut(after=3, how="fin", inside=True))) as server:
        chunks, error = collect_stream(llm_of(server), asynchronous=asynchronous)
    assert isinstance(error, StreamTruncatedError)
    assert isinstance(error, EOFError)
    assert chunks == list(VERSE[:3])


@both_ways
def test_a_connection_cut_after_the_finish_is_no_failure(asynchronous: bool) -> None:
    for how in ("reset", "fin", "end"):
        with MockServer(Reply(fault=Cut(after=len(VERSE), how=how))) as server:
            assert collect_stream(llm_of(server), asynchronous=asynchronous) == (list(VERSE), None)


@both_ways
def test_an_error_in_mid_stream_raises_with_the_text_so_far(asynchronous: bool) -> None:
    with MockServer(Reply(fault=ErrorFrame(after=3, code="full"))) as server:
        chunks, error = collect_stream(llm_of(server), asynchronous=asynchronous)
    assert isinstance(error, ProviderError)
    assert chunks == list(VERSE[:3])
    assert (str(error), error.type, error.code) == ("overloaded", "server_error", "full")
    assert error.text == "".join(VERSE[:3])


@both_ways
def test_a_stream_that_only_sends_comments_stalls(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Stall(after=2, comment_every=0.02))) as server:
        chunks, error = collect_stream(llm_of(server, stream_chunk_timeout=0.5), asynchronous=asynchronous)
    assert isinstance(error, StreamStalledError)
    assert isinstance(error, TimeoutError)
    assert (chunks, error.text) == (list(VERSE[:2]), "".join(VERSE[:2]))


@both_ways
def test_a_stream_that_falls_silent_stalls(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Stall(after=2))) as server:
        chunks, error = collect_stream(llm_of(server, stream_chunk_timeout=0.2), asynchronous=asynchronous)
        assert server.wait_closed().closed_by == "client"
    assert isinstance(error, StreamStalledError)
    assert (chunks, error.text) == (list(VERSE[:2]), "".join(VERSE[:2]))
    assert error.__cause__ is not None


@both_ways
def test_comments_between_chunks_do_not_add_up_to_a_stall(asynchronous: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that is a second later at each look.
    monkeypatch.setattr(stream_decoding, "time", SimpleNamespace(monotonic=count().__next__))
    reads = [b": ping\n\n", frame("a")] * 20 + [frame("", finish_reason="stop"), b"data: [DONE]\n\n"]
    chunks, error = collect_stream(model_over(*reads, stream_chunk_timeout=1.5), asynchronous=asynchronous)
    assert (chunks, error) == (["a"] * 20 + [""], None)


@both_ways
def test_a_body_that_is_html_is_an_error_that_shows_it(asynchronous: bool) -> None:
    with MockServer(Reply(body=b"<html><body>Sign in</body></html>", content_type="text/html")) as server:
        chunks, error = collect_stream(llm_of(server), asynchronous=asynchronous)
        assert isinstance(error, StreamDecodeError)
        assert (chunks, error.frame) == ([], b"<html><body>Sign in</body></html>")
        with pytest.raises(StreamDecodeError) as caught:
            llm_of(server).invoke("p")
        assert caught.value.frame == b"<html><body>Sign in</body></html>"


@both_ways
def test_a_body_that_is_one_document_is_streamed_all_the_same(asynchronous: bool) -> None:
    whole = b'{"choices": [{"index": 0, "text": "all of it", "finish_reason": "stop"}]}'
    assert collect_stream(model_over(whole[:20], whole[20:]), asynchronous=asynchronous) == (["all of it"], None)


@both_ways
def test_invalid_json_raises_after_the_chunks_before_it(asynchronous: bool) -> None:
    chunks, error = collect_stream(model_over(frame("a") + b"data: {oops}\n\n" + frame("b")), asynchronous=asynchronous)
    assert isinstance(error, StreamDecodeError)
    assert (chunks, error.text, error.frame) == (["a"], "a", b"{oops}")


@both_ways
def test_a_stream_with_only_an_end_mark_is_an_error(asynchronous: bool) -> None:
    chunks, error = collect_stream(model_over(b"data: [DONE]\n\n"), asynchronous=asynchronous)
    assert (chunks, type(error), str(error)) == ([], StreamTruncatedError, "the server sent no choices")


@both_ways
def test_an_empty_body_is_a_truncated_stream(asynchronous: bool) -> None:
    chunks, error = collect_stream(model_over(), asynchronous=asynchronous)
    assert (chunks, type(error)) == ([], StreamTruncatedError)


@both_ways
@pytest.mark.parametrize("wire", sorted(WIRE.glob("openai-completions-*.sse")), ids=lambda path: path.stem)
def test_every_vector_of_the_format_streams(wire: Path, asynchronous: bool) -> None:
    expected = json.loads(wire.with_suffix(".expected.json").read_text())
    data = wire.read_bytes()
    reads = data[: len(data) // 2], data[len(data) // 2 :]
    chunks, error = collect_stream(model_over(*reads, n=choices_in(expected)), asynchronous=asynchronous)
    texts = [item[2] for item in expected["expected"] if item[:2] == ["text", 0]]
    assert [chunk for chunk in chunks if chunk] == texts
    kinds: dict[str, type[StreamError]] = {"error": ProviderError, "truncated": StreamTruncatedError}
    assert type(error) is kinds.get(expected["final"]["ended"], type(None))


def test_a_response_with_too_few_choices_raises(mock_server: MockServer) -> None:
    with MockServer(Reply(body=b'{"choices": []}', content_type="application/json")) as server:
        with pytest.raises(StreamTruncatedError, match="^the server sent no choices$"):
            llm_of(server).invoke("p")
        with pytest.raises(StreamTruncatedError, match="^the server sent no choices$"):
            asyncio.run(llm_of(server).ainvoke("p"))
    with (
        MockServer(Reply(body=b'{"choices": [{"text": "a"}]}', content_type="application/json")) as server,
        pytest.raises(StreamTruncatedError, match="^the server sent 1 choices for 2 prompts$"),
    ):
        llm_of(server).generate(["p", "q"])


def test_subclasses_can_call_stream_for_chunks(mock_server: MockServer) -> None:
    class Loud(OpenAI):
        def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            for chunk in super()._stream(prompt, stop, run_manager, **kwargs):
                yield GenerationChunk(chunk.text.upper(), chunk.generation_info)

    loud = Loud(base_url=mock_server.url, api_key=KEY)
    assert list(loud.stream("p")) == [piece.upper() for piece in VERSE]
    chunks = list(OpenAI(base_url=mock_server.url, api_key=KEY)._stream("p"))
    assert chunks[-1] == GenerationChunk("", {"finish_reason": "stop", "logprobs": None})
    with peer(mock_server.url) as theirs:
        expected = [chunk.model_dump() for chunk in theirs._stream("p")]
    assert [chunk.model_dump() for chunk in chunks] == expected


def test_goldfish_have_a_verse_of_their_own(mock_server: MockServer) -> None:
    assert tuple(llm_of(mock_server).stream("about goldfish on the moon")) == GOLDFISH


def test_errors_before_the_head_are_not_stream_errors() -> None:
    model = OpenAI(api_key="k", base_url="http://127.0.0.1:9", max_retries=0)
    for asynchronous in (False, True):
        chunks, error = collect_stream(model, asynchronous=asynchronous)
        assert chunks == []
        assert isinstance(error, APIError)
        assert isinstance(error, ConnectionError)
        assert not isinstance(error, StreamError)


def test_an_event_that_grows_too_large_ends_the_stream() -> None:
    huge = b"data: " + b"x" * (17 << 20)
    chunks, error = collect_stream(model_over(frame("a"), huge), asynchronous=False)
    assert isinstance(error, EventTooLargeError)
    assert (chunks, error.text) == (["a"], "a")
