"""Random and mutilated requests to ``openai_app``: each is answered or refused, and none is the server's error."""

import asyncio
import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from millstream import ChatOpenAI
from millstream.language_models import FakeListChatModel
from millstream.messages import AIMessage
from millstream.outputs import ChatGeneration, ChatResult
from millstream.runnables import RunnableLambda
from millstream.server import openai_app


class Unsent(ChatOpenAI):
    """A model that builds its requests, and does not send them."""

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        json.dumps(self._get_request_payload(messages, stop=stop, **kwargs))
        return ChatResult([ChatGeneration(AIMessage("Nemo"))])


MODELS: dict[str, Any] = {
    "fish": FakeListChatModel(responses=["Nemo"]),
    "function": RunnableLambda(lambda _: "Nemo"),
    "relay": Unsent(model="m", api_key="k", disable_streaming=True),
}
APP = openai_app(MODELS)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PARTS = [
    {"type": "text", "text": "x"},
    {"type": "image_url", "image_url": {"url": "https://example.com"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    {"type": "file", "file": {"file_id": "f"}},
    {"type": "refusal", "refusal": "no"},
]
BODIES: dict[str, dict[str, Any]] = {
    "chat/completions": {
        "model": "fish",
        "messages": [
            {"role": "system", "content": "x", "name": "n"},
            {"role": "user", "content": PARTS},
            {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": "no", "audio": {"id": "a"}},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
            {"role": "function", "name": "f", "content": "x"},
        ],
        **{"temperature": 1, "max_tokens": 3, "n": 2, "stop": ["x"], "stream": False, "seed": 3, "logprobs": False},
        **{"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "none", "metadata": {}},
        **{"response_format": {"type": "text"}, "stream_options": {"include_usage": True}, "modalities": ["text"]},
    },
    "completions": {
        "model": "fish",
        "prompt": ["a", "b"],
        **{"max_tokens": 3, "n": 2, "stop": "x", "echo": True, "best_of": 2, "stream": False, "suffix": ""},
    },
    "responses": {
        "model": "fish",
        "instructions": "x",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}]},
            {"type": "reasoning", "id": "r", "summary": []},
        ],
        **{"text": {"format": {"type": "text"}, "verbosity": "low"}, "reasoning": {"effort": "low"}, "store": False},
        **{"include": ["reasoning.encrypted_content"], "tools": [], "tool_choice": "none", "stream": False},
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values inside ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(*path, key), *places(item, (*path, key))]]


PLACES = [(name, path) for name, body in BODIES.items() for path in places(body)]


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    body = copy.deepcopy(body)
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return body


def respond(name: str, data: bytes) -> tuple[int, bytes]:
    """Return status and body of the app's response."""

    async def call() -> list[Any]:
        sent: list[Any] = []
        parts = [{"type": "http.request", "body": data}]

        async def receive() -> Any:
            if parts:
                return parts.pop()
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": f"/v1/{name}", "headers": headers, "query_string": b""}
        await APP(scope, receive, send)
        return sent

    head, *bodies = asyncio.run(call())
    return head["status"], b"".join(message.get("body", b"") for message in bodies)


def check(name: str, body: Any) -> None:
    status, data = respond(name, json.dumps(body).encode())
    assert status in (200, 400, 404), data
    if status == 200:
        assert b"Nemo" in data or (isinstance(body, dict) and body.get("stream"))
    else:
        error = json.loads(data)["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"


def test_the_bodies_are_answered_as_they_are() -> None:
    for name, body in BODIES.items():
        assert respond(name, json.dumps(body).encode())[0] == 200


@given(st.sampled_from(PLACES), JSON, st.sampled_from(sorted(MODELS)), st.booleans())
def test_a_body_with_any_value_replaced_is_answered_or_refused(
    place: Any, value: Any, model: str, stream: bool
) -> None:
    name, path = place
    check(name, replaced(BODIES[name] | {"model": model, "stream": stream}, path, value))


@given(st.sampled_from(sorted(BODIES)), JSON)
def test_any_body_is_answered_or_refused(name: str, body: Any) -> None:
    check(name, body)


BLOCKS: list[Any] = [
    *(
        {"type": name}
        for name in ("image", "audio", "video", "file", "text-plain", "tool_use", "thinking", "image_url")
    ),
    *({"type": name, "base64": "x"} for name in ("image", "audio", "video", "file")),
    *({"type": name, "url": "x"} for name in ("image", "audio", "video", "file")),
    {"type": "file", "file": {}, "base64": "x"},
    {"type": "file", "file": {"file_id": "f"}, "source_type": "id"},
    {"type": "video_url", "video_url": {"url": "x"}},
    {"type": "image", "source": {"type": "base64"}},
]


@given(
    st.sampled_from(BLOCKS), st.sampled_from(["user", "assistant", "tool", "system"]), st.sampled_from(sorted(MODELS))
)
def test_blocks_of_other_apis_are_answered_or_refused(block: Any, role: str, model: str) -> None:
    message = {"role": role, "content": [block], "tool_call_id": "a"}
    check("chat/completions", {"model": model, "messages": [message]})
    check("responses", {"model": model, "input": [{"role": role, "content": [block]}]})


@given(
    st.sampled_from(PLACES), st.sampled_from(["\ud800", "\u2028", "\x00", "a" * 100_000, 2**70, [[[[[[]]]]]], {"": {}}])
)
def test_odd_values_are_answered_or_refused(place: Any, value: Any) -> None:
    name, path = place
    check(name, replaced(BODIES[name], path, value))
