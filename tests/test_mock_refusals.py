"""A request that the mock server does not take: a 400 with a reason, over either transport, and the server goes on."""

import asyncio
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream.errors import BadRequestError
from millstream.testing import MockServer

WRONG: list[tuple[str, Any, str]] = [
    ("stop", 3, "stop must be a string or a list of up to 4 strings"),
    ("stop", [1], "stop must be"),
    ("stop", {"a": 1}, "stop must be"),
    ("stop", list("abcde"), "stop must be"),
    ("temperature", "hot", "temperature must be a number from 0 to 2"),
    ("temperature", 3, "temperature must be"),
    ("top_p", [], "top_p must be"),
    ("seed", "s", "seed must be an integer"),
    ("max_tokens", "many", "must be an integer above 0"),
    ("logit_bias", 5, "logit_bias must be an object"),
]


@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_the_error_of_a_model_says_why_its_request_is_refused(
    cls: type[Any], transport: str, mock_server: MockServer
) -> None:
    model = cls(base_url=mock_server.url, api_key="k", transport=transport)

    async def read(name: str, value: Any) -> None:
        async for _ in model.astream("hi", **{name: value}):
            pass

    for name, value, reason in WRONG:
        for call in (
            lambda name, value: model.invoke("hi", **{name: value}),
            lambda name, value: list(model.stream("hi", **{name: value})),
            lambda name, value: asyncio.run(read(name, value)),
        ):
            with pytest.raises(BadRequestError, match=reason):
                call(name, value)
    assert model.invoke("hi")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"prompt": 5}', b'{"prompt": "p", "n": true}',
        b'{"prompt": "p", "n": 0}', b'{"prompt": "p", "stream": "yes"}', b'{"prompt": "p", "stream_options": 3}',
        b'{"prompt": "p", "model": []}', b'{"prompt": [[1]]}',
    ],
)  # fmt: skip
def test_every_request_body_gets_a_response(body: bytes, mock_server: MockServer) -> None:
    import httpx2

    answer = httpx2.post(f"{mock_server.url}/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert httpx2.post(f"{mock_server.url}/completions", json={"prompt": "p"}).status_code == 200
