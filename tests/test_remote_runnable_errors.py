"""``RemoteRunnable`` against scripted servers: errors, and streams that end too early."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from endings import read_all
from langserve_script import END, Script, answering, data, scripted
from millstream import (
    APIConnectionError,
    AuthenticationError,
    ProviderError,
    RateLimitError,
    RemoteRunnable,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
    UnprocessableEntityError,
)
from millstream.testing import refusing_url


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Script, str]]:
    with scripted() as script:
        yield script


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (JSONResponse({"detail": "no"}, 401), AuthenticationError),
        (JSONResponse({"detail": [{"loc": ["body"], "msg": "Field required"}]}, 422), UnprocessableEntityError),
        (JSONResponse({"detail": "slowly"}, 429, {"retry-after": "7"}), RateLimitError),
    ],
)
def test_a_status_is_a_typed_error(served: tuple[Script, str], answer: Response, kind: type[Exception]) -> None:
    with answering(served, invoke=answer, stream=answer) as (_, remote):
        with pytest.raises(kind):
            remote.invoke(1)
        for stream in (remote.stream(1), remote.astream(1)):
            assert type(read_all(stream)[1]) is kind


def test_an_error_in_a_stream_has_what_came_before_it(served: tuple[Script, str]) -> None:
    pieces = [data("a"), data("b"), data({"status_code": 429, "message": "too many"}, "error")]
    with answering(served, stream=pieces) as (_, remote):
        for stream in (remote.stream(1), remote.astream(1)):
            chunks, error = read_all(stream)
            assert chunks == ["a", "b"]
            assert isinstance(error, ProviderError)
            assert (str(error), error.error["status_code"], error.text, error.deltas_seen) == ("too many", 429, "ab", 2)


@pytest.mark.parametrize("method", ["stream", "astream", "astream_events", "astream_log"])
def test_a_stream_without_its_end_is_truncated(served: tuple[Script, str], method: str) -> None:
    with answering(served, stream=[data("a")], stream_events=[data({"a": 1})], stream_log=[data({"ops": []})]) as (
        _,
        remote,
    ):
        items, error = read_all(getattr(remote, method)(1))
    assert len(items) == 1
    assert isinstance(error, StreamTruncatedError)
    assert str(error) == "the stream ended before its end event"


@pytest.mark.parametrize("method", ["stream", "astream"])
def test_keep_alives_are_not_chunks(served: tuple[Script, str], method: str) -> None:
    script, url = served
    with answering(served, stream=[data("a"), *[b": ping\n\n"] * 3, None]):
        script.pace = 0.01
        try:
            remote: Any = RemoteRunnable(url, stream_chunk_timeout=0.001)
            items, error = read_all(getattr(remote, method)(1))
        finally:
            script.pace = 0
    assert items == ["a"]
    assert isinstance(error, StreamStalledError)
    assert (str(error), error.text) == ("nothing but keep-alives arrived for 0.001 s", "a")


def test_an_event_that_is_not_valid_json_ends_the_stream(served: tuple[Script, str]) -> None:
    with answering(served, stream=[data("a"), b"event: data\ndata: {\n\n", data("c"), END]) as (_, remote):
        chunks, error = read_all(remote.stream(1))
    assert chunks == ["a"]
    assert isinstance(error, StreamDecodeError)
    assert error.frame == b"{"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"output": 1'])
def test_an_answer_that_is_not_langserves_is_an_error(served: tuple[Script, str], body: bytes) -> None:
    with answering(served, invoke=Response(body)) as (_, remote), pytest.raises(StreamDecodeError) as caught:
        remote.invoke(1)
    assert caught.value.frame == body


def test_a_batch_with_another_number_of_outputs_is_an_error(served: tuple[Script, str]) -> None:
    with answering(served, batch={"output": [1]}) as (_, remote), pytest.raises(StreamDecodeError):
        remote.batch([1, 2])


def test_nothing_is_sent_again_unless_it_is_asked_for(served: tuple[Script, str]) -> None:
    script, url = served
    with answering(served, invoke=JSONResponse({}, 503, {"retry-after-ms": "1"})):
        with pytest.raises(Exception, match="503"):
            RemoteRunnable(url).invoke(1)
        assert len(script.bodies) == 1
        with pytest.raises(Exception, match="503"):
            RemoteRunnable(url, max_retries=2).invoke(1)
        assert len(script.bodies) == 4
    with pytest.raises(APIConnectionError):
        RemoteRunnable(f"{refusing_url()}/chain").invoke(1)
