"""``millstream.telemetry``: the spans and metrics of models' calls, by the semantic conventions for generative AI."""

import asyncio
import builtins
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from asgi_calls import Client
from millstream import AzureChatOpenAI, BaseChatModel, WireOptions, telemetry
from millstream._backend import BACKEND
from millstream.callbacks import BaseCallbackHandler
from millstream.globals import get_handlers
from millstream.language_models import FakeListChatModel
from millstream.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from millstream.output_parsers import StrOutputParser
from millstream.outputs import ChatGeneration, ChatResult
from millstream.prompts import ChatPromptTemplate
from millstream.server import EventStreamResponse
from millstream.testing import MockServer, Reply
from traced import MODELS, Traced, aread, traced

__all__ = ("traced",)

STREAMS: dict[str, Callable[[Any], Any]] = {
    "stream": lambda model: list(model.stream("p")),
    "astream": lambda model: asyncio.run(aread(model.astream("p"))),
    "events": lambda model: list(model.stream_events("p", version="v2")),
    "aevents": lambda model: asyncio.run(aread(model.astream_events("p", version="v2"))),
    "records": lambda model: asyncio.run(aread(model.astream_records("p"))),
    "a wire": lambda model: asyncio.run(aread(model.astream_records("p", wire=WireOptions("ndjson")))),
    "text": lambda model: asyncio.run(aread(model.astream_records("p", wire="text"))),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke("p"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("p")),
    "batch": lambda model: model.batch(["p"]),
    "abatch": lambda model: asyncio.run(model.abatch(["p"])),
}
REASONS = {"anthropic": "end_turn", "google": "STOP", "responses": "completed"}
PROVIDERS = {"anthropic": "anthropic", "google": "gcp.gemini", "ollama": "ollama"}
NAMES = {"anthropic": "claude-haiku-4-5", "google": "gemini-2.5-flash", "completions": "gpt-3.5-turbo-instruct"}
LIMITED = {"anthropic": "max_tokens", "google": "MAX_TOKENS", "responses": "max_output_tokens"}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def check_call(span: ReadableSpan, which: str, server: MockServer, *, streams: bool) -> dict[str, Any]:
    """Check what all spans of models have; return the attributes."""
    found, name = attributes(span), NAMES.get(which, "m")
    operation = "text_completion" if which == "completions" else "chat"
    assert span.name == f"{operation} {name}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert found["gen_ai.operation.name"] == operation
    assert found["gen_ai.provider.name"] == PROVIDERS.get(which, "openai")
    assert found["gen_ai.request.model"] == name
    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", int(server.origin.rpartition(":")[2]))
    assert found["gen_ai.response.finish_reasons"] == (REASONS.get(which, "stop"),)
    assert found["gen_ai.usage.input_tokens"] == 1
    assert found["gen_ai.usage.output_tokens"] == 2
    assert found.get("gen_ai.request.stream", False) is streams
    assert ("gen_ai.response.time_to_first_chunk" in found) is streams
    assert not any("messages" in key for key in found)
    return found


