"""Handlers receive the provider's answer to a request that failed, as LangChain's do."""

import asyncio
import contextlib
import warnings
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models.chat_models import _generate_response_from_error as their_function
    from langchain_openai import ChatOpenAI as TheirChatOpenAI

from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.language_models.error_response import generate_response_from_error
from millstream.testing import ErrorStatus, MockServer, Reply
from recording import achat_handlers, chat_handlers


async def aread(model: Any, config: Any) -> None:
    async for _ in model.astream("p", config):
        pass


def call(model: Any, method: str, config: Any) -> None:
    if method == "astream":
        asyncio.run(aread(model, config))
    elif method == "ainvoke":
        asyncio.run(model.ainvoke("p", config))
    elif method == "stream":
        list(model.stream("p", config))
    else:
        model.invoke("p", config)


@pytest.mark.parametrize("method", ["invoke", "ainvoke", "stream", "astream"])
def test_the_answer_to_a_request_that_failed_is_reported(method: str) -> None:
    fault = ErrorStatus(400, "what happened", "a_code", headers={"x-request-id": "req-1"})
    responses: list[Any] = []
    for position, cls in enumerate((TheirChatOpenAI, ChatOpenAI)):
        log: list[Any] = []
        handler = (achat_handlers if method.startswith("a") else chat_handlers)(log)[position]
        with MockServer(Reply(fault=fault)) as server:
            model: Any = cls(model="m", base_url=server.url, api_key=KEY, max_retries=0)
            with contextlib.suppress(Exception):
                call(model, method, {"callbacks": [handler]})
        (result,) = [kwargs["response"] for _, event, _, kwargs in log if event == "on_llm_error"]
        (generation,) = result.generations[-1]
        metadata = dict(generation.message.response_metadata)
        assert metadata.pop("headers")["x-request-id"] == "req-1"
        responses.append((len(result.generations), generation.message.content, generation.generation_info, metadata))
    theirs, ours = responses
    assert ours == theirs
    assert ours[3]["body"]["error"]["message"] == "what happened"


class Unread:
    status_code = 400
    headers: ClassVar[Any] = {"a": "b"}

    def json(self) -> Any:
        raise ValueError("not JSON")

    @property
    def text(self) -> str:
        raise RuntimeError("not read")


class Text(Unread):
    headers: ClassVar[Any] = 5
    text = "text"


def error_with(response: Any, **fields: Any) -> Exception:
    error = Exception("failed")
    vars(error).update(response=response, **fields)
    return error


@pytest.mark.parametrize(
    "error",
    [
        Exception("failed"),
        error_with(None),
        error_with(Unread()),
        error_with(Text(), request_id="req-1"),
        error_with(SimpleNamespace(json=lambda: {"a": 1})),
    ],
)
def test_an_error_of_another_library_is_read_as_langchain_reads_it(error: Exception) -> None:
    theirs, ours = their_function(error), generate_response_from_error(error)
    assert [one.message.response_metadata for one in ours] == [one.message.response_metadata for one in theirs]
    assert [one.message.content for one in ours] == [one.message.content for one in theirs]
