"""What a header may hold is one rule, on both transports, and no message shows a value."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from millstream import AzureChatOpenAI, ChatOpenAI, OpenAI
from millstream.language_models import SecretStr
from millstream.testing import MockServer
from millstream.transport import Request
from millstream.transport.headers import check_header, check_text
from millstream.transport.httpx2 import HTTPX2Transport
from millstream.transport.native import NativeTransport

WRONG = [f"sk-canary{end}" for end in ("\u00e9", " ", "\n", "\t", "\x00", "\ud83c", "\u2028")] + [" sk-canary"]


@pytest.mark.parametrize("value", WRONG)
def test_a_value_that_is_not_printable_ascii_or_has_white_space_at_an_end_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="api_key must be printable ASCII without white space at its ends"):
        check_text("api_key", value)
    with pytest.raises(ValueError, match="the header 'x-key' must be printable ASCII") as caught:
        check_header("x-key", value)
    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize("value", ["", "a", "a b", "Bearer sk-1", "~!\"'{}"])
def test_printable_ascii_is_accepted(value: str) -> None:
    check_header("X-a_b.c", value)


def test_a_value_that_is_not_a_str_is_named_by_its_type() -> None:
    with pytest.raises(TypeError, match="the header 'x' must be a str, not int"):
        check_header("x", 1)
    with pytest.raises(TypeError, match="the name of a header must be a str, not bytes"):
        check_header(b"x", "a")
    headers: Any = {"x-n": 3}
    with pytest.raises(TypeError, match="the header 'x-n' must be a str, not int"):
        list(OpenAI(api_key="k", base_url="http://127.0.0.1:1", default_headers=headers).stream("p"))


def test_an_invalid_name_is_shown_up_to_the_invalid_character() -> None:
    for name in ("authorization: Bearer sk-canary", "authorization\r\nsk-canary"):
        with pytest.raises(ValueError, match="that begins with 'authorization' is not valid") as caught:
            check_header(name, "")
        assert "canary" not in str(caught.value)
    with pytest.raises(ValueError, match="the name of a header is not valid"):
        check_header("\u00e9", "")


def written(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that a user may see of ``error``."""
    lines = traceback.format_exception(error)
    chain: BaseException | None = error
    while chain is not None:
        lines.append(repr(chain) + repr(chain.args) + repr(getattr(chain, "object", "")))
        chain = chain.__cause__ or chain.__context__
    return "".join([*lines, *(record.getMessage() for record in caplog.records)])


@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("value", WRONG)
def test_an_invalid_key_is_neither_shown_nor_sent(
    value: str, asynchronous: bool, transport: str, mock_server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def attempts() -> list[OpenAI]:
        return [
            OpenAI(api_key=lambda: value, base_url=mock_server.url, transport=transport),
            OpenAI(api_key="k", base_url=mock_server.url, transport=transport).bind(extra_headers={"x-key": value}),  # type: ignore[list-item]
        ]

    async def aread(llm: OpenAI) -> None:
        async for _ in llm.astream("p"):
            pass

    for llm in attempts():
        with pytest.raises(ValueError, match="must be printable ASCII") as caught:
            asyncio.run(aread(llm)) if asynchronous else list(llm.stream("p"))
        assert "canary" not in written(caught.value, caplog)
    assert not mock_server.requests


@pytest.mark.parametrize("value", WRONG)
def test_an_invalid_key_is_refused_when_the_model_is_created(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    azure: dict[str, Any] = {"azure_endpoint": "http://127.0.0.1:1", "api_version": "1", "model": "m"}
    made: list[tuple[str, Callable[[], object]]] = [
        ("api_key", lambda: OpenAI(api_key=value)),
        ("api_key", lambda: OpenAI(api_key=SecretStr(value))),
        ("api_key", lambda: ChatOpenAI(api_key=value)),
        ("api_key", lambda: AzureChatOpenAI(api_key=value, **azure)),
        ("azure_ad_token", lambda: AzureChatOpenAI(azure_ad_token=value, **azure)),
        ("the header 'x-key'", lambda: OpenAI(api_key="k", default_headers={"x-key": value})),
        ("the header 'x-key'", lambda: ChatOpenAI(api_key="k", default_headers={"x-key": value})),
    ]
    for name, make in made:
        with pytest.raises(ValueError, match=f"{name} must be printable ASCII") as caught:
            make()
        assert "canary" not in "".join(traceback.format_exception(caught.value))
    monkeypatch.setenv("OPENAI_API_KEY", "k\u00e9")
    with pytest.raises(ValueError, match="api_key must be printable ASCII"):
        OpenAI()


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("value", WRONG)
def test_both_transports_check_requests_by_themselves(value: str, mock_server: MockServer) -> None:
    request = Request("POST", f"{mock_server.url}/completions", {"x-key": value}, b"{}")
    native = NativeTransport()

    async def main() -> None:
        for transport in (native, HTTPX2Transport()):
            with pytest.raises(ValueError, match="the header 'x-key' must be printable ASCII"):
                await transport.aopen(request)

    asyncio.run(main())
    for transport in (native, HTTPX2Transport()):
        with pytest.raises(ValueError, match="the header 'x-key' must be printable ASCII"):
            transport.open(request)
    assert not mock_server.requests
