"""``ChatOpenAI``: responses without streaming, compared with LangChain's."""

import asyncio
import json
import warnings
from typing import Any

import pytest

from langchain_peer import achat_peer, chat_of, chat_peer, dump_messages
from millstream.errors import StreamTruncatedError
from millstream.testing import MockServer, Reply


def normalize(message: Any) -> Any:
    """Return a message as a dict, without the fields that the SDK adds to a response."""
    document = dump_messages(message)
    document["response_metadata"] = drop_none(document["response_metadata"])
    return document


def drop_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: drop_none(item) for key, item in value.items() if item is not None}
    return value


CALLS = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
WRONG = [{"id": "call_2", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}]
MESSAGES: list[dict[str, Any]] = [
    {"role": "assistant", "content": "a"},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "assistant", "content": "", "refusal": "no"},
]


@pytest.mark.parametrize("message", MESSAGES, ids=["text", "calls", "function call", "refusal"])
def test_a_whole_response_is_langchains(message: dict[str, Any]) -> None:
    usage = {
        **{"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    }  # fmt: skip
    document: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "usage": usage,
    }
    document |= {"system_fingerprint": "fp", "service_tier": "flex"}
    document["choices"] = [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": []}}]
    body = json.dumps(document).encode()
    with MockServer(Reply(body=body, content_type="application/json")) as server:
        with chat_peer(server.url) as theirs:
            expected = normalize(theirs.invoke("p"))
        found = normalize(chat_of(server).invoke("p"))
        assert normalize(asyncio.run(chat_of(server).ainvoke("p"))) == found
    assert found == expected


def test_calls_that_cannot_be_read_are_invalid() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": WRONG}
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    with MockServer(Reply(body=body, content_type="application/json")) as server:
        found = chat_of(server).invoke("p")
    assert (found.tool_calls, [call["id"] for call in found.invalid_tool_calls]) == ([], ["call_2"])


def test_generate_and_batch_return_langchains_results(mock_server: MockServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_core.messages import HumanMessage as said

    async def theirs_async() -> Any:
        async with achat_peer(mock_server.url) as theirs:
            return await theirs.abatch(["a", "b"]), await theirs.agenerate([[said("c")], [said("d")]])

    batch, result = asyncio.run(theirs_async())
    model = chat_of(mock_server)
    assert [found.content for found in model.batch(["a", "b"])] == [one.content for one in batch]
    assert [found.content for found in asyncio.run(model.abatch(["a", "b"]))] == [one.content for one in batch]
    found = asyncio.run(model.agenerate([["c"], ["d"]]))
    assert [[one.text for one in choices] for choices in found.generations] == [
        [one.text for one in choices] for choices in result.generations
    ]
    assert (found.llm_output or {})["model_name"] == (result.llm_output or {})["model_name"]
    assert len(found.run or ()) == 2
    failing = {"model": "m", "choices": None}
    with MockServer(Reply(body=json.dumps(failing).encode(), content_type="application/json")) as server:
        outputs = chat_of(server).batch(["a", "b"], return_exceptions=True)
        assert [type(output) for output in outputs] == [StreamTruncatedError] * 2


def test_generate_keeps_all_choices_each_with_its_own_finish() -> None:
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        for index, (text, reason) in enumerate([("a", "stop"), ("b", "length")])
    ]
    with MockServer(Reply(body=json.dumps({"choices": choices}).encode(), content_type="application/json")) as server:
        (generations,) = chat_of(server, n=2).generate([["p"]]).generations
    assert [(one.text, one.generation_info["finish_reason"]) for one in generations] == [("a", "stop"), ("b", "length")]  # type: ignore[index]
    assert [one.message.id[-2:] for one in generations] == ["-0", "-1"]  # type: ignore[attr-defined]
