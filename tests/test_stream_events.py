"""``stream_events``: the events of ``astream_events``, for sync code."""

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY, normalize_events
from marks import versions
from millstream import OpenAI
from millstream.events.schema import EventVersion
from millstream.runnables import Stream
from millstream.testing import Cut, MockServer, Reply, Stall
from recording import AstreamBody, BrokenBody, CallBody, EmptyBody, StreamBody, handlers, make_model
from test_events_nested import Outer, OuterStream, numbered


@versions
@pytest.mark.parametrize("called", [{}, {"stop": ["x"]}, {"include_types": ["chain"]}, {"exclude_tags": ["m"]}])
def test_events_of_openai_are_those_of_async_code(mock_server: MockServer, version: EventVersion, called: Any) -> None:
    model = OpenAI(base_url=mock_server.url, api_key=KEY, tags=["m"])
    stream = model.stream_events("p", {"tags": ["t"]}, version=version, **called)
    assert isinstance(stream, Stream)
    expected, _ = read_all(model.astream_events("p", {"tags": ["t"]}, version=version, **called))
    assert normalize_events(list(stream)) == normalize_events(expected)


@versions
@pytest.mark.parametrize("body", [CallBody, StreamBody, BrokenBody, EmptyBody])
def test_events_of_a_users_model_are_those_of_async_code(body: type, version: EventVersion) -> None:
    model = make_model(body)
    events, raised = read_all(model.stream_events("hello", version=version))
    expected, failure = read_all(model.astream_events("hello", version=version))
    assert normalize_events(events) == normalize_events(expected)
    assert (type(raised), str(raised)) == (type(failure), str(failure))


@versions
@pytest.mark.parametrize("outer", [Outer, OuterStream])
@pytest.mark.parametrize("notified", [False, True])
def test_events_of_models_in_models_are_those_of_async_code(outer: type, version: EventVersion, notified: bool) -> None:
    inner = make_model(StreamBody)
    model = make_model(outer, inner=inner, way="stream")
    config: Any = {"callbacks": [handlers([])[1]]} if notified else None
    events, raised = read_all(model.stream_events("hello", config, version=version))
    expected, _ = read_all(model.astream_events("hello", config, version=version))
    assert raised is None
    assert numbered(events) == numbered(expected)


def test_an_unknown_version_raises() -> None:
    with pytest.raises(NotImplementedError, match="v9"):
        next(make_model(CallBody).stream_events("p", version="v9"))


def test_events_come_when_they_happen() -> None:
    go_on = threading.Event()

    class Slow(CallBody):
        inner: Any = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            self.inner.invoke("inner")
            assert go_on.wait(5)
            return "done"

    with make_model(Slow, inner=make_model(CallBody)).stream_events("p") as stream:
        assert [next(stream)["event"] for _ in range(3)] == ["on_llm_start", "on_llm_start", "on_llm_end"]
        go_on.set()
        assert [event["event"] for event in stream] == ["on_llm_end"]


def test_leaving_closes_the_connection() -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        model = OpenAI(base_url=server.url, api_key=KEY)
        gc.disable()
        try:
            for event in model.stream_events("p"):
                if event["event"] == "on_llm_stream":
                    break
            assert server.wait_closed(timeout=2).closed_by == "client"
        finally:
            gc.enable()


def test_an_error_comes_after_the_chunks_before_it() -> None:
    with MockServer(Reply(fault=Cut(after=2, how="fin"))) as server:
        events, raised = read_all(OpenAI(base_url=server.url, api_key=KEY).stream_events("p"))
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_stream", "on_llm_stream"]
    assert type(raised).__name__ == "StreamTruncatedError"


def test_a_bound_model_has_them_too(mock_server: MockServer) -> None:
    bound = OpenAI(base_url=mock_server.url, api_key=KEY).bind(stop=["x"]).with_config(tags=["t"])
    events = list(bound.stream_events("p"))
    assert events[0]["tags"] == ["t"]
    assert mock_server.requests[-1].body["stop"] == ["x"]


def test_a_model_that_streams_for_async_code_only_is_called() -> None:
    class OnlyAstream(CallBody):
        _astream = AstreamBody._astream

    events = list(make_model(OnlyAstream).stream_events("hello", version="v1"))
    assert [event["data"].get("chunk") for event in events] == [None, "hel", None]


def test_the_consumer_of_a_users_model_is_woken_for_batches() -> None:
    class Many(CallBody):
        def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
            for _ in range(1000):
                yield self.chunk("x")  # type: ignore[attr-defined]

    assert len(list(make_model(Many).stream_events("p"))) == 1002


def test_usage_is_in_the_end_with_handlers_as_without(mock_server: MockServer) -> None:
    model = OpenAI(base_url=mock_server.url, api_key=KEY, stream_usage=True)
    notified: Any = {"callbacks": [handlers([])[1]]}
    ends = [list(model.stream_events("p", config))[-1] for config in (None, notified)]
    assert ends[0]["data"]["output"]["llm_output"]["token_usage"]
    assert ends[1]["data"] == ends[0]["data"]
