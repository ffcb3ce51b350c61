"""Converted chains behind LangServe: the routes, their schemas and their answers are those of LangChain's own chain."""

import asyncio
import re
import warnings
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from langserve import add_routes
from sse_starlette.sse import AppStatus

from both_libraries import ours, theirs
from millstream.integrations.langchain import to_langchain

BODY: Any = {"input": {"text": "a", "past": [{"type": "human", "content": "b"}]}}
ROUTES: dict[str, tuple[str, Any]] = {
    "input schema": ("/chain/input_schema", None),
    "output schema": ("/chain/output_schema", None),
    "openapi": ("/openapi.json", None),
    "invoke": ("/chain/invoke", BODY),
    "batch": ("/chain/batch", {"inputs": [BODY["input"]]}),
    "stream": ("/chain/stream", BODY),
    "events": ("/chain/stream_events", BODY),
}


def chain_of(lib: Any) -> Any:
    messages = [("system", "s"), ("placeholder", "{past}"), ("human", "{text}")]
    return lib.ChatPromptTemplate.from_messages(messages) | lib.FakeListChatModel(responses=["hi"])


def answer(chain: Any, path: str, body: Any) -> str:
    """Return the answer of an app, without the ids of runs and LangChain's versions."""

    async def main() -> str:
        # LangServe's server of events keeps an object of the first loop that it ran in.
        AppStatus.should_exit_event = None
        app = FastAPI()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            add_routes(app, chain, path="/chain")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            response = await (client.get(path) if body is None else client.post(path, json=body))
        assert response.status_code == 200
        return response.text

    text = re.sub(r',"lc_versions":{[^}]*}|"lc_versions":{[^}]*},?', "", asyncio.run(main()))
    numbers: dict[str, str] = {}
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda found: numbers.setdefault(found[0], str(len(numbers))), text)


@pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute on the instance")
@pytest.mark.parametrize("route", ROUTES)
def test_an_app_answers_as_with_langchains_own_chain(route: str) -> None:
    expected = answer(chain_of(theirs), *ROUTES[route])
    assert answer(to_langchain(chain_of(ours)), *ROUTES[route]) == expected
    assert expected


@pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute on the instance")
def test_a_chain_that_is_not_converted_fails_when_a_client_calls_it() -> None:
    """What the page of the migration quotes."""
    assert answer(chain_of(ours), *ROUTES["input schema"])
    with pytest.raises(TypeError, match="^Type is not JSON serializable: AIMessage$"):
        answer(chain_of(ours), *ROUTES["invoke"])
