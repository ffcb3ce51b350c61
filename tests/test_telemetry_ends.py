"""``millstream.telemetry``: each span ends once, whichever way its stream ends."""

import asyncio
import gc
import weakref
from contextlib import aclosing, suppress
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from millstream.errors import MillstreamError
from millstream.language_models import FakeListChatModel
from millstream.messages import HumanMessage
from millstream.output_parsers import JsonOutputParser, StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, Refuse, Reply, Stall, assert_no_leaks
from test_telemetry import CALLS, STREAMS
from traced import MODELS, Traced, traced

__all__ = ("traced",)

FAULTS: dict[str, Any] = {
    "truncated": Cut(3),
    "an error on the way": ErrorFrame(2),
    "an error status": ErrorStatus(400),
    "no connection": Refuse(),
}


# A call that does not stream has no middle to break off in.
WAYS = [(way, fault) for way in STREAMS for fault in FAULTS]
WAYS += [(way, fault) for way in ("invoke", "ainvoke") for fault in ("an error status", "no connection")]


@pytest.mark.parametrize(("way", "fault"), WAYS)
@pytest.mark.parametrize("which", MODELS)
def test_a_failure_is_the_status_of_the_span(which: str, way: str, fault: str, traced: Traced) -> None:
    with MockServer(Reply(fault=FAULTS[fault])) as server, pytest.raises(MillstreamError) as caught:
        (STREAMS | CALLS)[way](MODELS[which](server))
    span = traced.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == str(caught.value)
    found = dict(span.attributes or {})
    assert found["error.type"] == type(caught.value).__name__
    assert "millstream.left" not in found
    (point,) = traced.metrics["gen_ai.client.operation.duration"]
    assert point.attributes["error.type"] == found["error.type"]


@pytest.mark.parametrize("which", MODELS)
def test_a_request_that_is_sent_again_is_one_span(which: str, traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", 0.001)
    with MockServer(script=[Reply(fault=Refuse()), Reply()]) as server:
        list(MODELS[which](server, **({} if which == "ollama" else {"max_retries": 3})).stream("p"))
    assert traced.span.status.status_code is StatusCode.UNSET


def check_left(traced: Traced) -> None:
    span = traced.span
    assert span.status.status_code is StatusCode.UNSET
    found = dict(span.attributes or {})
    assert found["millstream.left"] is True
    assert "error.type" not in found
    assert "gen_ai.response.finish_reasons" not in found
    (point,) = traced.metrics["gen_ai.client.operation.duration"]
    assert "error.type" not in point.attributes


@pytest.mark.parametrize("which", MODELS)
def test_a_stream_that_is_left_ends_its_span_at_once(which: str, traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b", "c"], fault=Stall(2))) as server:
        for _ in MODELS[which](server).stream("p"):
            break
        check_left(traced)


@pytest.mark.parametrize("which", MODELS)
def test_an_async_stream_that_is_left_ends_its_span_at_once(which: str, traced: Traced) -> None:
    async def leave(model: Any) -> None:
        async with aclosing(model.astream("p")) as chunks:
            async for _ in chunks:
                break
        check_left(traced)

    with MockServer(Reply(pieces=["a", "b", "c"], fault=Stall(2))) as server:
        asyncio.run(leave(MODELS[which](server)))
    check_left(traced)


@pytest.mark.parametrize("waits", [True, False], ids=["while it waits", "between chunks"])
def test_a_cancelled_task_ends_its_span(waits: bool, traced: Traced) -> None:
    async def main(model: Any) -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async with aclosing(model.astream("p")) as chunks:
                async for _ in chunks:
                    begun.set()
                    if not waits:
                        await asyncio.Event().wait()

        task = asyncio.create_task(read())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        check_left(traced)

    with MockServer(Reply(pieces=["a", "b", "c"], fault=Stall(2))) as server:
        asyncio.run(main(MODELS["chat"](server)))


def test_a_cancelled_call_ends_its_span(traced: Traced) -> None:
    async def main() -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()

        def stall(request: Any) -> Reply:
            loop.call_soon_threadsafe(asked.set)
            return Reply(fault=Stall(0))

        with MockServer(stall) as server:
            task = asyncio.create_task(MODELS["chat"](server).ainvoke("p"))
            await asked.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(main())
    check_left(traced)


def test_the_collector_ends_the_span_of_a_stream_that_was_dropped(traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b", "c"], fault=Stall(2))) as server:
        stream = iter(MODELS["chat"](server).stream("p"))
        next(stream)
        assert traced.spans == []
        del stream
        gc.collect()
        check_left(traced)


def test_a_stream_that_was_never_begun_has_no_span(traced: Traced) -> None:
    with MockServer() as server:
        stream = MODELS["chat"](server).stream("p")
        del stream
        assert server.requests == []
    assert traced.spans == []


def test_an_error_of_a_later_step_is_not_that_of_the_model(traced: Traced) -> None:
    def fail(chunks: Any) -> Any:
        for _ in chunks:
            raise KeyError("later")
        yield

    with MockServer(Reply(pieces=["a", "b", "c"], fault=Stall(2))) as server:
        model = MODELS["chat"](server)
        with pytest.raises(KeyError):
            list((ChatPromptTemplate.from_template("{x}") | model | StrOutputParser() | fail).stream({"x": "p"}))
    check_left(traced)


def test_the_error_of_a_parser_behind_a_model_is_not_that_of_the_model(traced: Traced) -> None:
    with MockServer(Reply(pieces=["no json"])) as server:
        chain = ChatPromptTemplate.from_template("{x}") | MODELS["chat"](server) | JsonOutputParser()
        with suppress(Exception):
            list(chain.stream({"x": "p"}))
    assert traced.span.status.status_code is StatusCode.UNSET


def test_a_stream_does_not_keep_its_prompt(traced: Traced) -> None:
    message = HumanMessage("p")
    alive = weakref.ref(message)
    with MockServer() as server:
        stream = iter(MODELS["chat"](server).stream([message]))
        del message
        next(stream)
        assert alive() is None
        list(stream)


def test_a_model_whose_parameters_cannot_be_read_works_without_a_span(
    traced: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeListChatModel):
        is_called = False

        def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> dict[str, Any]:
            was_called, self.is_called = self.is_called, True
            if was_called:
                raise KeyError("parameters")
            return {}

    assert "".join(chunk.text for chunk in Broken(responses=["ab"]).stream("p")) == "ab"
    assert traced.spans == []
    assert "Error in TelemetryHandler.on_chat_model_start callback" in caplog.text


@pytest.mark.parametrize("which", MODELS)
def test_nothing_is_left_behind(which: str, traced: Traced) -> None:
    with MockServer() as server, assert_no_leaks():
        for way in (STREAMS | CALLS).values():
            way(MODELS[which](server))
        for _ in MODELS[which](server).stream("p"):
            break
    assert len(traced.spans) == len(STREAMS | CALLS) + 1
