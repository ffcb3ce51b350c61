"""Models of LangChain and of Millstream as clients of ``openai_app``, which serves models, chains and graphs."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import langchain_openai
import openai
import pytest
from pydantic import BaseModel

import millstream
from millstream.messages import AIMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import openai_app
from millstream.testing import VERSE, ErrorStatus, MockServer, Reply
from openai_served import TOOL, USER, chat_model, llm, of_app, served
from serving import serve

TEXT = "".join(VERSE)
KINDS: dict[str, Callable[..., Any]] = {"millstream": millstream.ChatOpenAI, "langchain": langchain_openai.ChatOpenAI}
LLMS: dict[str, Callable[..., Any]] = {"millstream": millstream.OpenAI, "langchain": langchain_openai.OpenAI}


@contextmanager
def relayed(kind: str, upstream: MockServer, **fields: Any) -> Iterator[tuple[Any, Any]]:
    """Yield a chat model of the app that serves a chat model, and the latter."""
    served_model = chat_model(upstream)
    with serve(openai_app({"fish": served_model})) as url:
        yield of_app(KINDS[kind], url, **fields), served_model


@pytest.mark.parametrize("kind", KINDS)
def test_a_chat_model_over_the_app_answers_as_the_model_itself(kind: str, mock_server: MockServer) -> None:
    with relayed(kind, mock_server, stream_usage=True) as (remote, direct):
        answers = remote.invoke("Name a fish."), direct.invoke("Name a fish.")
        chunks = [chunk.content for chunk in remote.stream("Name a fish.") if chunk.content]
        direct_chunks = [chunk.content for chunk in direct.stream("Name a fish.") if chunk.content]
        usages = [chunk.usage_metadata for chunk in remote.stream("Name a fish.") if chunk.usage_metadata]
        batch = [answer.content for answer in remote.batch(["a", "b"])]
    assert answers[0].content == answers[1].content
    assert answers[0].usage_metadata == answers[1].usage_metadata
    assert answers[0].response_metadata["finish_reason"] == "stop"
    assert chunks == direct_chunks
    assert [usage["output_tokens"] for usage in usages] == [answers[1].usage_metadata["output_tokens"]]
    assert batch == [TEXT, TEXT]


@pytest.mark.parametrize("kind", KINDS)
def test_an_async_chat_model_over_the_app_answers_as_the_model_itself(kind: str, mock_server: MockServer) -> None:
    async def read(remote: Any) -> tuple[Any, list[Any], list[Any]]:
        answer = await remote.ainvoke("Name a fish.")
        chunks = [chunk.content async for chunk in remote.astream("Name a fish.")]
        events = [event["event"] async for event in remote.astream_events("Name a fish.", version="v2")]
        return answer.content, chunks, events

    with relayed(kind, mock_server) as (remote, _):
        answer, chunks, events = asyncio.run(read(remote))
    assert answer == "".join(chunks) == TEXT
    assert (events[0], events[-1]) == ("on_chat_model_start", "on_chat_model_end")


@pytest.mark.parametrize("kind", KINDS)
def test_tools_work_through_two_models(kind: str) -> None:
    calls = [{"name": "weather", "args": {"city": "Genève"}, "id": "call_1"}]
    with MockServer(Reply(tool_calls=calls)) as upstream, relayed(kind, upstream) as (remote, _):
        bound = remote.bind_tools([TOOL])
        answer = bound.invoke("Weather?")
        total: Any = None
        for chunk in bound.stream("Weather?"):
            total = chunk if total is None else total + chunk
        upstream.reply = Reply()
        final = bound.invoke(
            [("user", "Weather?"), answer, {"role": "tool", "tool_call_id": "call_1", "content": "rain"}]
        )
        sent = upstream.requests[-1].body
    wanted = [{"name": "weather", "args": {"city": "Genève"}, "id": "call_1", "type": "tool_call"}]
    assert answer.tool_calls == total.tool_calls == wanted
    assert final.content == TEXT
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool"]
    assert sent["messages"][1]["tool_calls"][0]["id"] == "call_1"
    assert sent["tools"] == [TOOL]


@pytest.mark.parametrize("kind", KINDS)
def test_structured_output_works_through_two_models(kind: str) -> None:
    class Fish(BaseModel):
        """A fish."""

        name: str

    with MockServer(Reply(pieces=['{"na', 'me": "Nemo"}'])) as upstream, relayed(kind, upstream) as (remote, _):
        answer = remote.with_structured_output(Fish, method="json_schema").invoke("Name a fish.")
        assert upstream.requests[-1].body["response_format"]["json_schema"]["name"] == "Fish"
    assert answer == Fish(name="Nemo")


def test_langchains_model_uses_the_responses_api_of_the_app(mock_server: MockServer) -> None:
    with relayed("langchain", mock_server, use_responses_api=True, output_version="responses/v1") as (remote, _):
        answer = remote.invoke([("system", "Be brief."), ("user", "Name a fish.")])
        chunks = list(remote.stream("Name a fish."))
    assert answer.text == "".join(chunk.text for chunk in chunks) == TEXT
    assert answer.response_metadata["status"] == "completed"
    assert [message["role"] for message in mock_server.requests[0].body["messages"]] == ["system", "user"]
    assert sum(chunk.usage_metadata["output_tokens"] for chunk in chunks if chunk.usage_metadata) > 0


def test_langchains_model_calls_tools_by_the_responses_api_of_the_app() -> None:
    calls = [{"name": "weather", "args": {"city": "Bern"}, "id": "call_1"}]
    with (
        MockServer(Reply(tool_calls=calls)) as upstream,
        relayed("langchain", upstream, use_responses_api=True) as (remote, _),
    ):
        bound = remote.bind_tools([TOOL])
        answer = bound.invoke("Weather?")
        upstream.reply = Reply()
        final = bound.invoke(
            [("user", "Weather?"), answer, {"role": "tool", "tool_call_id": "call_1", "content": "rain"}]
        )
        sent = upstream.requests[-1].body["messages"]
    assert [(call["name"], call["args"], call["id"]) for call in answer.tool_calls] == [
        ("weather", {"city": "Bern"}, "call_1")
    ]
    assert final.text == TEXT
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]


@pytest.mark.parametrize("kind", LLMS)
def test_an_llm_over_the_app_answers_as_the_llm_itself(kind: str, mock_server: MockServer) -> None:
    direct = llm(mock_server)
    with serve(openai_app({"fish": direct})) as url:
        remote = of_app(LLMS[kind], url)
        assert remote.invoke("Once") == direct.invoke("Once") == TEXT
        assert list(remote.stream("Once")) == list(direct.stream("Once"))
        assert [
            [choice.text for choice in choices]
            for choice_lists in [remote.generate(["a", "b"], n=2)]
            for choices in choice_lists.generations
        ] == [[TEXT, TEXT]] * 2
        result = remote.generate(["a"])
    assert result.llm_output["token_usage"]["completion_tokens"] > 0
    assert result.generations[0][0].generation_info["finish_reason"] == "stop"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_upstream_is_the_same_exception_of_the_client(kind: str) -> None:
    errors: dict[int, tuple[type[Exception], type[Exception]]] = {
        400: (millstream.BadRequestError, openai.BadRequestError),
        401: (millstream.AuthenticationError, openai.AuthenticationError),
        429: (millstream.RateLimitError, openai.RateLimitError),
        503: (millstream.InternalServerError, openai.InternalServerError),
    }
    for status, kinds in errors.items():
        with MockServer(Reply(fault=ErrorStatus(status))) as upstream, relayed(kind, upstream) as (remote, _):
            for call in (remote.invoke, lambda text, remote=remote: list(remote.stream(text))):
                with pytest.raises(kinds[kind == "langchain"]):
                    call("Name a fish.")


def test_a_chain_over_the_app_is_a_step_of_another_chain(mock_server: MockServer) -> None:
    inner = ChatPromptTemplate.from_template("Say {text}.") | chat_model(mock_server) | StrOutputParser()
    with serve(openai_app({"fish": inner})) as url:
        outer = ChatPromptTemplate.from_template("{animal}") | of_app(millstream.ChatOpenAI, url) | StrOutputParser()
        assert "".join(outer.stream({"animal": "fish"})) == outer.invoke({"animal": "fish"}) == TEXT
    assert mock_server.requests[-1].body["messages"] == [{"role": "user", "content": "Say fish."}]


# What only some models send.


def test_log_probabilities_reach_the_client_whole_and_streamed() -> None:
    token = {"token": "Hi", "bytes": [72, 105], "logprob": -0.5, "top_logprobs": []}
    whole = {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."},
                "logprobs": {"content": [token], "refusal": None},
                "finish_reason": "stop",
            }
        ],
    }
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [token], "refusal": None}}]}
    thought = {"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "Hm."}}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    frames = [f"data: {json.dumps(frame)}\n\n".encode() for frame in (thought, chunk, end)]

    def reply(request: Any) -> Reply:
        if request.body["stream"]:
            return Reply(body=[*frames, b"data: [DONE]\n\n"])
        return Reply(body=json.dumps(whole).encode(), content_type="application/json")

    with MockServer(reply) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        arguments: Any = {"model": "fish", "messages": USER, "logprobs": True}
        answer = sdk.chat.completions.create(**arguments).choices[0]
        chunks = list(sdk.chat.completions.create(**arguments, stream=True))
        response: Any = sdk.responses.create(
            model="fish", input="Hi?", include=["message.output_text.logprobs"], reasoning={"effort": "low"}
        )
    assert answer.logprobs is not None
    streamed = [choice.logprobs for chunk in chunks for choice in chunk.choices if choice.logprobs]
    assert answer.logprobs.to_dict() == streamed[0].to_dict() == {"content": [token], "refusal": None}
    thoughts = [getattr(choice.delta, "reasoning_content", None) for chunk in chunks for choice in chunk.choices]
    assert (getattr(answer.message, "reasoning_content", None), thoughts[0]) == ("Hm.", "Hm.")
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output[0].summary[0].text == "Hm."
    assert response.output[1].content[0].logprobs[0].token == "Hi"


def test_log_probabilities_of_completions_reach_the_client(mock_server: MockServer) -> None:
    logprobs = {"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": [{"Hi": -0.5}], "text_offset": [0]}
    whole = {"choices": [{"index": 0, "text": "Hi", "logprobs": logprobs, "finish_reason": "stop"}]}
    body = json.dumps(whole).encode()
    with (
        MockServer(Reply(body=body, content_type="application/json")) as upstream,
        served({"fish": llm(upstream)}) as sdk,
    ):
        choice = sdk.completions.create(model="fish", prompt="p", logprobs=1).choices[0]
        upstream.reply = Reply(body=b"data: " + body + b"\n\ndata: [DONE]\n\n")
        chunks = list(sdk.completions.create(model="fish", prompt="p", logprobs=1, stream=True))
    assert choice.logprobs is not None
    assert choice.logprobs.to_dict() == logprobs
    assert next(chunk.choices[0].logprobs for chunk in chunks if chunk.choices[0].logprobs).to_dict() == logprobs


def test_an_answer_of_another_provider_has_its_reasons_in_openais_words() -> None:
    reasons = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls", "odd": "odd"}
    from millstream.runnables import RunnableLambda

    call: Any = {"name": "weather", "args": {}, "id": "call_1"}

    def answer(theirs: str) -> Any:
        calls = [call] if theirs == "tool_use" else []
        return RunnableLambda(lambda _: AIMessage("Hi", tool_calls=calls, response_metadata={"stop_reason": theirs}))

    models = {theirs: answer(theirs) for theirs in reasons}
    with served(models) as sdk:
        found = {
            name: sdk.chat.completions.create(model=name, messages=USER).choices[0].finish_reason for name in models
        }
        ends = {
            name: list(sdk.chat.completions.create(model=name, messages=USER, stream=True))[-1].choices[0].finish_reason
            for name in models
        }
    assert found == ends == reasons


def test_a_whole_answer_has_the_text_and_the_reasoning_of_a_streamed_one() -> None:
    from millstream.runnables import RunnableLambda

    content: Any = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Hi"}]
    answer = AIMessage(content, additional_kwargs={"reasoning_content": "Another."})
    with served({"fish": RunnableLambda(lambda _: answer)}) as sdk:
        whole = sdk.chat.completions.create(model="fish", messages=USER).choices[0].message
        chunks = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    for name, expected in (("content", "Hi"), ("reasoning_content", "Hm.")):
        assert getattr(whole, name) == "".join(getattr(delta, name, None) or "" for delta in deltas) == expected
