"""``HTTPChatModel``: a provider that is a page of code, over the formats of OpenAI."""

import asyncio
import gc
from collections.abc import Mapping
from typing import Any

import pytest

from millstream._fields import field
from millstream.errors import ProviderError, StreamDecodeError, StreamTruncatedError
from millstream.language_models.model_type import ModelCall
from millstream.messages import AIMessage, AIMessageChunk, HumanMessage
from millstream.messages.ai import text_chunk
from millstream.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from millstream.providers.chat_model import HTTPChatModel
from millstream.providers.http.request import PendingRequest
from millstream.providers.message_reader import MessageReader
from millstream.testing import Cut, ErrorFrame, MockServer, Reply, Stall

PIECES = ("I speak", ", I speak", ", I stop", "")
TEXT = "".join(PIECES)


class ParrotReader(MessageReader):
    """Reads chat completions."""

    def text(self, text: str) -> AIMessageChunk:
        """Return a chunk of text."""
        return text_chunk(text, self.id, {"model_provider": "parrot"})

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of a payload that finishes a choice."""
        if text is not None:
            return ChatGenerationChunk(self.text(text))
        choices = payload.get("choices")
        if not choices or not choices[0].get("finish_reason"):
            return None
        return ChatGenerationChunk(AIMessageChunk(""), {"finish_reason": choices[0]["finish_reason"]})

    def whole(self, body: Any) -> ChatResult:
        """Return the first choice."""
        return ChatResult([ChatGeneration(AIMessage(body["choices"][0]["message"]["content"]))], {"id": body["id"]})


class ChatParrot(HTTPChatModel):
    """A chat model of an invented provider."""

    _stream_format = "openai.chat"
    _provider_name = "Parrot"
    _endpoint_params = ("model", "messages", "stream", "loudness")

    model: str
    base_url: str
    api_key: Any = field(default=None, repr=False)

    @property
    def _llm_type(self) -> str:
        return "parrot"

    @property
    def _base_url(self) -> str:
        return self.base_url

    def _find_key(self) -> Any:
        return self.api_key

    def _key_headers(self, key: str) -> dict[str, str]:
        return {"x-parrot-key": key}

    def _own_headers(self) -> Mapping[str, str]:
        return {"x-parrot": "1"}

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        messages = [{"role": "user", "content": message.content} for message in call.prompt]
        params = {"model": self.model, "messages": messages, "stream": stream, **self.model_kwargs, **call.kwargs}
        return PendingRequest(self, "/chat/completions", params, None)

    def _create_reader(self, pending: PendingRequest, *, stream: bool) -> MessageReader:
        return ParrotReader()


def parrot(server: MockServer, **options: Any) -> ChatParrot:
    return ChatParrot(model="grey", base_url=server.url, api_key="secret", **options)


def test_a_provider_streams_answers_whole_and_reports_events() -> None:
    reply = Reply(pieces=PIECES)
    with MockServer(reply) as server:
        model = parrot(server)
        chunks = list(model.stream("p"))
        whole = model.invoke("p")

        async def main() -> tuple[list[AIMessageChunk], AIMessage, list[dict[str, Any]]]:
            chunks = [chunk async for chunk in model.astream([HumanMessage("p")])]
            return chunks, await model.ainvoke("p"), [event async for event in model.astream_events("p")]

        others, answer, events = asyncio.run(main())
        request = server.requests[0]
    assert "".join(str(chunk.content) for chunk in chunks) == TEXT == whole.content == answer.content
    assert [chunk.content for chunk in chunks] == [chunk.content for chunk in others]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].chunk_position == "last"
    assert chunks[-2].response_metadata == {"finish_reason": "stop"}
    total = sum(chunks[1:], chunks[0])
    end = events[-1]
    assert end["event"] == "on_chat_model_end"
    assert end["data"]["output"].content == TEXT
    assert end["data"]["output"].response_metadata == total.response_metadata
    assert total.response_metadata == {"model_provider": "parrot", "finish_reason": "stop"}
    assert (request.headers["x-parrot-key"], request.headers["x-parrot"]) == ("secret", "1")
    assert request.body == {"model": "grey", "messages": [{"role": "user", "content": "p"}], "stream": True}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(pieces=PIECES, fault=Cut(after=2)), StreamTruncatedError),
        (Reply(pieces=PIECES, fault=ErrorFrame(after=2)), ProviderError),
        (Reply(body=b'data: {"choices": [{"delta": {"content": "I sp"}}]}\n\ndata: {x}\n\n'), StreamDecodeError),
    ],
)
def test_a_provider_reports_an_answer_that_was_cut(reply: Reply, error: type[Exception]) -> None:
    with MockServer(reply) as server:
        read: list[str] = []
        with pytest.raises(error) as caught:
            read.extend(str(chunk.content) for chunk in parrot(server, max_retries=0).stream("p"))
    assert "".join(read) == caught.value.text != ""  # type: ignore[attr-defined]


def test_a_stream_sent_in_place_of_a_whole_answer_is_read() -> None:
    body = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: {"choices": [{"finish_reason": "stop"}]}\n\n'
    with MockServer(Reply(body=body)) as server:
        answer = parrot(server).invoke("p")
    assert answer.content == "Hi"
    assert answer.response_metadata == {"model_provider": "parrot", "finish_reason": "stop"}


def test_an_unknown_argument_names_the_provider() -> None:
    with pytest.raises(TypeError, match="to send a parameter that Parrot does not have"):
        ChatParrot(model="grey", base_url="http://x", feathers=2)  # type: ignore[call-arg]
    with pytest.warns(UserWarning, match="loudness is not default parameter"):
        model = ChatParrot(model="grey", base_url="http://x", loudness=2)  # type: ignore[call-arg]
    assert model.model_kwargs == {"loudness": 2}


@pytest.mark.parametrize("how", ["break", "close", "drop"])
def test_a_stream_left_early_closes_its_connection_at_once(how: str) -> None:
    gc.disable()
    try:
        with MockServer(Reply(pieces=PIECES, fault=Stall(after=2))) as server:
            stream: Any = parrot(server).stream("p")
            if how == "break":
                for _ in stream:
                    break
                del stream, _
            else:
                next(stream)
                if how == "close":
                    stream.close()
                del stream
            server.wait_closed()
    finally:
        gc.enable()
