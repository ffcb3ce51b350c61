"""The OpenAI SDK's exceptions for ours, beside those that the SDK raises itself."""

import json
from typing import Any

import openai
import pytest

from millstream.errors import (
    EventTooLargeError,
    MillstreamError,
    ProviderError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.integrations._sdk_errors import to_sdk_error
from millstream.testing import MockServer, Reply, Stall, refusing_url
from sdk_clients import own_request, sdk_client

CALL: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "p"}]}
BODIES: list[tuple[int, bytes, str]] = [
    (400, b'{"error": {"message": "bad", "type": "t", "param": "p", "code": "c"}}', "application/json"),
    (401, b'{"error": {"message": "no", "code": 7}}', "application/json"),
    (403, b'{"message": "no"}', "application/json"),
    (404, b'{"detail": "Not Found"}', "application/json"),
    (409, b"{}", "application/json"),
    (422, b"[1]", "application/json"),
    (429, b'{"error": "slow"}', "application/json"),
    (500, b"<html>\xc3\xa9</html>", "text/html; charset=utf-8"),
    (503, b"", "text/plain"),
    (418, b"tea", "text/plain"),
]


def describe(error: Any) -> dict[str, Any]:
    """Return all of an exception that users read."""
    response = error.response
    headers = {name: value for name, value in response.headers.items() if name not in ("date", "content-length")}
    return {
        "class": type(error),
        "text": str(error),
        **{name: getattr(error, name) for name in ("message", "body", "code", "param", "type", "request_id")},
        "status": (error.status_code, response.status_code),
        "response": (type(response), response.text, response.content, headers),
        "request": (error.request.method, str(error.request.url), error.request.content),
    }


@pytest.mark.parametrize(("status", "body", "content_type"), BODIES, ids=[str(case[0]) for case in BODIES])
@pytest.mark.parametrize("library", [None, "httpx", "httpx2"])
def test_a_status_error_is_the_one_that_the_sdk_raises(
    library: str | None, status: int, body: bytes, content_type: str
) -> None:
    reply = Reply(body=body, status=status, content_type=content_type, headers={"x-request-id": "r"})
    with MockServer(reply) as server, sdk_client(server, library=library, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(**CALL)
        request = own_request(client, **CALL)
        with pytest.raises(MillstreamError) as ours:
            request.open()
    assert describe(to_sdk_error(ours.value, request)) == describe(caught.value)


def test_a_refused_connection_is_the_error_that_the_sdk_raises() -> None:
    with refusing_url() as url, openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError) as caught:
            client.chat.completions.create(**CALL)
        request = own_request(client, **CALL)
        with pytest.raises(MillstreamError) as ours:
            request.open()
    error: Any = to_sdk_error(ours.value, request)
    assert (type(error), str(error)) == (type(caught.value), str(caught.value))
    assert error.request.url == caught.value.request.url


def test_a_head_that_is_late_is_the_error_that_the_sdk_raises() -> None:
    with (
        MockServer(Reply(fault=Stall(after="request"))) as server,
        sdk_client(server, max_retries=0, timeout=0.2) as client,
    ):
        with pytest.raises(openai.APITimeoutError) as caught:
            client.chat.completions.create(**CALL)
        request = own_request(client, **CALL)
        with pytest.raises(MillstreamError) as ours:
            request.open()
    error = to_sdk_error(ours.value, request)
    assert (type(error), str(error)) == (type(caught.value), str(caught.value))


@pytest.mark.parametrize(
    ("ours", "theirs", "text", "body"),
    [
        (StreamTruncatedError("it ended"), openai.APIConnectionError, "it ended", None),
        (StreamStalledError("nothing came"), openai.APITimeoutError, "Request timed out.", None),
        (EventTooLargeError("too large"), openai.APIError, "too large", None),
        (
            ProviderError("busy", error={"message": "busy", "code": 1}),
            openai.APIError,
            "busy",
            {"message": "busy", "code": 1},
        ),
    ],
    ids=["truncated", "stalled", "too large", "an error frame"],
)
def test_an_error_of_a_stream_has_a_class_of_the_sdk(
    mock_server: MockServer, ours: MillstreamError, theirs: type[Exception], text: str, body: Any
) -> None:
    with sdk_client(mock_server) as client:
        request = own_request(client, **CALL)
        request.open().close()
    error: Any = to_sdk_error(ours, request)
    assert (type(error), str(error), error.body) == (theirs, text, body)
    assert error.request is request.sent


def test_a_frame_that_is_not_valid_json_is_the_error_of_the_json_module(mock_server: MockServer) -> None:
    with sdk_client(mock_server) as client:
        request = own_request(client, **CALL)
    error = to_sdk_error(StreamDecodeError("invalid JSON in the frame at byte 6", offset=6, frame=b'{"a"}'), request)
    assert isinstance(error, json.JSONDecodeError)
    assert error.doc == '{"a"}'
    assert error.msg.startswith("invalid JSON in the frame at byte 6")
    assert isinstance(to_sdk_error(StreamDecodeError("it is HTML", frame=b"5"), request), json.JSONDecodeError)
