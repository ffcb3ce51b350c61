"""Media at URLs: ``ChatGoogleGenerativeAI`` downloads them when it sends the request."""

import asyncio
import base64
from typing import Any

import pytest

from google_peer import KEY, PNG, both_messages, human, our_model, quiet, their_model, whole
from millstream.errors import APIConnectionError, NotFoundError
from millstream.language_models.model_type import ModelCall
from millstream.testing import MockServer, Reply

DATA = base64.b64decode(PNG)
FILE = Reply(body=DATA, content_type="image/png", framing="length")


def send(model: Any, messages: Any) -> None:
    """Send a request of ours; leave the response unread."""
    model._build_pending(ModelCall(messages, None, {}), stream=False).open().close()


async def asend(model: Any, messages: Any) -> None:
    response = await model._build_pending(ModelCall(messages, None, {}), stream=False).aopen()
    await response.aclose()


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": "URL/x.png"}},
        {"type": "image_url", "image_url": "URL/unnamed"},
        {"type": "image", "url": "URL/unnamed"},
        {"type": "file", "url": "URL/x", "mime_type": "application/pdf"},
        {"type": "image", "source_type": "url", "url": "URL/x", "mime_type": "image/jpeg"},
    ],
)
def test_a_file_at_a_url_is_sent_inline_as_langchain_sends_it(block: Any) -> None:
    with MockServer(FILE) as files, MockServer(whole()) as server:
        placed = _place(block, files.origin)
        theirs, ours = both_messages([human([placed, "what is it?"])])
        with quiet():
            their_model(server).invoke(theirs)
        send(our_model(server), ours)
        asyncio.run(asend(our_model(server), ours))
        expected, *sent = [request.body for request in server.requests]
        assert sent == [expected, expected]


def test_a_redirect_is_followed_without_the_key() -> None:
    with MockServer(FILE) as files, MockServer(whole()) as server:
        moved = Reply(body=b"", status=302, headers={"location": f"{files.origin}/x.png"}, framing="length")
        with MockServer(moved) as redirecting:
            _, ours = both_messages([human([{"type": "image_url", "image_url": f"{redirecting.origin}/y"}])])
            send(our_model(server), ours)
            asked = [*redirecting.requests, *files.requests]
        (part,) = server.requests[-1].body["contents"][0]["parts"]
    assert part["inlineData"] == {"data": PNG.replace("+", "-"), "mime_type": "image/png"}
    assert [KEY in str(request.headers) for request in asked] == [False, False]


def test_a_file_that_is_missing_raises_before_anything_is_sent() -> None:
    with MockServer(Reply(body=b"gone", status=404, framing="length")) as files, MockServer(whole()) as server:
        _, ours = both_messages([human([{"type": "image_url", "image_url": f"{files.origin}/x"}])])
        with pytest.raises(NotFoundError):
            send(our_model(server), ours)
        with pytest.raises(NotFoundError):
            asyncio.run(asend(our_model(server), ours))
        assert server.requests == []


def test_redirects_without_an_end_are_an_error() -> None:
    with MockServer(whole()) as server:
        looping = Reply(body=b"", status=302, headers={"location": "/again"}, framing="length")
        with MockServer(looping) as files:
            _, ours = both_messages([human([{"type": "image_url", "image_url": f"{files.origin}/x"}])])
            with pytest.raises(APIConnectionError, match="redirects more than 5 times"):
                send(our_model(server), ours)


def _place(value: Any, origin: str) -> Any:
    if isinstance(value, dict):
        return {key: _place(item, origin) for key, item in value.items()}
    return value.replace("URL", origin) if isinstance(value, str) else value
