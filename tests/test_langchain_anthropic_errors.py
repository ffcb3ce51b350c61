"""Errors of the LangChain integration's ``ChatAnthropic``: langchain-anthropic's exceptions, whose causes are ours."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import anthropic
    import langchain_anthropic
    from langchain_anthropic import chat_models
    from pydantic import SecretStr

from anthropic_peer import KEY, MODEL, forget_clients, read_warnings, run
from anthropic_samples import body_of, event, start, text_block
from langchain_chat import describe_error
from millstream import errors
from millstream.integrations import langchain as ours
from millstream.integrations._sdk_calls import report_left
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, Reply, Stall, refusing_url

STATUSES: list[tuple[int, Any]] = [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}),
    (400, {"type": "error", "error": {"message": "prompt is too long: 3 tokens > 2 maximum"}}),
    (400, {"type": "error", "error": {"message": "messages: at least one message is required"}}),
    (401, {"type": "error", "error": {"type": "authentication_error", "message": "no key"}}),
    (403, {"type": "error", "error": {"type": "permission_error", "message": "no"}}),
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}}),
    (409, {}),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "large"}}),
    (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}),
    (500, "<html></html>"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
]


def both(url: str, **arguments: Any) -> tuple[Any, Any]:
    """Return our model and langchain-anthropic's."""
    forget_clients()
    given: dict[str, Any] = {"model": MODEL, "base_url": url, "api_key": SecretStr(KEY), "max_retries": 0, **arguments}
    return ours.ChatAnthropic(**given), langchain_anthropic.ChatAnthropic(**given)


def raised(call: Callable[[], Any]) -> Any:
    """Return the exception that ``call`` raises."""
    try:
        call()
    except Exception as error:
        return error
    return None


def causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and its causes."""
    return [] if error is None else [error, *causes(error.__cause__)]


async def read(stream: Any) -> None:
    """Read an async stream."""
    async for _ in stream:
        pass


@pytest.mark.parametrize("place", range(len(STATUSES)))
def test_an_error_status_is_langchains_exception(place: int) -> None:
    status, body = STATUSES[place]
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with MockServer(Reply(status=status, body=data, content_type="application/json")) as server, read_warnings():
        mine, theirs = both(server.origin)
        calls: list[Callable[[Any], Any]] = [
            lambda model: list(model.stream("p")),
            lambda model: model.invoke("p"),
            lambda model: run(model, lambda: read(model.astream("p"))),
            lambda model: run(model, lambda: model.ainvoke("p")),
        ]
        for call in calls:
            error, expected = raised(lambda call=call: call(mine)), raised(lambda call=call: call(theirs))  # type: ignore[misc]
            # The mock server numbers the requests.
            assert describe_error(error) | {"request_id": None} == describe_error(expected) | {"request_id": None}
            assert any(isinstance(cause, errors.APIStatusError) for cause in causes(error))


@pytest.mark.parametrize("fault", [Cut(after=1), Cut(after=1, how="fin"), Cut(after=1, how="end")])
def test_a_stream_that_is_cut_is_a_connection_error(fault: Any) -> None:
    with MockServer(Reply(pieces=["a", "b"], fault=fault)) as server:
        mine, _ = both(server.origin)
        for error in (
            raised(lambda: list(mine.stream("p"))),
            raised(lambda: run(mine, lambda: read(mine.astream("p")))),
            raised(lambda: list(mine._stream(mine._convert_input("p").to_messages()))),
        ):
            assert isinstance(error, chat_models.AnthropicConnectionError)
            truncated = next(one for one in causes(error) if isinstance(one, errors.StreamTruncatedError))
            assert truncated.text == "a"


def test_an_error_event_is_the_sdks_exception() -> None:
    body = body_of([start(), *text_block(0, "a")])
    body += event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
        mine, theirs = both(server.origin)
        error, expected = raised(lambda: list(mine.stream("p"))), raised(lambda: list(theirs.stream("p")))
    assert type(error) is type(expected)
    assert (str(error), error.body, error.status_code) == (str(expected), expected.body, expected.status_code)
    assert any(isinstance(cause, errors.ProviderError) for cause in causes(error))


def test_a_server_that_is_not_there_and_one_that_is_silent() -> None:
    with refusing_url() as url:
        mine, theirs = both(url)
        error, expected = raised(lambda: list(mine.stream("p"))), raised(lambda: list(theirs.stream("p")))
        assert type(error) is type(expected) is chat_models.AnthropicConnectionError
    with MockServer(Reply(fault=Stall(after="request"))) as server:
        mine, theirs = both(server.origin, timeout=0.2)
        error, expected = raised(lambda: list(mine.stream("p"))), raised(lambda: list(theirs.stream("p")))
        assert type(error) is type(expected) is chat_models.AnthropicTimeoutError


def test_requests_are_sent_again() -> None:
    failures = [Reply(fault=ErrorStatus(529, headers={"retry-after-ms": "1"})), Reply(fault=Cut(after="head"))]
    with MockServer(script=[*failures, Reply(pieces=["a"])]) as server:
        mine, _ = both(server.origin, max_retries=2)
        assert "".join(chunk.text for chunk in mine.stream("p")) == "a"
        assert [request.headers["x-stainless-retry-count"] for request in server.requests] == ["0", "1", "2"]


def test_a_model_without_a_key_raises_as_langchains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with MockServer() as server:
        mine, theirs = both(server.origin, api_key=None, default_headers={"Authorization": ""})
        error, expected = raised(lambda: list(mine.stream("p"))), raised(lambda: list(theirs.stream("p")))
        assert (type(error), str(error)) == (type(expected), str(expected))


def test_calls_that_are_left_to_langchain_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Changed(ours.ChatAnthropic):
        def _format_output(self, data: Any, **kwargs: Any) -> Any:
            return super()._format_output(data, **kwargs)

    with MockServer(Reply(pieces=["a"])) as server, caplog.at_level("INFO", logger="millstream"):
        report_left.cache_clear()
        given: dict[str, Any] = {"model": MODEL, "base_url": server.origin, "api_key": SecretStr(KEY)}
        model = Changed(**given)
        assert model.invoke("p").text == "a"
        assert "".join(chunk.text for chunk in model.stream("p")) == "a"
    assert [one.message for one in caplog.records if one.name == "millstream"] == [
        "a call is left to langchain-anthropic: its requests or chunks are made by a method of its own class"
    ]


def test_an_error_frame_of_a_whole_answer_is_no_answer() -> None:
    with MockServer(Reply(fault=ErrorFrame(after=0))) as server:
        mine, _ = both(server.origin)
        assert isinstance(raised(lambda: list(mine.stream("p"))), anthropic.APIStatusError)
