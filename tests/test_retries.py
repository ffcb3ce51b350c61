"""Retries, their delays, and the exceptions of error statuses."""

import asyncio
import time
from typing import Any

import pytest

from langchain_peer import llm_of
from millstream import OpenAI
from millstream.errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from millstream.providers.http.retry import Tries, find_delay
from millstream.testing import VERSE, ErrorStatus, MockServer, Refuse, Reply


def failing_server(*replies: Reply) -> MockServer:
    """Return a server that sends ``replies`` in order, and then good responses."""
    return MockServer(Reply(), script=replies)


def retry_soon(status: int, **headers: str) -> Reply:
    """Return an error that may be retried after a millisecond."""
    return Reply(fault=ErrorStatus(status, headers={"retry-after-ms": "1", **headers}))


def list_calls(llm: OpenAI) -> list[Any]:
    """Return every method that sends a request, each as a function."""

    async def read() -> list[str]:
        return [chunk async for chunk in llm.astream("p")]

    return [
        lambda: "".join(llm.stream("p")),
        lambda: "".join(asyncio.run(read())),
        lambda: llm.invoke("p"),
        lambda: asyncio.run(llm.ainvoke("p")),
    ]


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_temporary_statuses_are_retried(status: int, way: int) -> None:
    with failing_server(retry_soon(status), retry_soon(status)) as server:
        assert list_calls(llm_of(server))[way]() == "".join(VERSE)
        assert len(server.requests) == 3
        assert server.requests[0].data == server.requests[2].data


@pytest.mark.parametrize("way", range(4))
def test_failed_connections_are_retried(way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", 0.001)
    with failing_server(Reply(fault=Refuse()), Reply(fault=Refuse())) as server:
        assert list_calls(llm_of(server))[way]() == "".join(VERSE)
    with failing_server(*[Reply(fault=Refuse())] * 3) as server:
        with pytest.raises(APIConnectionError):
            list_calls(llm_of(server))[way]()
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 418])
def test_other_statuses_are_not_retried(status: int) -> None:
    with failing_server(retry_soon(status)) as server:
        with pytest.raises(APIStatusError):
            llm_of(server).invoke("p")
        assert len(server.requests) == 1


def test_x_should_retry_decides() -> None:
    with failing_server(retry_soon(400, **{"x-should-retry": "true"})) as server:
        assert llm_of(server).invoke("p") == "".join(VERSE)
    with failing_server(retry_soon(500, **{"x-should-retry": "false"})) as server:
        with pytest.raises(InternalServerError):
            llm_of(server).invoke("p")
        assert len(server.requests) == 1


def test_max_retries_limits_the_retries() -> None:
    for retries in (0, 1, 3):
        with failing_server(*[retry_soon(500)] * 5) as server:
            with pytest.raises(InternalServerError):
                llm_of(server, max_retries=retries).invoke("p")
            assert len(server.requests) == retries + 1


@pytest.mark.parametrize("delay", [{"retry-after": "61"}, {"retry-after-ms": "4294967000"}, {"retry-after": "inf"}])
def test_a_retry_after_of_more_than_a_minute_is_not_waited_for(delay: dict[str, str]) -> None:
    with MockServer(Reply(fault=ErrorStatus(429, headers=delay))) as server:
        started = time.monotonic()
        with pytest.raises(RateLimitError):
            llm_of(server).invoke("p")
        assert time.monotonic() - started < 5
        assert len(server.requests) == 1


def test_delays_double_up_to_eight_seconds_less_a_quarter_at_most() -> None:
    error = APIConnectionError("refused")
    for tried, longest in enumerate([0.5, 1.0, 2.0, 4.0, 8.0, 8.0]):
        delays = [find_delay(error, tried) for _ in range(50)]
        assert all(delay is not None and longest * 0.75 <= delay <= longest for delay in delays)
        assert len(set(delays)) > 1
    assert Tries(0, None).wait(error) is None


def test_the_wait_of_retry_after_is_kept() -> None:
    def wait(**headers: str) -> float | None:
        answer = {name.replace("_", "-"): value for name, value in headers.items()}
        return find_delay(RateLimitError("slow down", status_code=429, headers=answer), 0)

    assert wait(retry_after="7") == 7
    assert wait(retry_after_ms="1500", retry_after="7") == 1.5
    assert wait(retry_after="60") == 60
    assert 0.375 <= (wait(retry_after="0") or 0) <= 0.5
    assert 0.375 <= (wait(retry_after="-5") or 0) <= 0.5
    assert 0.375 <= (wait(retry_after="soon") or 0) <= 0.5
    assert 0.375 <= (wait(retry_after="nan") or 0) <= 0.5


# Error statuses.


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, UnprocessableEntityError),
        (429, RateLimitError),
        (500, InternalServerError),
        (529, InternalServerError),
        (418, APIStatusError),
    ],
)
def test_each_status_has_its_exception(status: int, error_class: type[APIStatusError]) -> None:
    fault = ErrorStatus(status, "what happened", "a_code", headers={"x-request-id": "req-1"})
    with MockServer(Reply(fault=fault)) as server:
        for call in list_calls(llm_of(server, max_retries=0)):
            with pytest.raises(APIStatusError) as caught:
                call()
            error = caught.value
            assert type(error) is error_class
            assert str(error) == f"Error code: {status} - what happened"
            assert (error.status_code, error.code, error.request_id) == (status, "a_code", "req-1")
            assert isinstance(error.body, dict)
            assert error.body["error"]["message"] == "what happened"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "the reason"}, "the reason"),
        ({"detail": "the reason"}, "the reason"),
        ({"error": "the reason"}, "the reason"),
        ({"error": {"message": "the reason"}}, "the reason"),
    ],
)
def test_the_servers_message_is_found_in_any_known_field(body: Any, message: str) -> None:
    with MockServer(Reply(fault=ErrorStatus(400, body=body))) as server, pytest.raises(BadRequestError) as caught:
        llm_of(server).invoke("p")
    assert str(caught.value) == f"Error code: 400 - {message}"
    assert caught.value.body == body


def test_a_body_that_is_not_json_is_the_message() -> None:
    page = b"<html>Bad gateway</html>"
    reply = Reply(body=page, status=400, content_type="text/html")
    with MockServer(reply) as server, pytest.raises(BadRequestError) as caught:
        llm_of(server).invoke("p")
    assert caught.value.body == page.decode()
    assert str(caught.value) == "Error code: 400 - <html>Bad gateway</html>"
