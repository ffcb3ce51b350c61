"""Arguments of our LangChain chat models and of their calls, beside langchain-openai's."""

import json
import warnings
from contextlib import suppress
from typing import Any

import pytest

from langchain_chat import ainvoke, body_of, chat_models, choice, describe, invoke, outcomes, payload
from millstream.integrations import langchain as ours
from millstream.testing import MockServer, Reply
from sdk_clients import sent_by

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
    from langchain_core.rate_limiters import InMemoryRateLimiter

RUN_ID = "01a218a8-faa0-764b-bf9a-8feb56372dd6"
HEADERS = {"x-request-id": "r", "x-more": "1", "date": "now"}
CALL = {"name": "add", "args": {"a": 1}, "id": "call_1", "type": "tool_call"}
DIALOGUE = [
    SystemMessage("s"),
    HumanMessage([{"type": "text", "text": "h"}, {"type": "image", "base64": "aGk=", "mime_type": "image/png"}]),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage("2", tool_call_id="call_1"),
    HumanMessage("h", name="n"),
]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}

# Arguments of the constructor, and of the call.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "parameters": (
        {
            **{"temperature": 0, "top_p": 0.5, "seed": 7, "max_tokens": 5, "frequency_penalty": 1, "logprobs": True},
            **{"top_logprobs": 2, "logit_bias": {1: 2}, "stop": ["a"], "reasoning_effort": "low", "verbosity": "low"},
            **{"service_tier": "flex", "store": True, "model_kwargs": {"user": "u"}, "extra_body": {"top_k": 1}},
        },
        {},
    ),
    "arguments of the call": ({"temperature": 0}, {"stop": ["b"], "temperature": 1, "max_tokens": 7, "user": "v"}),
    "usage": ({"stream_usage": True}, {}),
    "usage of the call": ({}, {"stream_usage": True}),
    "no usage": ({"stream_usage": True}, {"stream_usage": False}),
    "usage by the option": ({}, {"stream_options": {"include_usage": True}}),
    "a dialogue": ({}, {"input": DIALOGUE}),
    "an o model": ({"model": "o3"}, {"input": [("system", "s"), ("human", "h")]}),
    "tools": ({}, {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False}),
    "headers": ({"default_headers": {"X-A": "1", "X-B": "2"}}, {"extra_headers": {"X-A": "3"}}),
    "queries": ({"default_query": {"a": "1"}}, {"extra_query": {"b": ["x", "y"]}}),
    "bodies": ({"extra_body": {"a": 1}}, {"extra_body": {"b": 2}}),
    "an organization": ({"organization": "o"}, {}),
    "a timeout": ({"timeout": 7}, {}),
    "a timeout of the call": ({"timeout": 7}, {"timeout": 3.5}),
    "timeouts": ({"timeout": (1.0, 2.0)}, {}),
    "a computed key": ({"api_key": lambda: "computed"}, {}),
    "response headers": ({"include_response_headers": True}, {}),
    "a key of the gateway": ({"api_key": "lsv2_key"}, {}),
    "version 1": ({"output_version": "v1"}, {}),
    "streaming": ({"streaming": True}, {}),
    "no streaming": ({"streaming": False}, {}),
    "streaming disabled": ({"disable_streaming": True}, {}),
    "streaming disabled for tools": ({"disable_streaming": "tool_calling"}, {"tools": [TOOL]}),
    "not streamed by the call": ({}, {"stream": False}),
    "two choices": ({"n": 2}, {}),
    "two choices of the call": ({}, {"n": 2}),
    "a rate limiter": (
        {"rate_limiter": InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)},
        {},
    ),
    "a run id and the rest of a config": (
        {"tags": ["t"], "metadata": {"m": 1}},
        {
            "config": {
                "run_id": "01a218a8-faa0-764b-bf9a-8feb56372dd6",
                "run_name": "r",
                "tags": ["u"],
                "metadata": {"n": 2},
            }
        },
    ),
    "the format for tracing": (
        {},
        {"ls_structured_output_format": {"kwargs": {"method": "m"}, "schema": {"title": "S"}}},
    ),
    "a JSON format": ({}, {"response_format": {"type": "json_object"}}),
    "an unknown argument": ({}, {"colour": 1}),
    "an input of a wrong type": ({}, {"input": ["p"]}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_requests_and_chunks_are_those_of_langchain(name: str) -> None:
    arguments, call = CASES[name]
    with chat_models(Reply(headers=HEADERS), **arguments) as (model, peer, server):
        if name == "an input of a wrong type":
            call = {**call, "input": 5}
            with pytest.raises(ValueError, match="Invalid input type"):
                list(model.stream(5))
            return
        found, expected = describe_calls(model, call), describe_calls(peer, call)
        assert found == expected
        sent = [sent_by(request) for request in server.requests]
        assert sent[: len(sent) // 2] == sent[len(sent) // 2 :]


def describe_calls(model: Any, call: dict[str, Any]) -> list[Any]:
    """Return the outcomes of streams and of calls."""
    whole = {key: value for key, value in call.items() if key != "config"}
    return list(_without_numbers([outcomes(model, **call), invoke(model, **whole), ainvoke(model, **whole)]))


def _without_numbers(value: Any) -> Any:
    """Return a description without the numbers that the server counts up, and the length of a body with them."""
    if isinstance(value, dict):
        left_out = ("x-request-id", "id", "content-length")
        return {key: _without_numbers(part) for key, part in value.items() if key not in left_out}
    if isinstance(value, list | tuple):
        return [_without_numbers(part) for part in value]
    return value


def test_usage_is_requested_as_langchain_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    classes: list[Any] = [ours.ChatOpenAI, langchain_openai.ChatOpenAI]
    for arguments in ({}, {"base_url": "http://h"}, {"stream_usage": False}, {"openai_proxy": "http://127.0.0.1:9"}):
        usages = [cls(model="m", **arguments).stream_usage for cls in classes]
        assert usages[0] is usages[1]


def test_azure_is_that_of_langchain() -> None:
    filtered = {"hate": {"filtered": False}}
    body = body_of([
        {"choices": [], "prompt_filter_results": [filtered]},
        payload(choice({"role": "assistant", "content": ""})),
        payload(choice({"content": "a"}, content_filter_results=filtered)),
        payload(choice({}, finish_reason="stop", content_filter_results={})),
    ])  # fmt: skip
    with chat_models(Reply(body=body), azure=True, model_version="v1") as (model, peer, server):
        assert outcomes(model) == outcomes(peer)
        sent = [sent_by(request) for request in server.requests]
        assert sent[: len(sent) // 2] == sent[len(sent) // 2 :]
        assert model.azure_ad_token is None
    whole = payload({"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"})
    for finish in ("stop", "content_filter"):
        whole["choices"][0].update(finish_reason=finish, content_filter_results=filtered)
        answer = body_of([], done=False) + str.encode(json.dumps({**whole, "prompt_filter_results": [filtered]}))
        with chat_models(Reply(body=answer, content_type="application/json"), azure=True) as (model, peer, _):
            assert _without_numbers(invoke(model)) == _without_numbers(invoke(peer))
            assert _without_numbers(ainvoke(model)) == _without_numbers(ainvoke(peer))


def test_all_parts_of_a_whole_message_are_those_of_langchain() -> None:
    message = {
        **{"role": "assistant", "content": None, "refusal": "no", "audio": {"id": "a", "data": "", "transcript": "t"}},
        "function_call": {"name": "f", "arguments": "{}"},
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        **{"annotations": [], "reasoning_content": "r"},
    }
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 1},
    }
    choices = [
        {"index": index, "message": message, "finish_reason": "stop", "logprobs": None, "more": 1} for index in range(2)
    ]
    body = json.dumps({**payload(*choices, usage=usage, service_tier="flex"), "more": 1}).encode()
    reply = Reply(body=body, content_type="application/json", headers=HEADERS)
    with chat_models(reply, n=2, include_response_headers=True) as (model, peer, _):
        assert invoke(model) == invoke(peer)
        assert ainvoke(model) == ainvoke(peer)
        assert describe(model.generate([DIALOGUE])) == describe(peer.generate([DIALOGUE]))


def test_tokens_of_azure_are_those_of_langchain() -> None:
    async def token() -> str:
        return "async"

    provided: dict[str, Any] = {
        "api_key": None,
        "azure_ad_token_provider": lambda: "sync",
        "azure_ad_async_token_provider": token,
    }
    with chat_models(Reply(), azure=True, **provided) as (model, peer, server):
        assert _without_numbers(outcomes(model)) == _without_numbers(outcomes(peer))
        sent = [sent_by(request) for request in server.requests]
        assert sent[: len(sent) // 2] == sent[len(sent) // 2 :]
        assert {headers["authorization"] for _, _, headers, _ in sent} == {"Bearer sync", "Bearer async"}


@pytest.mark.parametrize("way", ["an argument", "the environment", "the environment, but not for this host"])
def test_a_proxy_is_used_as_langchain_uses_it(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    classes: list[Any] = [ours.ChatOpenAI, langchain_openai.ChatOpenAI]
    models = []
    with MockServer() as proxy, MockServer() as server:
        url, arguments = "http://elsewhere.test/v1", {}
        if way == "an argument":
            arguments = {"openai_proxy": proxy.origin}
        else:
            monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        if way == "the environment, but not for this host":
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            url = server.url
        for cls in classes:
            model = cls(model="m", api_key="k", base_url=url, max_retries=0, **arguments)
            for call in (lambda: list(model.stream("p")), lambda: model.invoke("p")):  # noqa: B023
                with suppress(Exception):
                    call()
            models.append(model)
        # langchain-openai keeps one default HTTP client for all models.
        for model in models:
            model.root_client.close()
        sent = [sent_by(request) for request in (*proxy.requests, *server.requests)]
        assert len(sent) == 4
        assert sent[:2] == sent[2:]
        assert bool(server.requests) is (url == server.url)
