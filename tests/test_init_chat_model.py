"""``init_chat_model``, compared with LangChain's: the class, the provider, and what each call configures."""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from langchain_peer import KEY, allow_v1, dump_messages, normalize_events

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain.chat_models
    from langchain.chat_models.base import _attempt_infer_model_provider

import millstream.chat_models
from endings import aread
from millstream import AzureChatOpenAI, ChatOpenAI
from millstream.chat_models.base import init_chat_model as by_path
from millstream.providers.anthropic.chat import ChatAnthropic
from millstream.providers.google.chat import ChatGoogleGenerativeAI
from millstream.providers.init_chat_model import init_chat_model
from millstream.providers.model_names import infer_provider
from millstream.providers.ollama import ChatOllama
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, MockServer

AZURE = {"azure_endpoint": "https://e.openai.azure.com", "azure_deployment": "d", "api_version": "v"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, KEY)


def test_all_paths_name_one_function() -> None:
    assert millstream.chat_models.init_chat_model is by_path is init_chat_model
    assert millstream.chat_models.ChatOpenAI is millstream.chat_models.base.ChatOpenAI is ChatOpenAI


@pytest.mark.parametrize(
    ("name", "provider", "cls", "fields"),
    [
        ("openai:gpt-4o", None, ChatOpenAI, {}),
        ("gpt-4o", None, ChatOpenAI, {}),
        ("o3-mini", None, ChatOpenAI, {}),
        ("ChatGPT-4o-latest", None, ChatOpenAI, {}),
        ("ft:any:name", "openai", ChatOpenAI, {}),
        ("ollama:llama3.2:1b", None, ChatOllama, {}),
        ("llama3.2:1b", "ollama", ChatOllama, {}),
        ("anthropic:claude-sonnet-4-5", None, ChatAnthropic, {}),
        ("claude-sonnet-4-5", None, ChatAnthropic, {}),
        ("google_genai:gemini-2.5-flash", None, ChatGoogleGenerativeAI, {}),
        ("azure_openai:gpt-4o", None, AzureChatOpenAI, AZURE),
        ("gpt-4o", "azure-openai", AzureChatOpenAI, AZURE),
    ],
)
def test_a_name_makes_the_class_that_langchain_would_make(
    name: str, provider: str | None, cls: Any, fields: dict[str, Any]
) -> None:
    mine: Any = init_chat_model(name, model_provider=provider, **fields)
    theirs: Any = langchain.chat_models.init_chat_model(name, model_provider=provider, **fields)
    assert type(mine) is cls
    assert type(mine).__name__ == type(theirs).__name__
    assert getattr(mine, "model_name", None) == getattr(theirs, "model_name", None)
    assert cls is not ChatOllama or mine.model == theirs.model


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        *(("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-flash", "google_genai"), ("command-r", "cohere")),
        *(("mixtral-8x7b", "mistralai"), ("grok-4", "xai"), ("sonar", "perplexity"), ("solar-pro", "upstage")),
        *(("deepseek-chat", "deepseek"), ("amazon.nova", "bedrock"), ("accounts/fireworks/models/x", "fireworks")),
    ],
)
def test_the_provider_follows_from_the_beginning_of_the_name(name: str, provider: str) -> None:
    assert infer_provider(name) == provider
    # LangChain warns that Vertex AI, which has no class here, will give way to the Gemini API.
    assert _attempt_infer_model_provider(name) == provider.replace("google_genai", "google_vertexai")


def test_unknown_names_and_providers_without_a_class_are_errors() -> None:
    with pytest.raises(ValueError, match="Unable to infer model provider for model='llama'"):
        init_chat_model("llama")
    with pytest.raises(ValueError, match=r"(?s)Unable to infer.*openai; did you mean google_genai\?$"):
        init_chat_model("google:gemini-2.5-flash")
    with pytest.raises(ValueError, match=r"(?s)Unsupported provider='groq'.*LangChain's init_chat_model has it"):
        init_chat_model("groq:llama")
    with pytest.raises(ValueError, match=r"(?s)Unsupported provider='nobody'.*base_url"):
        init_chat_model("x", model_provider="nobody")
    with pytest.raises(TypeError, match="must be a string"):
        init_chat_model(ChatOllama(model="m"))  # type: ignore[call-overload]
    with pytest.warns(UserWarning, match="no fields are configurable"):
        init_chat_model("ollama:m", config_prefix="p")


def test_a_call_that_no_model_was_chosen_for_says_how_to_choose_one() -> None:
    model = init_chat_model(config_prefix="first")
    with pytest.raises(TypeError, match="no model: .* in the configuration of the call: .*'first_model': 'openai:"):
        model.invoke("Hi")


