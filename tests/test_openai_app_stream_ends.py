"""Streams of ``openai_app`` that fail, and those whose client leaves."""

import asyncio
import itertools
import json
from typing import Any

import httpx2
import openai
import pytest

from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import openai_app
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply, Stall, assert_no_leaks
from openai_served import USER, async_client, chat_model, served
from serving import serve

TEXT = "".join(VERSE)
PROMPT = ChatPromptTemplate.from_template("{question}")


def test_an_error_after_the_first_chunk_is_the_clients_exception() -> None:
    faults: list[Any] = [ErrorFrame(after=2, message="secret words"), Cut(after=2)]
    for fault in faults:
        with MockServer(Reply(fault=fault)) as upstream, served({"fish": chat_model(upstream)}) as sdk:
            seen: list[Any] = []
            with pytest.raises(openai.APIError) as caught:
                seen += sdk.chat.completions.create(model="fish", messages=USER, stream=True)
            assert "secret" not in str(caught.value)
            with pytest.raises(openai.APIError):
                list(sdk.responses.create(model="fish", input="Fish?", stream=True))
            with httpx2.stream(
                "POST",
                f"{sdk.base_url}chat/completions",
                json={"model": "fish", "messages": USER, "stream": True},
            ) as response:
                lines = [line for line in response.iter_lines() if line]
        assert "[DONE]" not in lines[-1]
        assert json.loads(lines[-1].removeprefix("data: ")).keys() == {"error"}


def test_one_of_several_answers_that_fails_ends_all() -> None:
    replies = iter([Reply(fault=Stall(after=1)), Reply(fault=ErrorFrame(after=1))])
    with MockServer(lambda request: next(replies)) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        with pytest.raises(openai.APIError):
            list(sdk.chat.completions.create(model="fish", messages=USER, n=2, stream=True))
        upstream.wait_closed(upstream.requests[0].connection_id)


@pytest.mark.parametrize("n", [1, 2])
def test_the_upstream_is_closed_when_the_client_leaves_a_stream(n: int) -> None:
    with MockServer(Reply(fault=Stall(after=1))) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        stream = sdk.chat.completions.create(model="fish", messages=USER, stream=True, n=n)
        assert next(iter(stream)).choices
        stream.close()
        upstream.wait_until(lambda: upstream.connections.open == 0)
        assert upstream.connections.closed == n


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_the_upstream_is_closed_when_the_client_leaves_before_the_answer(stream: bool, n: int) -> None:
    asyncio.run(leave_before_the_answer(stream, n))


async def leave_before_the_answer(stream: bool, n: int) -> None:
    with (
        MockServer(Reply(fault=Stall(after="request"))) as upstream,
        serve(openai_app({"fish": chat_model(upstream)})) as url,
    ):
        async with async_client(url) as sdk:
            call: Any = sdk.chat.completions.create(model="fish", messages=USER, n=n, stream=stream)
            task = asyncio.ensure_future(call)
            await upstream.await_until(lambda: len(upstream.requests) == n)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await upstream.await_until(lambda: upstream.connections.open == 0)


def test_nothing_is_left_of_requests_that_end_in_any_way() -> None:
    """Whole answers, streams, errors and clients that leave, each several times, leave no descriptor and no task."""
    replies = [Reply(), Reply(fault=ErrorFrame(after=1)), Reply(fault=Cut(after=1)), Reply(fault=Stall(after=1))]
    number = itertools.count()
    with MockServer(lambda request: replies[next(number) % len(replies)]) as upstream:
        model = chat_model(upstream)
        with assert_no_leaks(), served({"fish": model, "chain": PROMPT | model | StrOutputParser()}) as sdk:
            for name in ("fish", "chain"):
                for n in (1, 2):
                    for _ in replies:
                        stream = sdk.chat.completions.create(model=name, messages=USER, n=n, stream=True)
                        next(iter(stream))
                        stream.close()
            upstream.wait_until(lambda: upstream.connections.open <= 2)
