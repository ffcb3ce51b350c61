"""``retry_after`` of exceptions: the wait that a server names, wherever it names it."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from endings import aread
from langchain_chat import body_of, chat_models
from millstream import ChatOpenAI
from millstream._retry_after import copy_retry_after, find_retry_after
from millstream.errors import APIConnectionError, APIStatusError, InternalServerError, ProviderError, RateLimitError
from millstream.providers.http.retry import find_delay
from millstream.testing import ErrorFrame, ErrorStatus, MockServer, Reply
from millstream.wires.public_error import describe_error

RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}
WORDS = "Rate limit reached for m on tokens per min (TPM): Limit 30000. Please try again in 1.2s."


def model(server: MockServer, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=server.url, api_key="k", **{"max_retries": 0, **options})


def refused(**headers: str) -> RateLimitError:
    return RateLimitError("no", status_code=429, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_the_headers_name_the_seconds() -> None:
    assert refused().retry_after is None
    assert refused(retry_after="7").retry_after == 7
    assert refused(retry_after="0.5").retry_after == 0.5
    assert refused(retry_after_ms="1500", retry_after="7").retry_after == 1.5
    assert refused(retry_after_ms="soon", retry_after="7").retry_after == 7
    assert refused(retry_after="-5").retry_after == 0
    assert refused(retry_after="soon").retry_after is None
    assert refused(retry_after="nan").retry_after is None
    assert refused(retry_after="inf").retry_after == refused(retry_after_ms="1e400").retry_after == 1e9


def test_the_header_may_be_a_date() -> None:
    then = datetime.now(UTC) + timedelta(seconds=30)
    seconds = refused(retry_after=format_datetime(then, usegmt=True)).retry_after
    assert seconds is not None
    assert 25 < seconds <= 30
    assert refused(retry_after="Wed, 21 Oct 2015 07:28:00 GMT").retry_after == 0


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a zone that can be set")
@pytest.mark.parametrize("zone", ["XYZ+11", "XYZ-11"])
def test_a_date_without_a_zone_is_one_of_greenwich(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    then = datetime.now(UTC) + timedelta(seconds=30)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for date in (then.strftime("%a, %d %b %Y %H:%M:%S"), then.strftime("%a, %d %b %Y %H:%M:%S -0000")):
            assert 25 < (refused(retry_after=date).retry_after or 0) <= 30
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_date_that_is_none_names_no_seconds() -> None:
    assert refused(retry_after="Wed, 99 Oct 2015 07:28:00 GMT").retry_after is None


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        (WORDS, 1.2),
        ("Please try again in 20ms.", 0.02),
        ("Limit 500, used 500. Please try again in 7m12.288s. Need more tokens?", 432.288),
        ("Please try again in 1h2m3s", 3723.0),
        ("Please retry after 2 seconds.", 2.0),
        ("Please retry in 34.07s.", 34.07),
        ("Retry after 1 minute and 30 seconds", 90.0),
        ("Try again in 5s. Please try again in 5s", 5.0),
        ("try again in 5s, or retry after 6s", None),
        ("please try again in 5 attempts", None),
        ("please try again in 5", None),
        ("please try again in 5-10 seconds", None),
        ("please try again later", None),
        ("the timeout was 30 seconds", None),
        ("x" * 5000 + " try again in 5s", None),
    ],
)
def test_a_message_names_the_seconds_where_it_can_mean_only_one_wait(message: str, seconds: float | None) -> None:
    error = RateLimitError(f"Error code: 429 - {message}", status_code=429)
    assert error.retry_after == (None if seconds is None else pytest.approx(seconds))
    streamed = ProviderError(message, error={"message": message})
    assert streamed.retry_after == error.retry_after
    assert APIStatusError(message, status_code=400).retry_after is None


def test_an_error_object_names_the_seconds() -> None:
    error = {"code": 429, "message": "Please retry in 9s.", "details": [{"@type": "other"}, RETRY_INFO]}
    for body in ({"error": error}, [{"error": error}]):
        assert RateLimitError("no", status_code=429, body=body).retry_after == pytest.approx(34.074824224)
    assert ProviderError("no", error={"message": "no", "retry_after": 3}).retry_after == 3
    odd: list[Any] = [True, -1, "3", 1e300, float("nan"), None, [], {}]
    assert [find_retry_after({"retry_after": value}) for value in odd] == [None] * len(odd)
    assert [find_retry_after({"details": value}) for value in odd] == [None] * len(odd)
    assert find_retry_after({"details": [{**RETRY_INFO, "retryDelay": None}]}) is None


def test_the_reset_of_a_whole_limit_is_not_a_wait() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset": "9"}
    assert RateLimitError("no", status_code=429, headers=headers).retry_after is None


@pytest.mark.parametrize("transport", ["native", "httpx2"])
def test_the_error_of_a_model_has_the_wait(transport: str) -> None:
    faults: list[tuple[Any, type[Exception], float | None]] = [
        (ErrorStatus(429, headers={"retry-after": "7"}), RateLimitError, 7),
        (ErrorStatus(503, headers={"retry-after-ms": "250"}), InternalServerError, 0.25),
        (ErrorStatus(429, WORDS), RateLimitError, 1.2),
        (ErrorFrame(1, WORDS), ProviderError, 1.2),
        (ErrorFrame(1), ProviderError, None),
    ]
    for fault, kind, seconds in faults:
        with MockServer(Reply(fault=fault)) as server:
            llm = model(server, transport=transport)
            errors: list[Any] = []
            with pytest.raises(kind) as caught:
                list(llm.stream("p"))
            errors.append(caught.value)
            with pytest.raises(kind) as caught:
                asyncio.run(aread(llm.astream("p")))
            errors.append(caught.value)
            assert [error.retry_after for error in errors] == [seconds, seconds]


def test_a_retry_waits_as_long_as_the_message_says(caplog: pytest.LogCaptureFixture) -> None:
    fault = ErrorStatus(429, "Rate limit reached. Please try again in 20ms.")
    with MockServer(Reply(), script=[Reply(fault=fault)]) as server, caplog.at_level("INFO", logger="millstream"):
        assert model(server, max_retries=1).invoke("p").content
    assert "trying again in 0.02 s" in caplog.text


def test_no_wait_is_known_where_no_response_arrived() -> None:
    assert not hasattr(APIConnectionError("refused"), "retry_after")


def test_exceptions_of_langchains_packages_have_the_wait_too() -> None:
    status = Reply(fault=ErrorStatus(429, headers={"retry-after": "7"}))
    frames = Reply(body=body_of([{"error": {"message": WORDS, "code": "rate_limit_exceeded"}}]))
    for reply, seconds in ((status, 7), (frames, 1.2)):
        with chat_models(reply) as (ours, _, _server):
            with pytest.raises(Exception) as caught:
                list(ours.stream("p"))
            error: Any = caught.value
            assert type(error).__module__.partition(".")[0] in ("openai", "langchain_openai")
            assert error.retry_after == seconds
    with chat_models(status) as (ours, _, _server), pytest.raises(Exception) as caught:
        ours.invoke("p")
    error = caught.value
    assert error.retry_after == 7


def test_the_wait_is_a_number_in_a_body_of_json() -> None:
    document = json.dumps({"error": {"message": "busy", "retry_after": 2.5}})
    with MockServer(Reply(body=document.encode(), status=503, content_type="application/json")) as server:
        with pytest.raises(InternalServerError) as caught:
            model(server).invoke("p")
        assert caught.value.retry_after == 2.5


def test_a_delay_that_is_not_a_text_names_no_wait() -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    assert find_retry_after({"details": [{**RETRY_INFO, "retryDelay": nested}]}) is None


def test_causes_may_be_a_circle() -> None:
    error = ValueError()
    error.__cause__ = error
    copy_retry_after(error)
    assert not hasattr(error, "retry_after")


def test_a_wait_without_an_end_is_not_waited_for_and_is_a_number_for_clients() -> None:
    error = refused(retry_after="inf")
    assert find_delay(error, 0) is None
    assert describe_error(error).headers == {"retry-after": "1000000000"}
