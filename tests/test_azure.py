"""``AzureChatOpenAI``: the URLs and the bodies of its requests, compared with LangChain's."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_peer import aclients, allow_v1, clients, dump_messages, normalize_events

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai

from cases import load_wire
from millstream import AzureChatOpenAI
from millstream.errors import MillstreamError
from millstream.testing import MockServer, Reply
from millstream.testing.memory import MemoryTransport

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
    "prompt_filter_results": [{"prompt_index": 0}],
}
WHOLE = Reply(body=json.dumps(ANSWER).encode(), content_type="application/json")
(STREAMED,) = (Reply(body=case["body"]) for case in load_wire("openai.chat") if case["name"] == "openai-chat-usage.sse")
NAMES = (
    *("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT"),
    *("OPENAI_API_VERSION", "OPENAI_API_BASE", "OPENAI_BASE_URL"),
)


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset the environment variables of Azure."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def record_urls(urls: list[str]) -> Iterator[dict[str, Any]]:
    """Return HTTP clients that record the URLs of requests."""
    with clients() as http_clients:
        http_clients["http_client"].event_hooks = {"request": [lambda request: urls.append(str(request.url))]}
        yield http_clients


def list_requests(server: MockServer) -> list[tuple[Any, ...]]:
    """Return the credentials and the bodies of the last two requests."""
    return [
        (
            request.headers.get("api-key"),
            request.headers.get("authorization"),
            list(request.body.items()),
        )
        for request in server.requests[-2:]
    ]


def list_arguments(url: str) -> list[tuple[str, dict[str, Any]]]:
    base = url.removesuffix("/v1")
    version = {"api_version": "2024-10-21"}
    return [
        ("a deployment", {"azure_endpoint": base, "azure_deployment": "d", "api_key": "k", **version}),
        ("a model", {"azure_endpoint": f"{base}/", "model": "gpt-4o", "api_key": "k", **version}),
        ("both", {"azure_endpoint": base, "azure_deployment": "d", "model": "gpt-4o", "api_key": "k", **version}),
        ("a whole URL", {"base_url": f"{base}/openai/deployments/d", "api_key": "k", **version}),
        ("a token", {"azure_endpoint": base, "azure_deployment": "d", "azure_ad_token": "t", **version}),
        (
            "a provider of tokens",
            {"azure_endpoint": base, "azure_deployment": "d", "azure_ad_token_provider": lambda: "p", **version},
        ),
        (
            "a limit",
            {"azure_endpoint": base, "azure_deployment": "d", "api_key": "k", "max_tokens": 5, "seed": 1, **version},
        ),
    ]


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("streams", [False, True], ids=["invoke", "stream"])
def test_requests_are_langchains(place: int, streams: bool) -> None:
    urls: list[str] = []
    with MockServer(STREAMED if streams else WHOLE) as server, record_urls(urls) as http_clients:
        _, arguments = list_arguments(server.url)[place]
        theirs = langchain_openai.AzureChatOpenAI(**http_clients, **arguments)
        expected: Any = list(theirs.stream("p")) if streams else theirs.invoke("p")
        ours = AzureChatOpenAI(**http_clients, **arguments)
        found: Any = list(ours.stream("p")) if streams else ours.invoke("p")
        first, second = list_requests(server)
    assert second == first
    assert urls[1] == urls[0]
    if streams:
        assert dump_messages(found) == dump_messages(expected)
    else:
        assert dump_messages(found) == dump_messages(expected)
        assert found.response_metadata["prompt_filter_results"] == [{"prompt_index": 0}]


def test_events_are_langchains() -> None:
    with MockServer(STREAMED) as server:
        arguments = {**list_arguments(server.url)[2][1], "model_version": "0125"}

        async def read(model: Any) -> list[Any]:
            return [event async for event in model.astream_events("p", version="v2")]

        async def theirs() -> list[Any]:
            async with aclients() as http_clients:
                return await read(langchain_openai.AzureChatOpenAI(**http_clients, **arguments))

        with allow_v1():
            expected = asyncio.run(theirs())
        found = asyncio.run(read(AzureChatOpenAI(**arguments)))
    assert normalize_events(found) == normalize_events(expected)
    assert found[0]["metadata"]["ls_model_name"] == "gpt-4o-0125"


def test_async_code_calls_the_async_token_provider() -> None:
    async def provide() -> str:
        return "async"

    with MockServer(WHOLE) as server:
        arguments = {key: value for key, value in list_arguments(server.url)[0][1].items() if key != "api_key"}
        model = AzureChatOpenAI(**arguments, azure_ad_async_token_provider=provide)
        asyncio.run(model.ainvoke("p"))
        assert server.requests[-1].headers["authorization"] == "Bearer async"
        with pytest.raises(TypeError, match="azure_ad_token_provider"):
            model.invoke("p")
        both = AzureChatOpenAI(
            **arguments, azure_ad_async_token_provider=provide, azure_ad_token_provider=lambda: "sync"
        )
        both.invoke("p")
        assert server.requests[-1].headers["authorization"] == "Bearer sync"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from-env")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://host/")
    monkeypatch.setenv("OPENAI_API_VERSION", "v")
    transport = MemoryTransport([json.dumps(ANSWER).encode()])
    AzureChatOpenAI(azure_deployment="d", http_client=transport).invoke("p")
    (request,) = transport.requests
    assert request.url == "https://host/openai/deployments/d/chat/completions?api-version=v"
    assert request.headers["api-key"] == "from-env"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"api_key": "k", "api_version": "v"}, MillstreamError, "azure_endpoint"),
        ({"azure_endpoint": "http://h", "api_key": "k"}, MillstreamError, "api_version"),
        ({"azure_endpoint": "http://h", "api_version": "v"}, MillstreamError, "azure_ad_token"),
        ({"base_url": "http://h", "api_key": "k", "api_version": "v"}, ValueError, "/openai"),
        (
            {"base_url": "http://h/openai", "azure_deployment": "d", "api_key": "k", "api_version": "v"},
            ValueError,
            "contradict",
        ),
        (
            {"base_url": "http://h/openai", "azure_endpoint": "http://h", "api_key": "k", "api_version": "v"},
            ValueError,
            "contradict",
        ),
    ],
)
def test_missing_or_contradicting_arguments_raise_in_the_constructor(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AzureChatOpenAI(**arguments)


def test_a_withheld_answer_is_an_error() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}
    body = json.dumps({"choices": [choice]}).encode()
    with MockServer(Reply(body=body, content_type="application/json")) as server:
        model = AzureChatOpenAI(**list_arguments(server.url)[0][1])
        with pytest.raises(MillstreamError, match="content filter"):
            model.invoke("p")


def test_a_token_is_never_shown() -> None:
    arguments: Any = {"azure_endpoint": "http://h", "api_version": "v"}
    model = AzureChatOpenAI(**arguments, api_key="secret-key", azure_ad_token="secret-token")
    assert "secret" not in repr(model) + repr(model.asdict()) + repr(model.azure_ad_token)
