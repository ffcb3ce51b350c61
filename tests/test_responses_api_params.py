"""Which calls use the Responses API, and the parameters of their requests, beside langchain-openai's."""

import json
import warnings
from collections.abc import Callable
from typing import Any, TypedDict

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from openai.lib._parsing._responses import type_to_text_format_param
    from pydantic import BaseModel

from langchain_core.messages import HumanMessage as TheirHuman
from langchain_core.tools import tool as their_tool

from millstream import AzureChatOpenAI, ChatOpenAI
from millstream.errors import MillstreamError
from millstream.language_models import FakeListChatModel
from millstream.messages import AIMessage, HumanMessage
from millstream.providers.http.build import encode_body
from millstream.tools import tool

KEY: Any = {"api_key": "k"}


class Animal(BaseModel):
    """An animal."""

    name: str
    legs: int | None = 4


class City(TypedDict):
    """A city."""

    name: str


def weather(city: str) -> str:
    """Return the weather.

    Args:
        city: The city.
    """
    return city


FORM = {"type": "json_schema", "json_schema": {"name": "A", "schema": {"type": "object"}, "strict": True}}
TITLED = {"title": "A", "type": "object", "properties": {}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}, "x": 1}

DECIDING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *(({"model": model}, {}) for model in ("gpt-4o", "gpt-5", "gpt-5-pro", "gpt-5.2-pro-x", "codex-mini", "x-codex")),
    *(({"model": model}, {"tools": [FUNCTION]}) for model in ("gpt-4o", "gpt-6", "GPT-6-x")),
    *(
        ({field: value}, {})
        for field, value in {"reasoning": {"effort": "low"}, "include": [], "truncation": "auto"}.items()
    ),
    *(({"context_management": []}, {}), ({"use_previous_response_id": True}, {}), ({"use_responses_api": True}, {})),
    *(({"output_version": version}, {}) for version in ("v0", "v1", "responses/v1")),
    *(({}, {name: value}) for name, value in {"text": {}, "previous_response_id": "r", "include": ["x"]}.items()),
    *(({}, {"tools": [{"type": name}]}) for name in ("web_search", "file_search", "custom", "function")),
    ({"use_responses_api": False, "reasoning": {"effort": "low"}}, {}),
    ({"use_responses_api": False, "model": "codex-mini"}, {}),
    ({"reasoning_effort": "low", "model": "gpt-5"}, {}),
    ({"model_kwargs": {"text": {}}}, {}),
]


@pytest.mark.parametrize(("fields", "kwargs"), DECIDING, ids=str)
def test_the_api_of_a_call_is_the_one_that_langchain_chooses(fields: dict[str, Any], kwargs: dict[str, Any]) -> None:
    mine, peer = ChatOpenAI(**KEY, **fields), langchain_openai.ChatOpenAI(**KEY, **fields)
    assert mine.use_responses_api == peer.use_responses_api
    expected = peer._get_request_payload("p", **kwargs)
    assert ("input" in mine._get_request_payload("p", **kwargs)) == ("input" in expected)


PARAMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"max_tokens": 5, "temperature": 0.5, "top_p": 0.1, "store": False}, {"max_tokens": 7}),
    ({}, {"max_completion_tokens": 6, "stop": ["x"], "user": "u"}),
    ({"stop": ["a"], "service_tier": "flex", "top_logprobs": 2}, {"parallel_tool_calls": False}),
    ({"reasoning_effort": "low"}, {}),
    ({"reasoning": {"effort": "high", "summary": "auto"}}, {}),
    ({"model": "gpt-5", "reasoning": {"effort": "none"}}, {"temperature": 0.3}),
    ({"model": "gpt-5"}, {"temperature": 0.3}),
    ({"model": "gpt-5-chat", "temperature": 0.3}, {}),
    ({"model": "o3-mini"}, {}),
    ({"verbosity": "low"}, {}),
    ({"verbosity": "low"}, {"text": {"verbosity": "high", "x": 1}}),
    ({}, {"response_format": {"type": "json_object"}, "text": {"x": 1}}),
    ({}, {"response_format": FORM}),
    ({}, {"response_format": {"title": "T", "type": "object", "properties": {}}}),
    ({}, {"response_format": {"name": "N", "schema": {"type": "object"}}}),
    ({}, {"response_format": Animal, "stream": True}),
    ({}, {"response_format": City}),
    ({}, {"tools": [FUNCTION, {"type": "web_search"}], "tool_choice": "auto"}),
    ({}, {"tools": [{"type": "image_generation"}], "stream": True, "tool_choice": {"type": "image_generation"}}),
    ({}, {"tools": [{"type": "image_generation"}], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ({}, {"previous_response_id": "resp_1", "include": ["reasoning.encrypted_content"], "instructions": "i"}),
    ({"context_management": [{"type": "compaction"}], "truncation": "auto"}, {"metadata": {"k": "v"}}),
    ({"extra_body": {"foo": 1}, "model_kwargs": {"background": True}}, {"extra_headers": {"a": "b"}, "timeout": 3}),
    ({}, {"prompt": {"id": "pmpt_1"}, "conversation": "conv_1", "max_tool_calls": 2}),
]


@pytest.mark.parametrize(("fields", "kwargs"), PARAMS, ids=str)
def test_parameters_are_those_that_langchain_sends(fields: dict[str, Any], kwargs: dict[str, Any]) -> None:
    given = {"model": "m", "use_responses_api": True, **KEY, **fields}
    mine, peer = ChatOpenAI(**given), langchain_openai.ChatOpenAI(**given)
    expected = peer._get_request_payload("p", **kwargs)
    assert mine._get_request_payload("p", **kwargs) == expected


def test_a_pydantic_class_is_sent_as_the_sdk_converts_it_unless_the_call_streams() -> None:
    model = ChatOpenAI(use_responses_api=True, **KEY)
    sent = model._get_request_payload("p", response_format=Animal)["text"]
    assert sent == {"format": type_to_text_format_param(Animal)}


@pytest.mark.parametrize("key", ["seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"])
def test_a_parameter_that_the_responses_api_does_not_have_raises(key: str) -> None:
    value: Any = {} if key == "logit_bias" else True if key == "logprobs" else 1
    model = ChatOpenAI(use_responses_api=True, **KEY, **{key: value})
    with pytest.raises(TypeError, match=f"no parameter '{key}'.*extra_body"):
        model.invoke("p")


@pytest.mark.parametrize("name", ["instructions", "background", "max_output_tokens"])
def test_a_parameter_of_the_responses_api_in_chat_completions_raises(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}.*use_responses_api=True"):
        ChatOpenAI(**KEY).bind(**{name: "x"}).invoke("p")


def test_partial_images_are_refused() -> None:
    images = {"type": "image_generation", "partial_images": 2}
    with pytest.raises(NotImplementedError, match="partial_images"):
        ChatOpenAI(**KEY).invoke("p", tools=[images])


@pytest.mark.parametrize("id", ["resp_1", "chatcmpl-1", None])
def test_only_the_messages_after_the_last_response_are_sent_if_the_server_has_the_others(id: str | None) -> None:
    metadata = {} if id is None else {"id": id}
    given = {"use_previous_response_id": True, "model": "m", **KEY}
    ours = [HumanMessage("a"), AIMessage("b", response_metadata=metadata), HumanMessage("c")]
    peers = [TheirHuman("a"), langchain_ai("b", metadata), TheirHuman("c")]
    expected = langchain_openai.ChatOpenAI(**given)._get_request_payload(peers)
    assert ChatOpenAI(**given)._get_request_payload(ours) == expected


def langchain_ai(text: str, metadata: dict[str, Any]) -> Any:
    from langchain_core.messages import AIMessage as TheirAI

    return TheirAI(text, response_metadata=metadata)


BOUND: dict[str, Callable[[Any], Any]] = {
    "function": lambda model: model.bind_tools([weather], tool_choice="weather"),
    "strict": lambda model: model.bind_tools([weather], strict=True, tool_choice="any"),
    "built-in": lambda model: model.bind_tools([{"type": "web_search"}], tool_choice="web_search"),
    "mcp": lambda model: model.bind_tools([{"type": "mcp", "server_label": "s", "headers": {"a": "b"}}]),
    "format": lambda model: model.bind_tools(
        [weather], response_format={**FORM, "json_schema": {"schema": TITLED, "strict": True}}
    ),
    "format and strict": lambda model: model.bind_tools([weather], response_format=City, strict=True),
    "parallel": lambda model: model.bind_tools([weather], parallel_tool_calls=False),
    "custom": lambda model: model.bind_tools([{"type": "custom", "name": "c", "format": {"type": "text"}}]),
    "schema": lambda model: model.with_structured_output(City),
    "schema as a tool": lambda model: model.with_structured_output(City, method="function_calling"),
    "json": lambda model: model.with_structured_output(None, method="json_mode"),
    "schema and tools": lambda model: model.with_structured_output(City, tools=[weather], strict=True),
}


@pytest.mark.parametrize("name", [name for name in BOUND if name != "custom"])
@pytest.mark.parametrize("streams", [False, True])
def test_bodies_of_bound_models_are_those_of_langchain(name: str, streams: bool) -> None:
    given: Any = {"model": "gpt-x", "use_responses_api": True, "max_retries": 0, **KEY}
    bodies = []
    for model in (langchain_openai.ChatOpenAI(**given), ChatOpenAI(**given)):
        bound = BOUND[name](model)
        step = bound.first if hasattr(bound, "first") else bound
        payload = step.bound._get_request_payload("p", **step.kwargs, stream=streams)
        bodies.append(json.loads(encode_body(without_format(payload), ())))
    assert bodies[0] == bodies[1]


def without_format(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != "ls_structured_output_format"}


def test_extras_of_a_tool_are_sent() -> None:
    given: Any = {"use_responses_api": True, "model": "m", **KEY}
    extras = {"defer_loading": True, "async": False, "other": 1}
    mine = tool(weather, extras=extras)
    peer = their_tool(weather, extras=extras)
    bound = ChatOpenAI(**given).bind_tools([mine])
    expected = langchain_openai.ChatOpenAI(**given).bind_tools([peer])
    assert bound.kwargs == expected.kwargs  # type: ignore[attr-defined]


def test_credentials_of_mcp_servers_are_not_in_the_parameters_that_handlers_receive() -> None:
    server = {"type": "mcp", "server_label": "s", "headers": {"a": "secret"}, "authorization": "secret"}
    mine, peer = ChatOpenAI(**KEY), langchain_openai.ChatOpenAI(**KEY)
    found = mine._get_invocation_params(tools=[server])["tools"]
    assert found == peer._get_invocation_params(tools=[server])["tools"]
    assert "secret" not in str(found)


AZURE: Any = {"api_version": "2025-04-01-preview", "azure_endpoint": "https://x.openai.azure.com"}


@pytest.mark.parametrize(
    "fields", [{}, {"model": "m"}, {"azure_deployment": "d"}, {"azure_deployment": "d", "model": "m"}]
)
def test_azures_url_has_no_deployment_and_the_body_has_the_model(fields: dict[str, Any]) -> None:
    given = {"use_responses_api": True, **KEY, **AZURE, **fields}
    mine, peer = AzureChatOpenAI(**given), langchain_openai.AzureChatOpenAI(**given)
    expected = peer._get_request_payload("p")
    sent = mine._get_request_payload("p")
    assert sent == expected
    assert mine._request_url("/responses", sent) == (
        "https://x.openai.azure.com/openai/responses?api-version=2025-04-01-preview"
    )


def test_an_unknown_output_version_is_refused() -> None:
    with pytest.raises(ValueError, match="'responses/v1'"):
        ChatOpenAI(**KEY, output_version="v2")
    with pytest.raises(ValueError, match="output_version must be"):
        FakeListChatModel(responses=["a"], output_version="responses/v1")
    with pytest.raises(MillstreamError):
        AzureChatOpenAI(output_version="responses/v1", **KEY)
