"""Models of users receive audio and files as standard blocks, whatever the format of the messages, as in LangChain."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.language_models as their_models
    import langchain_core.messages as their_messages
    import langchain_core.outputs as their_outputs

import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.outputs as our_outputs
from millstream.messages.normalizing import normalize_messages

LIBRARIES = [(their_models, their_messages, their_outputs), (our_models, our_messages, our_outputs)]
CONTENTS: list[Any] = [
    "text",
    [],
    ["text", {"type": "text", "text": "t"}],
    [{"type": "image_url", "image_url": {"url": "u"}}],
    [{"type": "input_audio", "input_audio": {"format": "wav", "data": "d"}}],
    [{"type": "input_audio", "input_audio": "uri"}],
    [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="}}],
    [{"type": "file", "file": {"file_id": "i"}}, {"type": "file", "file": "uri"}, {"type": "file", "file_id": "i"}],
    [{"type": "image", "source_type": "url", "url": "u", "mime_type": "image/png", "other": 1}],
    [{"type": "audio", "source_type": "base64", "data": "d"}, {"type": "image", "source_type": "id", "id": "i"}],
    [{"type": "file", "source_type": "text", "url": "t"}, {"type": "image", "source_type": "unknown"}],
    [{"type": "input_image", "image_url": "uri"}, {"other": 1}],
]


def make_model(models: Any, messages: Any, outputs: Any, seen: list[Any], streams: bool) -> Any:
    class Model(models.BaseChatModel):  # type: ignore[misc]
        @property
        def _llm_type(self) -> str:
            return "model"

        def _generate(self, messages_: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(messages_)
            return outputs.ChatResult(generations=[outputs.ChatGeneration(message=messages.AIMessage("a"))])

        async def _agenerate(self, messages_: Any, *args: Any, **kwargs: Any) -> Any:
            return self._generate(messages_)

    class Streaming(Model):
        def _stream(self, messages_: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
            seen.append(messages_)
            yield outputs.ChatGenerationChunk(message=messages.AIMessageChunk(content="a"))

        async def _astream(self, messages_: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for chunk in self._stream(messages_):
                yield chunk

    return (Streaming if streams else Model)()


def without_ids(content: Any) -> Any:
    """Return content without the ids that LangChain generates."""
    if isinstance(content, str):
        return content
    return [
        {key: value for key, value in block.items() if key != "id" or not str(value).startswith("lc_")}
        if isinstance(block, dict)
        else block
        for block in content
    ]


async def aread(model: Any, input: Any) -> None:
    async for _ in model.astream(input):
        pass


@pytest.mark.parametrize("for_async", [False, True])
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("content", CONTENTS)
def test_a_model_receives_the_blocks_that_langchains_receives(content: Any, streams: bool, for_async: bool) -> None:
    received = []
    for models, messages, outputs in LIBRARIES:
        seen: list[Any] = []
        model = make_model(models, messages, outputs, seen, streams)
        message = messages.HumanMessage(content)
        if streams:
            asyncio.run(aread(model, [message])) if for_async else list(model.stream([message]))
        else:
            asyncio.run(model.ainvoke([message])) if for_async else model.invoke([message])
        # The caller's message stays as it is.
        assert message.content == content
        received.append([[without_ids(one.content) for one in messages_] for messages_ in seen])
    assert received[1] == received[0]


def test_a_message_that_stays_is_not_copied() -> None:
    messages = [our_messages.HumanMessage(content) for content in CONTENTS[:4]]
    for new, old in zip(normalize_messages(messages), messages, strict=True):
        assert new is old
