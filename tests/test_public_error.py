"""Errors as a server's client may see them."""

from types import SimpleNamespace
from typing import Any

import pytest

from millstream import errors
from millstream.errors import APIStatusError, RateLimitError
from millstream.wires.public_error import PublicError, describe_error

KEY = "sk-secret-key at http://10.0.0.1/v1"


def status(code: int, cls: Any = APIStatusError, **headers: str) -> APIStatusError:
    error: APIStatusError = cls(KEY, status_code=code, headers=headers, body={"error": {"message": KEY, "code": KEY}})
    return error


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        *((same, same) for same in (400, 401, 403, 404, 409, 422, 429, 503, 529)),
        *((418, 400), (405, 400), (500, 502), (502, 502), (504, 502)),
    ],
)
def test_a_status_is_passed_on_where_a_client_can_act_on_it(upstream: int, expected: int) -> None:
    assert describe_error(status(upstream)).status == expected


@pytest.mark.parametrize(
    ("sent", "header"),
    [
        ({"retry-after": "7"}, "7"),
        ({"retry-after-ms": "1200"}, "2"),
        ({"retry-after": "0"}, "0"),
        ({"retry-after": "7\r\nx: y"}, None),
        ({"retry-after": "inf"}, "1000000000"),
        ({}, None),
    ],
)
def test_the_wait_is_passed_on_in_whole_seconds(sent: dict[str, str], header: str | None) -> None:
    public = describe_error(status(429, RateLimitError, **sent))
    assert public.headers == ({} if header is None else {"retry-after": header})
    response = SimpleNamespace(headers=sent)
    sdk_error = type("APIStatusError", (Exception,), {"status_code": 429, "response": response})()
    assert describe_error(sdk_error) == public


def all_errors() -> list[BaseException]:
    made: list[BaseException] = [ValueError(KEY), KeyError(KEY), OSError(KEY)]
    for name in errors.__all__:
        cls = getattr(errors, name)
        if issubclass(cls, APIStatusError):
            made.append(status(500, cls))
        elif issubclass(cls, errors.ProviderError):
            made.append(cls(KEY, error={"message": KEY, "code": KEY, "type": KEY}))
        else:
            made.append(cls(KEY))
    return made


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_nothing_of_the_upstream_is_shown(error: BaseException) -> None:
    public = describe_error(error)
    assert "secret" not in repr(public)
    assert 400 <= public.status <= 599
    assert public.message
    assert public.type


def test_an_exception_may_describe_itself() -> None:
    class Own(Exception):
        public_error = PublicError(409, "stopped", "the stream was stopped")

    assert describe_error(Own("x")) == Own.public_error
