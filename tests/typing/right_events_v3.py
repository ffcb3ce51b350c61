"""Uses of version 3 of the events that type checkers accept, with the types that they see."""

from collections.abc import Callable
from typing import Any, assert_type

from millstream import ChatOpenAI
from millstream.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from millstream.messages import AIMessage
from millstream.output_parsers import StrOutputParser


def read(model: ChatOpenAI, show: Callable[[str], None]) -> None:
    stream = model.stream_events("p", version="v3", stop=["x"])
    assert_type(stream, ChatModelStream)
    for piece in stream.text:
        show(piece)
    assert_type(stream.text.get(), str)
    assert_type(stream.tool_calls.get(), list[dict[str, Any]])
    assert_type(stream.output, AIMessage)
    with stream:
        for event in stream:
            show(event["event"])
    for message in (model | StrOutputParser()).stream_events("p", version="v3").messages:
        show(str(message.text))


async def aread(model: ChatOpenAI, show: Callable[[str], None]) -> None:
    stream = await model.astream_events("p", version="v3")
    assert_type(stream, AsyncChatModelStream)
    async for piece in stream.text:
        show(piece)
    assert_type(await stream.text, str)
    assert_type(await stream.output, AIMessage)
    assert_type(await stream, AIMessage)
    async with await model.astream_events("p", version="v3") as again:
        async for event in again:
            show(event["event"])
