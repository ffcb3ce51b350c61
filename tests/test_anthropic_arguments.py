"""The arguments, headers and environment variables of ``ChatAnthropic``."""

import asyncio
import pickle
from typing import Any

import pytest

from anthropic_peer import KEY, MODEL, both_models
from millstream import errors
from millstream.language_models import SecretStr
from millstream.messages import HumanMessage, SystemMessage
from millstream.providers.anthropic import ChatAnthropic
from millstream.testing import MockServer

VARIABLES = ("API_KEY", "API_URL", "BASE_URL", "PROXY", "CUSTOM_HEADERS")


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove Anthropic's environment variables."""
    for name in VARIABLES:
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)


def model_of(server: MockServer, **arguments: Any) -> ChatAnthropic:
    """Return our model for ``server``."""
    return ChatAnthropic(**{"model": MODEL, "api_key": KEY, "base_url": server.origin, **arguments})


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("apikey", "api_key"), ("temprature", "temperature"), ("max_token", "max_tokens"), ("stop_sequence", "stop_seq")],
)
def test_a_mistyped_argument_raises_and_names_the_one_that_was_meant(wrong: str, meant: str) -> None:
    arguments: dict[str, Any] = {"model": MODEL, wrong: "sk-secret"}
    with pytest.raises(TypeError, match=f"'{wrong}'; did you mean {meant}") as caught:
        ChatAnthropic(**arguments)
    assert "sk-secret" not in str(caught.value)


def test_unknown_arguments_of_a_call_raise(mock_server: MockServer) -> None:
    model = model_of(mock_server)
    with pytest.raises(TypeError, match=r"'temprature'; did you mean temperature\?"):
        model.invoke("p", temprature=1)
    with pytest.raises(TypeError, match="'base_url'; it is an argument of ChatAnthropic"):
        model.invoke("p", base_url="x")
    assert not mock_server.requests


def test_a_model_needs_a_name_and_a_key() -> None:
    with pytest.raises(TypeError, match="missing the argument: 'model'"):
        ChatAnthropic(api_key=KEY)
    with pytest.raises(errors.MillstreamError, match="set the environment variable ANTHROPIC_API_KEY"):
        ChatAnthropic(model=MODEL)
    ChatAnthropic(model=MODEL, default_headers={"X-Api-Key": "k"})


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": "hot"},
        {"max_retries": -1},
        {"effort": "huge"},
        {"stop": [1]},
        {"timeout": -1},
        {"thinking": "enabled"},
        {"anthropic_proxy": "http://p", "http_client": object()},
    ],
)
def test_values_that_are_wrong_raise(arguments: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        ChatAnthropic(**{"model": MODEL, "api_key": KEY, **arguments})


def test_the_environment_has_the_key_the_address_and_headers(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-env")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_URL", mock_server.origin)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-One: 1\nX-Two:2\nnothing")
    ChatAnthropic(model=MODEL).invoke("p")
    headers = mock_server.requests[-1].headers
    assert (headers["authorization"], headers["x-one"], headers["x-two"]) == ("Bearer sk-env", "1", "2")
    monkeypatch.delenv("ANTHROPIC_API_URL")
    assert ChatAnthropic(model=MODEL).anthropic_api_url == "http://127.0.0.1:1"
    monkeypatch.setenv("ANTHROPIC_PROXY", "http://127.0.0.1:1")
    assert ChatAnthropic(model=MODEL).anthropic_proxy == "http://127.0.0.1:1"


def test_requests_go_through_the_proxy(mock_server: MockServer) -> None:
    model = ChatAnthropic(
        model=MODEL, api_key=KEY, base_url="http://host.invalid", anthropic_proxy=mock_server.origin, max_retries=0
    )
    # The mock server is no proxy, and says what it was asked for.
    with pytest.raises(errors.NotFoundError, match=r"POST http://host\.invalid/v1/messages"):
        model.invoke("p")


def test_headers_are_those_of_the_call_of_the_model_and_of_the_environment(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-a: env\nx-b: env\nx-c: env")
    model = model_of(
        mock_server,
        default_headers={"x-b": "model", "X-C": "model", "anthropic-version": "2023-06-01"},
        betas=["b1", "b2"],
        user_profile_id="u",
    )
    model.invoke("p", extra_headers={"x-c": "call", "x-d": None})
    headers = mock_server.requests[-1].headers
    assert [headers[f"x-{name}"] for name in "abc"] == ["env", "model", "call"]
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["anthropic-beta"] == "b1,b2,user-profiles-2026-03-24"
    assert headers["anthropic-user-profile-id"] == "u"
    assert "betas" not in mock_server.requests[-1].body
    assert "user_profile_id" not in mock_server.requests[-1].body


def test_the_profile_of_a_model_is_not_shown() -> None:
    model = ChatAnthropic(model="claude-sonnet-4-5", api_key="k", max_tokens=9)
    assert model.profile["max_input_tokens"] == 200_000
    assert repr(model) == "ChatAnthropic(model='claude-sonnet-4-5', max_tokens=9)"


def test_a_key_may_be_a_secret_or_a_function_and_is_never_shown(mock_server: MockServer) -> None:
    async def find_key() -> str:
        return "sk-async"

    for key, sent in ((SecretStr("sk-1"), "sk-1"), (lambda: "sk-2", "sk-2")):
        model = model_of(mock_server, api_key=key)
        model.invoke("p")
        assert mock_server.requests[-1].headers["authorization"] == f"Bearer {sent}"
        assert sent not in repr(model)
    asyncio.run(model_of(mock_server, api_key=find_key).ainvoke("p"))
    assert mock_server.requests[-1].headers["authorization"] == "Bearer sk-async"
    model = model_of(mock_server)
    assert KEY not in repr(model) + repr(vars(model)) + repr(model.asdict())
    assert KEY not in repr(pickle.loads(pickle.dumps(model)))


def test_a_parameter_of_the_endpoint_without_a_field_is_sent_with_a_warning(mock_server: MockServer) -> None:
    with pytest.warns(UserWarning, match="service_tier was transferred to model_kwargs"):
        model = model_of(mock_server, service_tier="auto")
    model.invoke("p")
    assert mock_server.requests[-1].body["service_tier"] == "auto"


def test_other_parameters_are_sent_as_extra_body(mock_server: MockServer) -> None:
    model = model_of(mock_server, extra_body={"min_p": 0.1, "x": 1})
    model.invoke("p", extra_body={"x": 2}, extra_query={"q": "1"})
    body = mock_server.requests[-1].body
    assert (body["min_p"], body["x"]) == (0.1, 2)
    assert mock_server.requests[-1].query in ("q=1", {"q": "1"}, {"q": ["1"]})


def test_tokens_are_counted_by_the_server(mock_server: MockServer) -> None:
    mine, theirs = both_models(mock_server.origin, betas=["b"])
    messages = [SystemMessage("s"), HumanMessage("one two three")]
    tools = [{"name": "f", "description": "d", "input_schema": {"type": "object"}}]
    count = mine.get_num_tokens_from_messages(messages, tools)
    from langchain_core.messages import HumanMessage as Their
    from langchain_core.messages import SystemMessage as TheirSystem

    assert count == theirs.get_num_tokens_from_messages([TheirSystem("s"), Their("one two three")], tools)
    first, second = mock_server.requests
    assert first.path == second.path == "/v1/messages/count_tokens"
    assert first.body == second.body
    assert first.headers["anthropic-beta"] == second.headers["anthropic-beta"]