CONFIGURED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"model": "openai:x"}),
    ({}, {"model": "x", "model_provider": "openai", "temperature": 0.5}),
    ({"model": "gpt-a"}, {}),
    ({"model": "gpt-a", "configurable_fields": ("temperature",)}, {"temperature": 0.5, "model": "gpt-b"}),
    ({"model": "gpt-a", "configurable_fields": "any"}, {"temperature": 0.5, "model": "gpt-b", "max_tokens": 7}),
    (
        {"model": "gpt-a", "configurable_fields": ["model", "temperature"], "config_prefix": "first"},
        {"first_model": "gpt-c", "temperature": 1, "first_temperature": 0.25},
    ),
    ({"model": "gpt-a", "configurable_fields": "any", "config_prefix": "p_"}, {"p_model": "gpt-b", "thread_id": "t"}),
]
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda model, config: model.invoke("p", config),
    "ainvoke": lambda model, config: asyncio.run(model.ainvoke("p", config)),
    "stream": lambda model, config: list(model.stream("p", config)),
    "astream": lambda model, config: asyncio.run(aread(model.astream("p", config))),
    "batch": lambda model, config: model.batch(["p", "q"], config),
    "abatch": lambda model, config: asyncio.run(model.abatch(["p"], config)),
    "batch of two": lambda model, config: model.batch(["p", "q"], [config, config]),
    "with_config": lambda model, config: model.with_config(config).invoke("p"),
    "bind_tools": lambda model, config: model.bind_tools([{"name": "f", "parameters": {}}]).invoke("p", config),
}


@pytest.mark.parametrize(("arguments", "configurable"), CONFIGURED)
@pytest.mark.parametrize("call", CALLS)
def test_the_configuration_of_a_call_determines_the_request(
    mock_server: MockServer, arguments: dict[str, Any], configurable: dict[str, Any], call: str
) -> None:
    bodies = []
    answers = []
    for make in (init_chat_model, langchain.chat_models.init_chat_model):
        seen = len(mock_server.requests)
        # In place of an argument of its own, for the calls in which all are configurable.
        model = make(**arguments, base_url=mock_server.url, max_retries=0, stream_usage=False)
        answers.append(dump_messages(CALLS[call](model, {"configurable": dict(configurable)})))
        bodies.append(sorted(repr(sorted(one.body.items())) for one in mock_server.requests[seen:]))
    assert bodies[0] == bodies[1]
    texts = [[one["content"] for one in (answer if isinstance(answer, list) else [answer])] for answer in answers]
    assert "".join(texts[0]) == "".join(texts[1])


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_of_a_configured_model_are_langchains(mock_server: MockServer, version: Any) -> None:
    config: Any = {"configurable": {"model": "openai:x"}}

    async def events(make: Any) -> Any:
        model = make(base_url=mock_server.url, max_retries=0, stream_usage=False)
        return normalize_events(await aread(model.astream_events("p", config, version=version)))

    with allow_v1():
        mine, theirs = (asyncio.run(events(make)) for make in (init_chat_model, langchain.chat_models.init_chat_model))
    assert [event[:4] for event in mine] == [event[:4] for event in theirs]


def test_a_configurable_model_is_a_step_of_chains(mock_server: MockServer) -> None:
    model = init_chat_model(base_url=mock_server.url)
    chain = RunnableLambda(lambda text: f"{text}!") | model | (lambda message: message.text)
    config: Any = {"configurable": {"model": "openai:x"}}
    assert chain.invoke("p", config) == VERSE_TEXT
    assert "".join(chunk.text for chunk in model.stream("p", config)) == VERSE_TEXT
    records = b"".join(asyncio.run(aread(model.astream_records("p", config))))
    assert records.count(b"on_chat_model_stream") > len(VERSE)


VERSE_TEXT = "".join(VERSE)


def test_structured_output_waits_for_the_model(mock_server: MockServer) -> None:
    schema = {"title": "A", "type": "object", "properties": {}}
    model = init_chat_model(base_url=mock_server.url).with_structured_output(schema, method="json_mode")
    with pytest.raises(ValueError, match="Invalid json output"):
        model.invoke("p", {"configurable": {"model": "openai:x"}})
    assert mock_server.requests[-1].body["response_format"] == {"type": "json_object"}


def test_attributes_are_those_of_the_model_without_a_configuration() -> None:
    assert init_chat_model("ollama:m", configurable_fields="any").num_ctx is None
    with pytest.raises(AttributeError, match="model is not a BaseChatModel attribute"):
        _ = init_chat_model().model
    with pytest.raises(AttributeError, match="not implemented on the default model"):
        _ = init_chat_model("ollama:m", configurable_fields="any").nothing


def test_a_model_that_a_call_has_to_name_is_an_error_without_it() -> None:
    with pytest.raises(TypeError, match="model"):
        init_chat_model().invoke("p")
