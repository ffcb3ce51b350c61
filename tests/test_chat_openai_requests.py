"""The requests of ``ChatOpenAI``, compared with LangChain's."""

import asyncio
import warnings
from typing import Annotated, Any, Literal, TypedDict

import pytest

from langchain_peer import KEY, achat_peer, chat_of, chat_peer, last_two
from millstream import ChatOpenAI
from millstream.messages import AIMessage, HumanMessage, ToolMessage
from millstream.testing import MockServer, Reply
from millstream.testing.memory import MemoryTransport

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel, Field

CALL = {"name": "add", "args": {"a": 1, "b": "é"}, "id": "call_1", "type": "tool_call"}
DIALOGUE: list[Any] = [
    ("system", "s"),
    ("developer", "d"),
    ("human", "h"),
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    ]},
    {"role": "tool", "content": "2", "tool_call_id": "call_1"},
    {"role": "user", "content": "u", "name": "n"},
    "t",
]  # fmt: skip
IMAGE: list[Any] = [
    {"role": "user", "content": [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "https://host/i.png", "detail": "low"}},
        {"type": "image", "source_type": "base64", "data": "aGk=", "mime_type": "image/png"},
        {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        {"type": "image", "url": "https://host/j.png"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "file", "base64": "aGk=", "mime_type": "application/pdf", "filename": "f.pdf"},
    ]},
]  # fmt: skip

# Constructor arguments, then those of the call, then the input.
CASES: list[tuple[str, dict[str, Any], dict[str, Any], Any]] = [
    ("defaults", {}, {}, "p"),
    ("the page", {"model": "gpt-4o-mini", "temperature": 0, "max_tokens": 512}, {}, "p"),
    ("the newer name of the limit", {"max_completion_tokens": 5}, {"max_tokens": 7}, "p"),
    (
        "everything",
        {
            **{"top_p": 0.5, "frequency_penalty": 1, "presence_penalty": -1, "seed": 7, "logprobs": True},
            **{"top_logprobs": 2, "logit_bias": {50256: -100}, "n": 2, "reasoning_effort": "low", "verbosity": "low"},
            **{"service_tier": "flex", "store": True, "stop": ["a"], "prompt_cache_options": {"ttl": "1h"}},
        },
        {},
        "p",
    ),
    ("a stop by its other name", {"stop_sequences": "x"}, {}, "p"),
    ("no stop at all", {"stop": []}, {}, "p"),
    ("model_kwargs", {"model_kwargs": {"user": "u"}}, {}, "p"),
    ("extra_body", {"extra_body": {"min_p": 0.1, "temperature": 2}}, {}, "p"),
    ("per call", {}, {"temperature": 0.1, "user": "u", "seed": 1, "reasoning_effort": "high", "model": "x"}, "p"),
    ("extra_body per call", {}, {"extra_body": {"top_k": 5}}, "p"),
    ("a stop per call", {"stop": ["a"]}, {"stop": ["\n"]}, "p"),
    ("usage asked for", {"stream_usage": True}, {}, "p"),
    ("usage asked for by the call", {}, {"stream_usage": True}, "p"),
    ("usage refused by the call", {"stream_usage": True}, {"stream_usage": False}, "p"),
    ("usage by its options", {}, {"stream_options": {"include_usage": True}}, "p"),
    ("an o-series model", {"model": "o1-mini"}, {}, [("system", "s"), ("human", "h")]),
    ("an o-series model with a temperature", {"model": "o1", "temperature": 0.5}, {}, "p"),
    ("a model that takes one temperature", {"model": "gpt-5", "temperature": 0.5}, {}, "p"),
    ("one that takes others for chat", {"model": "gpt-5-chat", "temperature": 0.5}, {}, "p"),
    ("without reasoning it takes others", {"model": "gpt-5", "temperature": 0, "reasoning_effort": "none"}, {}, "p"),
    ("a dialogue", {}, {}, DIALOGUE),
    ("images and files", {}, {}, IMAGE),
    ("tools", {}, {"tools": [{"type": "function", "function": {"name": "f"}}], "parallel_tool_calls": False}, "p"),
    ("functions", {}, {"functions": [{"name": "f"}], "function_call": "auto"}, "p"),
    ("a prediction", {}, {"prediction": {"type": "content", "content": "c"}}, "p"),
]
CASE_IDS = [case[0] for case in CASES]


