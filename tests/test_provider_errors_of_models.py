"""An error object in a response with a success status reaches the user: streamed or whole, sync or async."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from endings import exhaust
from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import APIConnectionError, ProviderError, StreamTruncatedError
from millstream.testing import MockServer, Reply

CHOICE: dict[str, Any] = {"index": 0, "text": "half", "delta": {"content": "half"}, "message": {"content": "half"}}
HALF: dict[str, Any] = {"choices": [CHOICE]}
ERRORS: list[tuple[Any, str]] = [
    ({"error": {"message": "m", "code": "c"}}, "m"),
    ({"error": "m"}, "m"),
    ({"object": "error", "message": "m"}, "m"),
    ({"choices": [{**CHOICE, "finish_reason": "error", "error": {"code": 502, "message": "m"}}]}, "m"),
    ({"x_groq": {"error": "m"}}, "m"),
    ({"code": 429, "message": "slow down"}, "slow down"),
    ({"choices": None, "error_type": "overloaded", "error_message": "try later"}, "try later"),
    ({"detail": [{"loc": ["body"], "msg": "Field required"}, {"msg": "too long"}]}, "Field required; too long"),
    ({"success": False, "message": "no"}, "no"),
]


def failures(model: Any, *, streamed: bool) -> list[Exception]:
    """Return the errors of every method of a model."""

    ways: list[Callable[[], Any]] = [
        lambda: model.invoke("p"),
        lambda: asyncio.run(model.ainvoke("p")),
        lambda: model.batch(["p"]),
    ]
    if streamed:
        ways += [lambda: list(model.stream("p")), lambda: asyncio.run(exhaust(model.astream("p")))]
    found = []
    for way in ways:
        with pytest.raises(Exception) as caught:
            way()
        found.append(caught.value)
    return found


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize(("payload", "message"), ERRORS)
def test_the_message_of_the_server_is_that_of_the_error(cls: Any, transport: str, payload: Any, message: str) -> None:
    document = json.dumps(payload).encode()
    frames = b"data: %s\n\ndata: %s\n\ndata: [DONE]\n\n" % (json.dumps(HALF).encode(), document)
    for body, streamed in ((document, False), (document, True), (frames, True)):
        content_type = "application/json" if body is document else "text/event-stream"
        with MockServer(Reply(body=body, content_type=content_type)) as server:
            options = {"base_url": server.url, "api_key": "k", "transport": transport, "max_retries": 0}
            for error in failures(cls(model="m", streaming=streamed, **options), streamed=streamed):
                assert isinstance(error, ProviderError)
                assert (str(error), error.error["message"]) == (message, message)
                if body is frames:
                    assert error.text.startswith("half")


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_status_frames_are_not_errors(cls: Any) -> None:
    frames = [
        {"status": "queued", "message": "waiting"},
        {"code": 200, "message": "ok"},
        {"object": "ping", "code": 500},
    ]
    payloads = [*frames, HALF, *frames, {"choices": [{**CHOICE, "finish_reason": "stop", "error": None}]}]
    body = b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads) + b"data: [DONE]\n\n"
    with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
        model = cls(model="m", base_url=server.url, api_key="k", streaming=True, callbacks=[BaseCallbackHandler()])
        answer = model.invoke("p")
    assert (answer if cls is OpenAI else answer.content) == "halfhalf"


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("transport", ["native", "httpx2"])
def test_a_connection_cut_after_the_head_truncates_and_before_it_is_lost(cls: Any, transport: str) -> None:
    import socket

    from scripted import read_request, scripted

    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    def after(sock: socket.socket) -> None:
        read_request(sock)
        frame = b"data: " + json.dumps(HALF).encode() + b"\n\n"
        sock.sendall(head + b"%x\r\n%b\r\n" % (len(frame), frame))

    def before(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(head[:20])

    options: dict[str, Any] = {"model": "m", "api_key": "k", "transport": transport, "max_retries": 0}
    with scripted(after) as url, pytest.raises(StreamTruncatedError) as caught:
        list(cls(base_url=url, **options).stream("p"))
    assert caught.value.text == "half"
    assert caught.value.__cause__ is not None
    with scripted(before) as url, pytest.raises(APIConnectionError):
        list(cls(base_url=url, **options).stream("p"))
