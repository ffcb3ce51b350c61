"""The logger ``millstream.requests`` has one line for each HTTP request, over both transports."""

import asyncio
import logging
import re
from typing import Any

import pytest

from langchain_peer import llm_of
from millstream import ChatGoogleGenerativeAI, ChatOpenAI, OpenAI
from millstream.errors import APIConnectionError, APIStatusError
from millstream.testing import ErrorStatus, MockServer, Refuse, Reply
from millstream.transport.request_lines import _shown_url


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Enable the logger."""
    caplog.set_level(logging.INFO, "millstream.requests")
    return caplog


def requests(lines: pytest.LogCaptureFixture) -> list[Any]:
    """Return the logger's records."""
    return [record for record in lines.records if record.name == "millstream.requests"]


async def collect(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


WAYS: dict[str, Any] = {
    "invoke": lambda llm: llm.invoke("p"),
    "ainvoke": lambda llm: asyncio.run(llm.ainvoke("p")),
    "stream": lambda llm: list(llm.stream("p")),
    "astream": lambda llm: asyncio.run(collect(llm.astream("p"))),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_request_has_a_line_with_its_address_status_time_and_id(way: str, lines: pytest.LogCaptureFixture) -> None:
    with MockServer(Reply(headers={"x-request-id": "req_7"})) as server:
        WAYS[way](llm_of(server))
    (record,) = requests(lines)
    pattern = rf"POST {re.escape(server.url)}/completions 200 in \d+\.\d{{3}} s req_7"
    assert re.fullmatch(pattern, record.getMessage())
    assert record.levelno == logging.INFO
    assert (record.method, record.status, record.error, record.attempt) == ("POST", 200, None, 1)
    assert record.request_id == "req_7"
    assert record.url == f"{server.url}/completions"
    assert 0 < record.seconds < 30


@pytest.mark.parametrize("way", WAYS)
def test_each_try_has_a_line_with_its_number(way: str, lines: pytest.LogCaptureFixture) -> None:
    script = [Reply(fault=ErrorStatus(status, headers={"retry-after-ms": "1"})) for status in (429, 503)]
    with MockServer(script=script) as server:
        WAYS[way](llm_of(server))
    records = requests(lines)
    assert [(record.status, record.attempt) for record in records] == [(429, 1), (503, 2), (200, 3)]
    assert " (attempt 3)" in records[2].getMessage()
    assert "attempt" not in records[0].getMessage()


@pytest.mark.parametrize("way", WAYS)
def test_a_request_without_a_response_has_the_name_of_its_error(way: str, lines: pytest.LogCaptureFixture) -> None:
    with MockServer(Reply(fault=Refuse())) as server, pytest.raises(APIConnectionError):
        WAYS[way](llm_of(server, max_retries=0))
    (record,) = requests(lines)
    assert (record.status, record.error) == (None, "APIConnectionError")
    assert f"{server.url}/completions APIConnectionError in " in record.getMessage()


def test_an_error_status_is_a_status(lines: pytest.LogCaptureFixture) -> None:
    with MockServer(Reply(fault=ErrorStatus(400))) as server, pytest.raises(APIStatusError):
        llm_of(server).invoke("p")
    assert [record.status for record in requests(lines)] == [400]


def test_keys_and_users_are_not_in_the_line(lines: pytest.LogCaptureFixture) -> None:
    with MockServer() as server:
        list(ChatGoogleGenerativeAI(model="gemini-2.0-flash", api_key="sesame", base_url=server.origin).stream("p"))
        address = server.url.replace("http://", "http://user:sesame@")
        ChatOpenAI(api_key="sesame", base_url=address, default_query={"token": "sesame"}).invoke("p")
    messages = [record.getMessage() for record in requests(lines)]
    assert len(messages) == 2
    assert "sesame" not in repr([vars(record) for record in requests(lines)])
    assert messages[1].startswith(f"POST {server.url}/chat/completions?token=*** 200 in ")


def test_harmless_parameters_are_shown_and_others_are_hidden() -> None:
    url = "https://a:b@host:8/p/models/m:stream?alt=sse&key=k&api-version=2024-10-21&sig=&code=c%20d"
    shown = "https://host:8/p/models/m:stream?alt=sse&key=***&api-version=2024-10-21&sig=***&code=***"
    assert _shown_url(url) == shown
    assert _shown_url("http://host/p") == "http://host/p"


@pytest.mark.parametrize("url", ["http://u:canary@[::1/v1", "http://u:canary@a\u2100b/v1", "http://u:canary@h:x/v1"])
def test_a_url_that_is_not_valid_is_an_error_of_the_transport(url: str, lines: pytest.LogCaptureFixture) -> None:
    with pytest.raises(APIConnectionError):
        OpenAI(api_key="k", base_url=url, max_retries=0).invoke("p")
    (record,) = requests(lines)
    assert record.error == "APIConnectionError"
    assert "canary" not in record.getMessage()


def test_a_line_can_be_written_to_a_file() -> None:
    assert _shown_url("http://host/\ud83c/\u00e9?\ud83c=1") == "http://host/\\ud83c/\\xe9?\\ud83c=***"


@pytest.mark.parametrize("level", [logging.WARNING, None])
def test_nothing_is_computed_unless_the_logger_is_enabled(level: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.transport.request_lines._line", None)
    logger = logging.getLogger("millstream.requests")
    if level is not None:
        monkeypatch.setattr(logger, "level", level)
        logger.manager._clear_cache()  # type: ignore[attr-defined]
    with MockServer() as server:
        llm_of(server).invoke("p")