@pytest.mark.parametrize(("name", "fields", "arguments", "input"), CASES, ids=CASE_IDS)
def test_the_body_of_a_stream_is_langchains(
    mock_server: MockServer, name: str, fields: dict[str, Any], arguments: dict[str, Any], input: Any
) -> None:
    with chat_peer(mock_server.url, **fields) as theirs:
        list(theirs.stream(input, **arguments))
    list(chat_of(mock_server, **fields).stream(input, **arguments))
    expected, body = last_two(mock_server)
    assert body == expected


@pytest.mark.parametrize(("name", "fields", "arguments", "input"), CASES, ids=CASE_IDS)
def test_the_body_of_an_ainvoke_is_langchains(
    mock_server: MockServer, name: str, fields: dict[str, Any], arguments: dict[str, Any], input: Any
) -> None:
    arguments = {key: value for key, value in arguments.items() if key not in ("stream_options", "stream_usage")}

    async def both() -> None:
        async with achat_peer(mock_server.url, **fields) as theirs:
            await theirs.ainvoke(input, **arguments)
        await chat_of(mock_server, **fields).ainvoke(input, **arguments)

    asyncio.run(both())
    expected, body = last_two(mock_server)
    assert body == expected
    assert dict(body)["stream"] is False


def test_invoke_of_a_streaming_model_streams_as_langchains(mock_server: MockServer) -> None:
    with chat_peer(mock_server.url, streaming=True) as theirs:
        theirs.invoke("p", stop=["x"])
    chat_of(mock_server, streaming=True).invoke("p", stop=["x"])
    expected, body = last_two(mock_server)
    assert body == expected


def test_a_model_that_must_not_stream_is_invoked(mock_server: MockServer) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"streaming": False}, {}),
        ({"disable_streaming": True}, {}),
        ({"disable_streaming": "tool_calling"}, {"tools": tools}),
    ]
    for fields, arguments in cases:
        with chat_peer(mock_server.url, **fields) as theirs:
            count = len(list(theirs.stream("p", **arguments)))
        assert len(list(chat_of(mock_server, **fields).stream("p", **arguments))) == count == 1
        expected, body = last_two(mock_server)
        assert body == expected


def test_our_messages_and_langchains_make_the_same_body(mock_server: MockServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_core import messages as their

    theirs: list[Any] = [
        their.HumanMessage("h"),
        their.AIMessage("a", tool_calls=[CALL]),
        their.ToolMessage("2", tool_call_id="call_1"),
    ]
    own: list[Any] = [
        HumanMessage("h"),
        AIMessage("a", tool_calls=[CALL]),  # type: ignore[list-item]
        ToolMessage("2", tool_call_id="call_1"),
    ]
    with chat_peer(mock_server.url) as peer:
        peer.invoke(theirs)
    chat_of(mock_server).invoke(own)
    expected, body = last_two(mock_server)
    assert body == expected
    chat_of(mock_server).invoke(theirs)
    assert last_two(mock_server)[1] == expected


# Tools and schemas.


def add(a: int, b: str | None = None, *, mode: Literal["x", "y"] = "x") -> int:
    """Add things.

    Args:
        a: The first one
            of them.
        b: The other.
    """
    return a


class Weather(BaseModel):
    """The weather."""

    place: str = Field(description="Where.")
    degrees: float | None = None


class Joke(TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "The setup."]
    rating: Annotated[int | None, None, "From 1 to 10."]


SCHEMA = {"title": "Thing", "description": "d", "type": "object", "properties": {"a": {"type": "integer"}}}
TOOLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("a function", [add], {}),
    ("a class", [Weather], {}),
    ("a typed dict", [Joke], {}),
    ("a schema", [SCHEMA], {}),
    ("several", [add, Weather], {"tool_choice": "auto"}),
    ("one by name", [add, Weather], {"tool_choice": "Weather"}),
    ("any", [add], {"tool_choice": "any"}),
    ("true", [add], {"tool_choice": True}),
    ("false", [add], {"tool_choice": False}),
    ("none", [add], {"tool_choice": "none"}),
    ("a dict", [add], {"tool_choice": {"type": "function", "function": {"name": "add"}}}),
    ("strict", [add, Weather, SCHEMA], {"strict": True}),
    ("not strict", [add], {"strict": False}),
    ("one at a time", [add], {"parallel_tool_calls": False}),
    ("with an answer's schema", [add], {"response_format": SCHEMA}),
]


