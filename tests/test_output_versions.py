"""With ``output_version="v1"`` the content of answers is LangChain's standard blocks, whole or in chunks."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.language_models as their_models
    import langchain_core.messages as their_messages
    import langchain_core.outputs as their_outputs
    from langchain_openai import ChatOpenAI as TheirChatOpenAI

import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.outputs as our_outputs
from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.testing import MockServer

LIBRARIES = [(their_models, their_messages, their_outputs), (our_models, our_messages, our_outputs)]
CHUNKS: list[dict[str, Any]] = [
    {"content": "", "additional_kwargs": {"reasoning_content": "<rea"}},
    {"content": "", "additional_kwargs": {"reasoning_content": "soning>"}},
    {"content": "<some "},
    {"content": [{"type": "text", "text": "text>", "index": 7}]},
    {"content": "", "tool_call_chunks": [{"name": "f", "args": '{"a": 1}', "id": "i", "index": 9}]},
    {"content": [{"type": "image_url", "image_url": {"url": "u"}}, "more"]},
]
CALLS = ["invoke", "ainvoke", "stream", "astream"]


def make_model(models: Any, messages: Any, outputs: Any, **fields: Any) -> Any:
    def chunks() -> Any:
        return [outputs.ChatGenerationChunk(message=messages.AIMessageChunk(**chunk)) for chunk in CHUNKS]

    class Model(models.BaseChatModel):  # type: ignore[misc]
        @property
        def _llm_type(self) -> str:
            return "model"

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            message = messages.AIMessage(
                ["a", {"type": "image_url", "image_url": {"url": "u"}}, {"type": "other"}],
                tool_calls=[{"name": "f", "args": {}, "id": "i"}],
                response_metadata={"m": 1},
            )
            return outputs.ChatResult(generations=[outputs.ChatGeneration(message=message)])

        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            yield from chunks()

        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for chunk in chunks():
                yield chunk

    return Model(**fields)


def call(model: Any, method: str, *args: Any, **kwargs: Any) -> list[Any]:
    async def acollect() -> list[Any]:
        return [chunk async for chunk in model.astream(*args, **kwargs)]

    if method == "astream":
        return asyncio.run(acollect())
    if method == "stream":
        return list(model.stream(*args, **kwargs))
    if method == "ainvoke":
        return [asyncio.run(model.ainvoke(*args, **kwargs))]
    return [model.invoke(*args, **kwargs)]


def plain(message: Any) -> Any:
    metadata = {key: value for key, value in message.response_metadata.items() if key != "headers"}
    return type(message).__name__, without_random_ids(message.content), message.tool_calls, metadata


def without_random_ids(content: Any) -> Any:
    """Return content without the ids that LangChain generates for images."""
    if isinstance(content, str):
        return content
    return [
        {key: value for key, value in block.items() if key != "id" or not str(value).startswith("lc_")}
        if isinstance(block, dict)
        else block
        for block in content
    ]


@pytest.mark.parametrize("version", ["v0", "v1", None])
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("method", CALLS)
def test_answers_have_the_blocks_that_langchains_have(method: str, streams: bool, version: str | None) -> None:
    if streams and method.endswith("stream"):
        return
    kwargs = {"stream": True} if streams else {}
    results = [call(make_model(*library, output_version=version), method, "p", **kwargs) for library in LIBRARIES]
    theirs, ours = [[plain(message) for message in messages] for messages in results]
    assert ours == theirs
    if method.endswith("stream"):
        assert plain(reduce(add, results[1])) == plain(reduce(add, results[0]))
        their_blocks, our_blocks = [without_random_ids(reduce(add, messages).content_blocks) for messages in results]
        assert our_blocks == their_blocks


@pytest.mark.parametrize("method", CALLS)
def test_the_environment_says_the_version_of_a_model_that_does_not(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_OUTPUT_VERSION", "v1")
    for library in LIBRARIES:
        assert isinstance(call(make_model(*library), method, "p")[0].content, list)
        assert call(make_model(*library, output_version="v0"), "stream", "p")[0].content == ""


def test_the_models_own_message_stays_as_it_is() -> None:
    message = our_messages.AIMessage("a")
    model = our_models.FakeMessagesListChatModel(responses=[message], output_version="v1")
    assert model.invoke("p").content == [{"type": "text", "text": "a"}]
    assert message.content == "a"


@pytest.mark.parametrize("method", CALLS)
def test_an_openai_model_has_the_blocks_that_langchains_has(method: str) -> None:
    with MockServer() as server:
        fields: dict[str, Any] = {"model": "gpt-4o", "base_url": server.url, "api_key": KEY, "output_version": "v1"}
        theirs, ours = [call(cls(**fields), method, "p") for cls in (TheirChatOpenAI, ChatOpenAI)]
    contents, expected = [[message.content for message in messages if message.content] for messages in (ours, theirs)]
    assert contents == expected
    assert all(message.response_metadata["output_version"] == "v1" for message in ours if message.content)
