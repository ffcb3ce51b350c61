"""The requests of ``OpenAI``, compared with LangChain's."""

import asyncio
import json
from typing import Any

import pytest

from endings import streamed
from langchain_peer import KEY, apeer, last_two, llm_of, peer
from millstream import OpenAI
from millstream.language_models import SecretStr
from millstream.testing import MockServer, RecordedRequest, Reply
from millstream.testing.memory import MemoryTransport

ANSWER = {
    "id": "cmpl-1",
    "object": "text_completion",
    "model": "m",
    "choices": [{"index": 0, "text": "t", "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}

# Constructor arguments, then those of the call.
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("defaults", {}, {}),
    ("the page", {"model": "gpt-3.5-turbo-instruct", "temperature": 0, "max_tokens": 512}, {}),
    ("a model by its other name", {"model_name": "m"}, {}),
    ("everything", {"top_p": 0.5, "frequency_penalty": 1, "presence_penalty": -1, "seed": 7, "logprobs": 2}, {}),
    ("a bias", {"logit_bias": {"50256": -100}}, {}),
    ("model_kwargs", {"model_kwargs": {"user": "u", "suffix": "s"}}, {}),
    ("extra_body", {"extra_body": {"min_p": 0.1, "temperature": 2}}, {}),
    ("per call", {}, {"temperature": 0.1, "user": "u", "stream_options": {"include_usage": True}}),
    ("extra_body per call", {}, {"extra_body": {"top_k": 5}}),
    ("a stop", {}, {"stop": ["\n"]}),
    ("a stop as text", {}, {"stop": "\n"}),
]
CASE_IDS = [case[0] for case in CASES]


STREAM = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(("name", "fields", "arguments"), CASES, ids=CASE_IDS)
def test_the_body_of_a_stream_is_langchains(
    mock_server: MockServer, name: str, fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    with peer(mock_server.url, **fields) as theirs:
        list(theirs.stream("p", **arguments))
    list(llm_of(mock_server, **fields).stream("p", **arguments))
    expected, body = last_two(mock_server)
    assert body == expected


@pytest.mark.parametrize(("name", "fields", "arguments"), CASES, ids=CASE_IDS)
def test_the_body_of_an_astream_is_langchains(
    mock_server: MockServer, name: str, fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    async def both() -> None:
        async with apeer(mock_server.url, **fields) as theirs:
            async for _ in theirs.astream("p", **arguments):
                pass
        async for _ in llm_of(mock_server, **fields).astream("p", **arguments):
            pass

    asyncio.run(both())
    expected, body = last_two(mock_server)
    assert body == expected


@pytest.mark.parametrize(("name", "fields", "arguments"), CASES, ids=CASE_IDS)
def test_the_body_of_an_invoke_is_langchains(
    mock_server: MockServer, name: str, fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    arguments = {key: value for key, value in arguments.items() if key != "stream_options"}
    with peer(mock_server.url, **fields) as theirs:
        expected_text = theirs.invoke("p", **arguments)
    assert llm_of(mock_server, **fields).invoke("p", **arguments) == expected_text
    expected, body = last_two(mock_server)
    assert body == expected


def test_invoke_of_a_streaming_model_streams_as_langchains(mock_server: MockServer) -> None:
    with peer(mock_server.url, streaming=True) as theirs:
        expected_text = theirs.invoke("p", stop=["x"])
    assert llm_of(mock_server, streaming=True).invoke("p", stop=["x"]) == expected_text
    expected, body = last_two(mock_server)
    assert body == expected


def test_a_batch_is_split_into_langchains_groups(mock_server: MockServer) -> None:
    inputs = ["a", "b", "c", "d", "e"]
    with peer(mock_server.url, batch_size=2) as theirs:
        expected_texts = theirs.batch(inputs)
    assert llm_of(mock_server, batch_size=2).batch(inputs) == expected_texts
    bodies = [request.body for request in mock_server.requests]
    assert [body["prompt"] for body in bodies] == [["a", "b"], ["c", "d"], ["e"]] * 2
    assert bodies[:3] == bodies[3:]


def test_max_concurrency_splits_a_batch_as_in_langchain(mock_server: MockServer) -> None:
    inputs = ["a", "b", "c"]
    with peer(mock_server.url) as theirs:
        theirs.batch(inputs, {"max_concurrency": 2})
    llm_of(mock_server).batch(inputs, {"max_concurrency": 2})
    prompts = [request.body["prompt"] for request in mock_server.requests]
    assert prompts == [["a", "b"], ["c"]] * 2


def test_messages_become_langchains_prompt(mock_server: MockServer) -> None:
    messages: list[Any] = [("system", "s"), ("human", "h"), {"role": "assistant", "content": "a"}, "u"]
    with peer(mock_server.url) as theirs:
        list(theirs.stream(messages))
    list(llm_of(mock_server).stream(messages))
    expected, body = last_two(mock_server)
    assert body == expected
    assert dict(body)["prompt"] == "System: s\nHuman: h\nAI: a\nHuman: u"


def test_max_tokens_of_minus_one_leaves_the_field_out(mock_server: MockServer) -> None:
    model = llm_of(mock_server, max_tokens=-1)
    list(model.stream("p"))
    model.batch(["a", "b"])
    assert ["max_tokens" in request.body for request in mock_server.requests] == [False, False]


def test_stream_usage_requests_the_usage_of_streams_only(mock_server: MockServer) -> None:
    model = llm_of(mock_server, stream_usage=True)
    list(model.stream("p"))
    model.invoke("p")
    list(model.stream("p", stream_usage=False))
    options = [request.body.get("stream_options") for request in mock_server.requests]
    assert options == [{"include_usage": True}, None, None]
    assert all("stream_usage" not in request.body for request in mock_server.requests)


# Headers, URL, query.


def headers_of(request: RecordedRequest) -> dict[str, str]:
    """Return the headers about the request, without those about the SDK or the socket."""
    passed = ("x-stainless-", "connection", "host", "accept-encoding", "user-agent", "content-length")
    return {name: value for name, value in request.headers.items() if not name.startswith(passed)}


def test_the_headers_that_matter_are_langchains(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj")
    fields: dict[str, Any] = {
        "organization": "org",
        "default_headers": {"X-Mine": "1", "Accept": "text/event-stream"},
        "default_query": {"api-version": "2024", "tags": ["a", "b"], "on": True},
    }
    arguments: dict[str, Any] = {"extra_headers": {"X-Call": "2"}, "extra_query": {"q": "ü"}}
    with peer(mock_server.url, **fields) as theirs:
        list(theirs.stream("p", **arguments))
    list(llm_of(mock_server, **fields).stream("p", **arguments))
    expected, request = mock_server.requests
    assert headers_of(request) == headers_of(expected)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert (request.headers["openai-organization"], request.headers["openai-project"]) == ("org", "proj")
    assert request.headers["user-agent"].startswith("Millstream/")


def test_the_query_is_encoded_as_by_the_sdk() -> None:
    transport = MemoryTransport([STREAM])
    model = OpenAI(api_key="k", http_client=transport, default_query={"a": [1, 2], "b": True, "c": {"d": "é "}})
    list(model.stream("p", extra_query={"e": None}))
    (request,) = transport.requests
    assert request.url == "https://api.openai.com/v1/completions?a%5B%5D=1&a%5B%5D=2&b=true&c%5Bd%5D=%C3%A9%20&e="


def test_a_key_may_be_a_text_a_secret_or_a_function() -> None:
    async def later() -> str:
        return "from later"

    def sent(key: Any, *, asynchronous: bool = False) -> str:
        transport = MemoryTransport([STREAM])
        model = OpenAI(api_key=key, http_client=transport)
        streamed(model, asynchronous)
        return transport.requests[0].headers["authorization"]

    assert sent("text") == "Bearer text"
    assert sent(SecretStr("ours")) == "Bearer ours"
    assert sent(lambda: "now") == "Bearer now"
    assert sent(lambda: "now", asynchronous=True) == "Bearer now"
    assert sent(later, asynchronous=True) == "Bearer from later"
    with pytest.raises(TypeError, match="async"):
        sent(later)


def test_a_function_is_called_for_the_key_of_every_request() -> None:
    keys = iter(["first", "second"])
    transport = MemoryTransport([STREAM])
    model = OpenAI(api_key=lambda: next(keys), http_client=transport)
    list(model.stream("p"))
    list(model.stream("p"))
    assert [request.headers["authorization"] for request in transport.requests] == ["Bearer first", "Bearer second"]


def test_a_header_cannot_contain_a_line_end() -> None:
    transport = MemoryTransport([STREAM])
    with pytest.raises(ValueError, match="api_key") as caught:
        list(OpenAI(api_key="k\r\nx-evil: 1", http_client=transport).stream("p"))
    assert "evil" not in str(caught.value)
    assert transport.requests == []


@pytest.mark.parametrize("base", ["/v1", "/v1/"])
def test_a_slash_at_the_end_of_the_base_url_makes_no_difference(mock_server: MockServer, base: str) -> None:
    list(OpenAI(base_url=mock_server.origin + base, api_key="k").stream("p"))
    assert mock_server.requests[-1].path == "/v1/completions"


def test_a_prompt_with_half_a_surrogate_is_sent_as_an_escape() -> None:
    transport = MemoryTransport([STREAM])
    list(OpenAI(api_key="k", http_client=transport).stream("\ud83c"))
    assert json.loads(transport.requests[0].body)["prompt"] == "\ud83c"


def test_a_body_may_contain_integers_of_any_size_and_keys_that_are_numbers() -> None:
    transport = MemoryTransport([STREAM])
    bias: Any = {50256: -100}
    list(OpenAI(api_key="k", http_client=transport, logit_bias=bias).stream("p", seed=10**30))
    body = json.loads(transport.requests[0].body)
    assert (body["logit_bias"], body["seed"]) == ({"50256": -100}, 10**30)


def test_bound_arguments_are_sent_unless_the_call_overrides_them(mock_server: MockServer) -> None:
    bound = llm_of(mock_server).bind(stop=["\n"], user="u")
    list(bound.stream("p"))
    bound.invoke("p", user="v")
    bound.bind(seed=1).batch(["p"])
    sent = [(r.body["stop"], r.body["user"], r.body["seed"]) for r in mock_server.requests]
    assert sent == [(["\n"], "u", None), (["\n"], "v", None), (["\n"], "u", 1)]


def test_a_server_that_ends_its_body_with_the_connection_is_read_as_well() -> None:
    with MockServer(Reply(framing="close")) as server:
        assert len(list(llm_of(server).stream("p"))) == 29
        assert llm_of(server).invoke("p").endswith("delight")
