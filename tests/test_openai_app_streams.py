"""``openai_app`` with streams: the OpenAI SDK reads them, by its plain iterators and by its helpers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware

from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import JsonOutputParser, StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableGenerator, RunnableLambda
from millstream.server import openai_app
from millstream.testing import VERSE, ErrorStatus, MockServer, Reply, Stall
from openai_served import TOOL, USER, async_client, chat_model, client, llm, served
from serving import serve

TEXT = "".join(VERSE)
PROMPT = ChatPromptTemplate.from_template("{question}")


def texts(chunks: Any) -> list[str]:
    return [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]


def test_a_chat_models_chunks_are_chat_completion_chunks(mock_server: MockServer) -> None:
    model = chat_model(mock_server)
    with served({"fish": model}) as sdk:
        chunks = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True))
    assert texts(chunks) == [chunk.content for chunk in model.stream(USER) if chunk.content]
    assert {(chunk.object, chunk.model) for chunk in chunks} == {("chat.completion.chunk", "fish")}
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("include_usage", [False, True])
def test_usage_is_sent_only_if_the_client_asks_for_it(include_usage: bool, mock_server: MockServer) -> None:
    model = chat_model(mock_server, stream_usage=True)
    options = {"include_usage": include_usage}
    with served({"fish": model, "llm": llm(mock_server, stream_usage=True)}) as sdk:
        chat = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True, stream_options=options))  # type: ignore[call-overload]
        plain = list(sdk.completions.create(model="llm", prompt="p", stream=True, stream_options=options))  # type: ignore[call-overload]
    for chunks in (chat, plain):
        usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
        assert [usage.completion_tokens > 0 for usage in usages] == [True] * include_usage
        assert (chunks[-1].choices == []) == include_usage


def test_a_client_that_asks_for_usage_has_the_upstream_asked_too(mock_server: MockServer) -> None:
    options: Any = {"include_usage": True}
    chain = PROMPT | chat_model(mock_server) | StrOutputParser()
    with served({"fish": chat_model(mock_server), "llm": llm(mock_server), "chain": chain}) as sdk:
        chat = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True, stream_options=options))
        plain = list(sdk.completions.create(model="llm", prompt="p", stream=True, stream_options=options))
        steps = list(
            sdk.chat.completions.create(
                model="chain", messages=USER, stream=True, stream_options=options, max_completion_tokens=3
            )
        )
        with sdk.responses.stream(model="fish", input="Name a fish.") as events:
            response = events.get_final_response()
    assert chat[-1].usage is not None
    assert plain[-1].usage is not None
    assert steps[-1].usage is not None
    assert steps[-1].usage.completion_tokens == 3
    assert steps[-2].choices[0].finish_reason == "length"
    assert response.usage is not None
    assert response.usage.output_tokens > 0
    assert [request.body.get("stream_options") for request in mock_server.requests] == [
        options,
        options,
        options,
        options,
    ]


def test_the_helper_of_chat_streams_collects_the_answer(mock_server: MockServer) -> None:
    with (
        served({"fish": chat_model(mock_server)}) as sdk,
        sdk.chat.completions.stream(model="fish", messages=USER) as events,
    ):
        kinds = {event.type for event in events}
        final = events.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content == TEXT
    assert final.choices[0].finish_reason == "stop"


def test_the_helper_of_responses_collects_the_answer(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk, sdk.responses.stream(model="fish", input="Fish?") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert [event.sequence_number for event in events if hasattr(event, "sequence_number")]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert (final.output_text, final.status, final.model) == (TEXT, "completed", "fish")


def test_a_response_is_the_same_whole_and_streamed(mock_server: MockServer) -> None:
    with (
        MockServer(
            Reply(tool_calls=[{"name": "weather", "args": {"a": 1}, "id": "call_1"}], pieces=["Hi", " there"])
        ) as upstream,
        served({"fish": chat_model(upstream)}) as sdk,
    ):
        tools: Any = [{"type": "function", "strict": False, **TOOL["function"]}]
        whole = sdk.responses.create(model="fish", input="Name a fish.", tools=tools)
        with sdk.responses.stream(model="fish", input="Name a fish.", tools=tools) as events:
            streamed = events.get_final_response()
    first, second = json.loads(whole.to_json()), json.loads(streamed.to_json())
    assert [item["type"] for item in first["output"]] == ["message", "function_call"]
    for one, other in zip(first["output"], second["output"], strict=True):
        for item in (one, other):
            item.pop("id")
            item.pop("parsed_arguments", None)
            for part in item.get("content", ()):
                part.pop("parsed", None)
            item["arguments"] = json.loads(item.get("arguments", "{}"))
        assert one == other


def test_structured_answers_are_parsed_from_streams() -> None:
    class Fish(BaseModel):
        name: str

    with (
        MockServer(Reply(pieces=['{"na', 'me": ', '"Nemo"}'])) as upstream,
        served({"fish": chat_model(upstream)}) as sdk,
    ):
        with sdk.chat.completions.stream(model="fish", messages=USER, response_format=Fish) as chat:
            assert chat.get_final_completion().choices[0].message.parsed == Fish(name="Nemo")
        with sdk.responses.stream(model="fish", input="Fish?", text_format=Fish) as response:
            assert response.get_final_response().output_parsed == Fish(name="Nemo")


def test_tool_calls_stream_to_the_clients_helpers() -> None:
    calls = [{"name": "weather", "args": {"city": "Bern"}, "id": "a"}, {"name": "weather", "args": {}, "id": "b"}]
    with MockServer(Reply(tool_calls=calls)) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        with sdk.chat.completions.stream(model="fish", messages=USER, tools=[TOOL]) as events:
            message = events.get_final_completion().choices[0]
        tools: Any = [{"type": "function", "strict": False, **TOOL["function"]}]
        with sdk.responses.stream(model="fish", input="Weather?", tools=tools) as stream:
            items: Any = stream.get_final_response().output
    assert message.finish_reason == "tool_calls"
    found: Any = message.message.tool_calls
    assert [(call.id, json.loads(call.function.arguments)) for call in found] == [("a", {"city": "Bern"}), ("b", {})]
    assert [(item.call_id, json.loads(item.arguments)) for item in items] == [("a", {"city": "Bern"}), ("b", {})]


def test_several_answers_are_interleaved_by_their_index() -> None:
    replies = iter(["one", "two", "three"])

    def by_turn(request: Any) -> Reply:
        text = next(replies)
        return Reply(pieces=[f"{text} ", "fish"], finish_reason="length" if text == "two" else "stop")

    options: Any = {"include_usage": True}
    with MockServer(by_turn) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        chunks = list(
            sdk.chat.completions.create(model="fish", messages=USER, n=3, stream=True, stream_options=options)
        )
    answers: dict[int, str] = {}
    reasons: dict[int, str | None] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            answers[choice.index] = answers.get(choice.index, "") + (choice.delta.content or "")
            reasons[choice.index] = choice.finish_reason or reasons.get(choice.index)
    assert sorted(answers.values()) == ["one fish", "three fish", "two fish"]
    assert {answers[index]: reason for index, reason in reasons.items()} == {
        **{"one fish": "stop", "two fish": "length", "three fish": "stop"}
    }
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 6


def test_completions_of_several_prompts_stream_with_their_echo() -> None:
    def by_prompt(request: Any) -> Reply:
        return Reply(pieces=["<", request.body["prompt"], ">"])

    with MockServer(by_prompt) as upstream, served({"fish": llm(upstream)}) as sdk:
        chunks = list(sdk.completions.create(model="fish", prompt=["a", "b"], n=2, echo=True, stream=True))
        alone = list(sdk.completions.create(model="fish", prompt="c", stream=True))
        echoed = list(sdk.completions.create(model="fish", prompt="c", echo=True, stream=True))
    answers: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            answers[choice.index] = answers.get(choice.index, "") + choice.text
    assert answers == {0: "a<a>", 1: "a<a>", 2: "b<b>", 3: "b<b>"}
    assert "".join(choice.text for chunk in alone for choice in chunk.choices) == "<c>"
    assert "".join(choice.text for chunk in echoed for choice in chunk.choices) == "c<c>"
    assert {chunk.object for chunk in chunks} == {"text_completion"}


def test_chains_stream_their_texts_and_values_as_json(mock_server: MockServer) -> None:
    async def steps(_: AsyncIterator[Any]) -> AsyncIterator[Any]:
        yield {"a": [1]}
        yield {"b": "x"}

    async def messages(_: AsyncIterator[Any]) -> AsyncIterator[Any]:
        yield AIMessageChunk("He")
        yield AIMessage("llo")

    with MockServer(Reply(pieces=['{"name": ', '"Ne', 'mo"}'])) as json_server:
        chains: dict[str, Any] = {
            "text": PROMPT | chat_model(mock_server) | StrOutputParser(),
            "upper": PROMPT | chat_model(mock_server) | StrOutputParser() | (lambda text: text.upper()),
            "json": PROMPT | chat_model(json_server) | JsonOutputParser(),
            "dicts": RunnableGenerator(steps),
            "messages": RunnableGenerator(messages),
            "nothing": RunnableLambda(lambda _: None),
        }
        with served(chains) as sdk:
            found = {
                name: "".join(texts(sdk.chat.completions.create(model=name, messages=USER, stream=True)))
                for name in chains
            }
            whole = {
                name: sdk.chat.completions.create(model=name, messages=USER).choices[0].message.content
                for name in ("text", "upper", "json", "nothing")
            }
    assert found == {
        **{"text": TEXT, "upper": TEXT.upper(), "json": '{"name":"Nemo"}', "dicts": '{"b":"x"}'},
        **{"messages": "Hello", "nothing": ""},
    }
    assert whole == {name: found[name] for name in whole}


def test_the_head_of_a_stream_is_that_of_server_sent_events(mock_server: MockServer) -> None:
    body = {"model": "fish", "messages": USER, "stream": True}
    with serve(openai_app({"fish": chat_model(mock_server)})) as url:
        response = httpx2.post(f"{url}/v1/chat/completions", json=body)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-request-id"].startswith("req_")
    assert response.content.endswith(b"data: [DONE]\n\n")


def test_the_head_may_be_sent_before_the_first_chunk() -> None:
    body = {"model": "fish", "messages": USER, "stream": True}
    with (
        MockServer(Reply(fault=Stall(after="head"))) as upstream,
        serve(openai_app({"fish": chat_model(upstream)}, wait_for_first_chunk=False, ping_interval=0.01)) as url,
        httpx2.stream("POST", f"{url}/v1/chat/completions", json=body) as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == ": keep-alive"
        upstream.release()
        found = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert "".join(choice["delta"].get("content", "") for one in found for choice in one["choices"]) == TEXT


def test_without_waiting_an_error_before_the_first_chunk_is_a_record() -> None:
    with (
        MockServer(Reply(fault=ErrorStatus(429))) as upstream,
        served({"fish": chat_model(upstream)}, wait_for_first_chunk=False) as sdk,
        pytest.raises(openai.APIError) as caught,
    ):
        list(sdk.chat.completions.create(model="fish", messages=USER, stream=True))
    assert not isinstance(caught.value, openai.APIStatusError)
    assert caught.value.type == "rate_limit_error"


def test_a_fallback_answers_before_the_first_chunk(mock_server: MockServer) -> None:
    with MockServer(Reply(fault=ErrorStatus(503))) as broken:
        model = chat_model(broken).with_fallbacks([chat_model(mock_server)])
        with served({"fish": model, "chain": PROMPT | model | StrOutputParser()}) as sdk:
            for name in ("fish", "chain"):
                stream = sdk.chat.completions.create(model=name, messages=USER, stream=True, temperature=0.5)
                assert "".join(texts(stream)) == TEXT
    assert [request.body["temperature"] for request in mock_server.requests] == [0.5, 0.5]


def test_middleware_of_starlette_may_surround_the_app(mock_server: MockServer) -> None:
    async def add_header(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-seen"] = "yes"
        return response

    app = openai_app({"fish": chat_model(mock_server)}, prefix="")
    app.add_middleware(BaseHTTPMiddleware, dispatch=add_header)
    with serve(app) as url, client(url, base_url=url) as sdk:
        whole = sdk.chat.completions.with_raw_response.create(model="fish", messages=USER)
        stream = sdk.chat.completions.with_raw_response.create(model="fish", messages=USER, stream=True)
        assert "".join(texts(stream.parse())) == TEXT
        for raw in (whole, stream):
            assert raw.headers["x-seen"] == "yes"
            assert str(raw.request_id).startswith("req_")
        mock_server.reply = Reply(fault=Stall(after=1))
        left = sdk.chat.completions.create(model="fish", messages=USER, stream=True)
        next(iter(left))
        left.close()
        mock_server.wait_until(lambda: mock_server.connections.closed > 0)


def test_the_async_client_reads_all_apis(mock_server: MockServer) -> None:
    asyncio.run(read_all_apis(mock_server))


async def read_all_apis(mock_server: MockServer) -> None:
    models = {"fish": chat_model(mock_server), "llm": llm(mock_server)}
    with serve(openai_app(models)) as url:
        async with async_client(url) as sdk:
            whole = await sdk.chat.completions.create(model="fish", messages=USER)
            chunks = [c async for c in await sdk.chat.completions.create(model="fish", messages=USER, stream=True)]
            plain = [c async for c in await sdk.completions.create(model="llm", prompt="p", stream=True)]
            async with sdk.responses.stream(model="fish", input="Fish?") as events:
                response = await events.get_final_response()
            async with sdk.chat.completions.stream(model="fish", messages=USER) as stream:
                final = await stream.get_final_completion()
            names = [model.id async for model in sdk.models.list()]
            with pytest.raises(openai.NotFoundError):
                await sdk.responses.create(model="bird", input="x")
    assert whole.choices[0].message.content == "".join(texts(chunks)) == response.output_text == TEXT
    assert final.choices[0].message.content == "".join(c.choices[0].text for c in plain) == TEXT
    assert names == ["fish", "llm"]


def test_requests_with_an_unusable_body_do_not_begin_a_stream(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk, pytest.raises(openai.BadRequestError):
        sdk.chat.completions.create(model="fish", messages=[], stream=True)
    assert not mock_server.requests