@pytest.mark.parametrize("way", STREAMS | CALLS)
@pytest.mark.parametrize("which", MODELS)
def test_an_answer_at_the_limit_of_tokens_has_its_finish_reason(which: str, way: str, traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b"], finish_reason="length")) as server:
        (STREAMS | CALLS)[way](MODELS[which](server))
    assert attributes(traced.span)["gen_ai.response.finish_reasons"] == (LIMITED.get(which, "length"),)


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("which", MODELS)
def test_a_stream_is_one_span(which: str, way: str, traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        STREAMS[way](MODELS[which](server))
        found = check_call(traced.span, which, server, streams=True)
    assert 0 < found["gen_ai.response.time_to_first_chunk"] < 20
    assert found["millstream.time_per_chunk"] >= 0


@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize("which", MODELS)
def test_a_call_is_one_span(which: str, way: str, traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        CALLS[way](MODELS[which](server))
        found = check_call(traced.span, which, server, streams=False)
    assert found["gen_ai.response.model"] == NAMES.get(which, "m")
    if which not in ("completions", "google", "ollama"):
        assert found["gen_ai.response.id"].partition("_")[0].partition("-")[0] in ("chatcmpl", "resp", "msg")


@pytest.mark.parametrize("which", MODELS)
def test_an_invoke_that_streams_is_timed(which: str, traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        if which == "completions":
            MODELS[which](server, streaming=True).invoke("p")
        else:
            MODELS[which](server).invoke("p", stream=True)
        check_call(traced.span, which, server, streams=True)


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_stays_on_its_direct_path(way: str, traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.language_models.streams._run_stream", None)
    monkeypatch.setattr("millstream.runnables.sequence.transform_in_run", None)
    with MockServer() as server:
        model = MODELS["chat"](server)
        STREAMS[way](model)
        chain = ChatPromptTemplate.from_template("{x}") | model | StrOutputParser()
        list(chain.stream({"x": "p"}))
        asyncio.run(aread(chain.astream({"x": "p"})))
        asyncio.run(aread(chain.astream_events({"x": "p"}, version="v2")))
        chain.with_retry().with_fallbacks([chain]).invoke({"x": "p"})
        list(chain.with_retry().stream({"x": "p"}))
    assert [span.name for span in traced.spans] == ["chat m"] * 6


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("which", [which for which in MODELS if which != "completions"])
def test_a_stream_of_events_of_version_3_is_one_span(which: str, is_async: bool, traced: Traced) -> None:
    async def read(model: Any) -> None:
        async for _ in await model.astream_events("p", version="v3"):
            pass

    with MockServer(Reply(pieces=["a", "b"])) as server:
        model = MODELS[which](server)
        if is_async:
            asyncio.run(read(model))
        else:
            list(model.stream_events("p", version="v3"))
        check_call(traced.span, which, server, streams=True)


def test_the_parameters_of_the_request_are_attributes(traced: Traced) -> None:
    with MockServer() as server:
        model = MODELS["chat"](server, temperature=0, top_p=0.5, max_tokens=7, n=2, seed=3, frequency_penalty=0.1)
        model.bind(stop=["x", "y"], response_format={"type": "json_object"}).invoke("p")
    found = {key.removeprefix("gen_ai."): value for key, value in attributes(traced.span).items()}
    assert {key: value for key, value in found.items() if key.startswith("request.")} == {
        "request.model": "m",
        "request.temperature": 0.0,
        "request.top_p": 0.5,
        "request.max_tokens": 7,
        "request.choice.count": 2,
        "request.seed": 3,
        "request.frequency_penalty": 0.1,
        "request.stop_sequences": ("x", "y"),
    }
    assert found["output.type"] == "json"


def test_the_details_of_the_usage_are_attributes(traced: Traced) -> None:
    usage = {
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    with MockServer(Reply(usage=usage)) as server:
        MODELS["chat"](server).invoke("p")
    found = attributes(traced.span)
    assert found["gen_ai.usage.cache_read.input_tokens"] == 3
    assert found["gen_ai.usage.reasoning.output_tokens"] == 5


def test_azure_has_its_own_name(traced: Traced) -> None:
    with MockServer() as server:
        AzureChatOpenAI(
            azure_endpoint=server.origin, azure_deployment="d", api_version="2024-10-21", api_key="k"
        ).invoke("p")
    assert attributes(traced.span)["gen_ai.provider.name"] == "azure.ai.openai"


class Parrot(BaseChatModel):
    """A user's model."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult([ChatGeneration(AIMessage("a"))])

    @property
    def _llm_type(self) -> str:
        return "parrot"


def test_a_model_of_the_user_has_a_span(traced: Traced) -> None:
    Parrot().invoke("p")
    list(FakeListChatModel(responses=["ab"]).stream("p"))
    first, second = traced.spans
    assert first.name == second.name == "chat"
    assert attributes(first)["gen_ai.provider.name"] == "parrot"
    assert attributes(second)["gen_ai.request.stream"] is True
    assert attributes(second)["gen_ai.response.time_to_first_chunk"] >= 0


@pytest.mark.parametrize("which", ["completions", "chat", "anthropic"])
def test_a_response_is_still_sent_from_the_callback_of_the_connection(which: str, traced: Traced) -> None:
    async def main() -> None:
        client = Client()
        with MockServer(Reply(pieces=["a", *["b"] * 20], pace=0.002)) as server:
            await client.call(EventStreamResponse(MODELS[which](server).astream_records("p", wire="ndjson")))
        assert client.is_whole
        assert client.is_direct is (BACKEND == "rust")

    asyncio.run(main())
    assert dict(traced.span.attributes or {})["gen_ai.usage.output_tokens"] == 21


# Content.


def test_content_is_on_spans_where_the_application_asks_for_it(traced: Traced) -> None:
    traced.instrument(capture_content=True)
    messages = [
        SystemMessage("s"),
        HumanMessage([{"type": "text", "text": "h"}, {"type": "image", "url": "https://x/y.png"}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c0"}]),
        ToolMessage("t", tool_call_id="c0"),
    ]
    with MockServer(Reply(pieces=["a"], tool_calls=[{"name": "g", "args": {"y": 2}, "id": "c1"}])) as server:
        MODELS["chat"](server).invoke(messages)
    found = attributes(traced.span)
    assert json.loads(found["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "s"}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "h"},
                {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://x/y.png"},
            ],
        },
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c0", "name": "f", "arguments": {"x": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c0", "response": "t"}]},
    ]
    (answer,) = json.loads(found["gen_ai.output.messages"])
    assert answer == {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "a"},
            {"type": "tool_call", "id": "c1", "name": "g", "arguments": {"y": 2}},
        ],
        "finish_reason": "tool_call",
    }


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("which", MODELS)
def test_streams_have_the_whole_text(which: str, way: str, traced: Traced) -> None:
    traced.instrument(capture_content=True)
    with MockServer(Reply(pieces=["a", "b"])) as server:
        STREAMS[way](MODELS[which](server))
    (answer,) = json.loads(attributes(traced.span)["gen_ai.output.messages"])
    assert [part["content"] for part in answer["parts"]] == ["ab"]
    assert answer["finish_reason"] in ("stop", "STOP")


@pytest.mark.parametrize(
    ("value", "is_captured"),
    [
        ("true", True),
        ("True", True),
        ("SPAN_ONLY", True),
        ("span_and_event", True),
        ("false", False),
        ("NO_CONTENT", False),
    ],
)
def test_the_environment_may_ask_for_content(
    value: str, is_captured: bool, traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", value)
    traced.instrument()
    Parrot().invoke("p")
    assert ("gen_ai.input.messages" in attributes(traced.span)) is is_captured


# Metrics.


def test_calls_and_streams_are_measured(traced: Traced) -> None:
    with MockServer(Reply(pieces=["a", "b", "c"])) as server:
        MODELS["chat"](server).invoke("p")
        list(MODELS["chat"](server).stream("p"))
    metrics = {name.removeprefix("gen_ai.client."): points for name, points in traced.metrics.items()}
    assert set(metrics) == {
        "token.usage",
        "operation.duration",
        "operation.time_to_first_chunk",
        "operation.time_per_output_chunk",
    }
    whole, streamed = sorted(
        metrics["operation.duration"], key=lambda point: "gen_ai.request.stream" in point.attributes
    )
    assert whole.count == streamed.count == 1
    assert dict(whole.attributes).keys() == {
        *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port")
    }
    (first,) = metrics["operation.time_to_first_chunk"]
    assert first.count == 1
    assert 0 < first.sum < streamed.sum
    tokens = {(point.attributes["gen_ai.token.type"]): 0 for point in metrics["token.usage"]}
    for point in metrics["token.usage"]:
        tokens[point.attributes["gen_ai.token.type"]] += point.sum
    assert tokens == {"input": 2, "output": 6}


class Slow(BaseCallbackHandler):
    """Takes its time at the start of a run, before the telemetry is notified of it."""

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        time.sleep(0.02)


def test_the_duration_of_a_stream_covers_the_time_to_its_first_chunk(traced: Traced) -> None:
    with MockServer(Reply(pieces=["a"])) as server:
        list(MODELS["chat"](server).stream("p", {"callbacks": [Slow()]}))
    (first,) = traced.metrics["gen_ai.client.operation.time_to_first_chunk"]
    (whole,) = traced.metrics["gen_ai.client.operation.duration"]
    assert first.sum < whole.sum


def test_metrics_need_no_recording_span(traced: Traced) -> None:
    from opentelemetry.trace import NoOpTracerProvider

    telemetry.instrument(tracer_provider=NoOpTracerProvider(), meter_provider=traced.meter_provider)
    Parrot().invoke("p")
    assert traced.metrics["gen_ai.client.operation.duration"][0].count == 1
    assert not traced.spans


# The switch.


def test_the_second_call_replaces_the_first_one(traced: Traced) -> None:
    traced.instrument()
    Parrot().invoke("p")
    assert len(traced.spans) == 1
    assert len(get_handlers()) == 1


def test_uninstrument_ends_it(traced: Traced) -> None:
    with MockServer() as server:
        stream = iter(MODELS["chat"](server).stream("p"))
        next(stream)
        telemetry.uninstrument()
        telemetry.uninstrument()
        Parrot().invoke("p")
        list(stream)
    assert [span.name for span in traced.spans] == ["chat m"]
    assert get_handlers() == ()


def test_without_opentelemetry_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'millstream\[otel\]'"):
        telemetry.instrument()


def test_a_model_of_langchain_inside_a_run_has_a_span_too(traced: Traced) -> None:
    from langchain_core.language_models import FakeListChatModel as TheirModel

    from millstream.runnables import RunnableLambda

    RunnableLambda(lambda value: TheirModel(responses=["a"]).invoke(value)).invoke("p")
    assert traced.span.name == "chat"