@pytest.mark.parametrize(("name", "tools", "options"), TOOLS, ids=[case[0] for case in TOOLS])
def test_bound_tools_are_sent_as_langchain_sends_them(
    mock_server: MockServer, name: str, tools: list[Any], options: dict[str, Any]
) -> None:
    with chat_peer(mock_server.url) as theirs:
        theirs.bind_tools(tools, **options).invoke("p")
    chat_of(mock_server).bind_tools(tools, **options).invoke("p")
    expected, body = last_two(mock_server)
    assert body == expected


STRUCTURED: list[tuple[str, Any, dict[str, Any]]] = [
    ("a class", Weather, {}),
    ("a class by a tool", Weather, {"method": "function_calling"}),
    ("a class by a strict tool", Weather, {"method": "function_calling", "strict": True}),
    ("a class by JSON", Weather, {"method": "json_mode"}),
    ("a typed dict", Joke, {}),
    ("a typed dict by a tool", Joke, {"method": "function_calling"}),
    ("a schema", SCHEMA, {}),
    ("a strict schema", SCHEMA, {"strict": True}),
    ("a schema by a tool", SCHEMA, {"method": "function_calling"}),
    ("with tools", Weather, {"tools": [add], "strict": True}),
    ("with more", SCHEMA, {"seed": 5}),
]
ANSWER = '{"place": "x", "setup": "s", "rating": 1, "a": 1}'


@pytest.mark.parametrize("streams", [False, True], ids=["invoke", "stream"])
@pytest.mark.parametrize(("name", "schema", "options"), STRUCTURED, ids=[case[0] for case in STRUCTURED])
def test_structured_output_is_requested_as_by_langchain(
    name: str, schema: Any, options: dict[str, Any], streams: bool
) -> None:
    with MockServer(Reply(pieces=[ANSWER])) as server:
        with chat_peer(server.url, model="gpt-4o") as theirs:
            bound = theirs.with_structured_output(schema, **options)
            with warnings.catch_warnings():
                # Pydantic warns of the objects in the SDK's messages.
                warnings.simplefilter("ignore")
                list(bound.stream("p")) if streams else bound.invoke("p")
        mine = chat_of(server, model="gpt-4o").with_structured_output(schema, **options)
        list(mine.stream("p")) if streams else mine.invoke("p")
        expected, body = last_two(server)
        assert dict(body) == dict(expected)


# URLs, headers, the environment.


def test_the_request_is_sent_to_chat_completions_with_the_key_and_the_requested_headers() -> None:
    done = [b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n']
    transport = MemoryTransport(done)
    model = ChatOpenAI(
        api_key=KEY,
        base_url="https://host/v1/",
        organization="org",
        default_headers={"x-mine": "1"},
        default_query={"q": "2"},
        http_client=transport,
    )
    list(model.stream("p", extra_headers={"x-call": "3"}))
    (request,) = transport.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert request.url == "https://host/v1/chat/completions?q=2"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["openai-organization"], headers["x-mine"], headers["x-call"]) == ("org", "1", "3")


def test_usage_is_requested_from_openai_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert ChatOpenAI(api_key="k").stream_usage is True
    assert ChatOpenAI(api_key="k", stream_usage=False).stream_usage is False
    assert ChatOpenAI(api_key="k", base_url="http://host/v1").stream_usage is None
    assert ChatOpenAI(api_key="k", http_client=MemoryTransport([])).stream_usage is None
    monkeypatch.setenv("OPENAI_API_BASE", "http://host")
    assert ChatOpenAI(api_key="k").stream_usage is None
