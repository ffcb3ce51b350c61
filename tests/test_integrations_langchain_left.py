"""Why a call of the integration is left to langchain-openai: the logger ``millstream`` says it once for each reason."""

from collections.abc import Iterator
from typing import Any

import httpx
import langchain_openai
import pydantic
import pytest

from millstream.integrations._sdk_calls import report_left
from millstream.integrations.langchain import ChatOpenAI, OpenAI
from millstream.testing import MockServer


@pytest.fixture(autouse=True)
def nothing_was_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    report_left.cache_clear()
    caplog.set_level("INFO", logger="millstream")
    yield
    report_left.cache_clear()


def left(caplog: pytest.LogCaptureFixture) -> list[str]:
    begin = "a call is left to langchain-openai: "
    messages = [record.message for record in caplog.records if record.name == "millstream"]
    return [message.removeprefix(begin) for message in messages if message.startswith(begin)]


def arguments_for(server: MockServer) -> dict[str, Any]:
    return {"model": "m", "base_url": server.url, "api_key": "k"}


def chat(server: MockServer, **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(**arguments_for(server), **arguments)


def test_a_call_that_is_taken_over_is_not_logged(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    model = chat(mock_server)
    with httpx.Client() as client:
        for taken in (model, chat(mock_server, http_client=client)):
            list(taken.stream("a"))
            taken.invoke("a")
    assert left(caplog) == []


def test_a_response_format_is_logged_once(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    made = chat(mock_server)
    model = made.bind(response_format={"type": "json_object"})
    with made.root_client:
        list(model.stream("a"))
        model.invoke("a")
        list(model.stream("a"))
    assert left(caplog) == ["it has a response_format"]


def test_a_class_as_the_format_of_a_whole_response_is_logged(
    mock_server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Animal(pydantic.BaseModel):
        name: str

    model = chat(mock_server, use_responses_api=True, max_retries=0)
    with model.root_client:
        list(model.stream("a", response_format=Animal.model_json_schema()))
        model.invoke("a")
        with pytest.raises(pydantic.ValidationError):
            model.invoke("a", response_format=Animal)
    assert left(caplog) == ["its response_format is a class, in a call that does not stream"]


def test_a_patched_client_is_logged(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    theirs = langchain_openai.OpenAI(**arguments_for(mock_server))
    model = OpenAI(**arguments_for(mock_server), client=theirs.client)
    original = model.client.create
    model.client.create = lambda **params: original(**params)
    with theirs.client._client:
        list(model.stream("a"))
    assert left(caplog) == ["its method create is not the OpenAI SDK's own"]


def test_another_converter_is_logged(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    class Mine(ChatOpenAI):
        def _convert_chunk_to_generation_chunk(self, *arguments: Any) -> Any:
            return super()._convert_chunk_to_generation_chunk(*arguments)

    model = Mine(**arguments_for(mock_server))
    with model.root_client:
        list(model.stream("a"))
    assert left(caplog) == ["its chunks are converted by a function that is not langchain-openai's own"]
