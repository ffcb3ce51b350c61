"""The reason of an error status is in the exception's message, over both transports, streamed and whole."""

import asyncio
from typing import Any

import pytest

from endings import exhaust
from millstream import ChatOpenAI, OpenAI
from millstream.errors import BadRequestError
from millstream.testing import ErrorStatus, MockServer, Reply

BODIES: list[tuple[Any, str]] = [
    ({"detail": [{"loc": ["body", "n"], "msg": "n is too large"}]}, "n is too large"),
    ({"detail": "n is too large"}, "n is too large"),
    ({"errors": [{"message": "n is too large"}]}, "n is too large"),
    ([{"error": {"code": 400, "message": "n is too large", "status": "INVALID_ARGUMENT"}}], "n is too large"),
    ({"timestamp": 1, "status": 400, "error": "Bad Request", "message": "n is too large"}, "n is too large"),
    ({"error": {"message": "n is too large"}}, "n is too large"),
    ({"error": "n is too large"}, "n is too large"),
]


@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize(("body", "reason"), BODIES, ids=lambda value: str(value)[:24])
def test_the_reason_is_in_the_message(cls: type[Any], transport: str, body: Any, reason: str) -> None:
    with MockServer(Reply(fault=ErrorStatus(400, body=body))) as server:
        model = cls(base_url=server.url, api_key="k", transport=transport)
        calls: list[Any] = [
            lambda: model.invoke("p"),
            lambda: list(model.stream("p")),
            lambda: asyncio.run(model.ainvoke("p")),
            lambda: asyncio.run(exhaust(model.astream("p"))),
        ]
        for call in calls:
            with pytest.raises(BadRequestError, match=reason):
                call()
        assert len(server.requests) == 4
