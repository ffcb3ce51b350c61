"""The arguments of models with OpenAI's protocol: the known names, and the valid values."""

import asyncio
import inspect
import warnings
from typing import Any

import pytest

from endings import exhaust
from millstream import LLM, AzureChatOpenAI, ChatOpenAI, OpenAI
from millstream.language_models import SecretStr
from millstream.testing import MockServer

MODELS = (OpenAI, ChatOpenAI, AzureChatOpenAI)
GIVEN: dict[str, Any] = {"response_format": {"type": "text"}, "tools": [], "max_completion_tokens": 5}
AZURE = {"azure_endpoint": "https://host", "api_version": "2024-10-21"}


def build_model(cls: type[Any], **arguments: Any) -> Any:
    """Return a model with its required arguments."""
    needed = AZURE if cls is AzureChatOpenAI else {}
    return cls(**{"api_key": "sk-x", **needed, **arguments})


# Names, in the constructor.


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("apikey", "api_key"),
        ("temprature", "temperature"),
        ("max_retry", "max_retries"),
        ("base_ulr", "base_url"),
        ("Stop", "stop"),
        ("stream", "streaming"),
        *(("url", "base_url"), ("host", "base_url"), ("token", "api_key")),
    ],
)
def test_a_mistyped_argument_raises_and_names_the_one_that_was_meant(cls: type[Any], wrong: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"'{wrong}'; did you mean {meant}\\?") as caught:
        build_model(cls, **{wrong: "sk-secret"})
    assert "sk-secret" not in str(caught.value)


def test_a_parameter_of_other_servers_raises_and_names_extra_body() -> None:
    with pytest.raises(TypeError, match=r"'top_k'.* \(to send a parameter that OpenAI does not have, pass extra_body="):
        ChatOpenAI(api_key="k", top_k=5)  # type: ignore[call-arg]
    ChatOpenAI(api_key="k", extra_body={"top_k": 5}, model_kwargs={"min_p": 0.1})


@pytest.mark.parametrize("name", ["messages", "prompt"])
def test_the_constructor_rejects_the_input(name: str) -> None:
    arguments: dict[str, Any] = {name: "p"}
    for cls in (OpenAI, ChatOpenAI):
        with pytest.raises(TypeError, match=name):
            cls(api_key="k", **arguments)


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_every_parameter_of_the_endpoint_is_accepted_and_sent_in_the_body(
    cls: type[Any], mock_server: MockServer
) -> None:
    from openai.types import completion_create_params as completions
    from openai.types.chat import completion_create_params as chat

    base: Any = (completions if cls is OpenAI else chat).CompletionCreateParamsBase
    known = set(inspect.signature(cls).parameters)
    for name in sorted(set(base.__annotations__) - {"messages", "prompt"}):
        assert name in known, name
        if name in cls.__millstream_names__ or name == "stream_options":
            continue
        with pytest.warns(UserWarning, match=f"{name} was transferred to model_kwargs"):
            model = cls(api_key="k", base_url=mock_server.url, **{name: GIVEN.get(name, "x")})
        model.invoke("p")
        assert mock_server.requests[-1].body[name] == GIVEN.get(name, "x")


@pytest.mark.parametrize("cls", MODELS)
def test_a_signature_shows_every_argument(cls: type[Any]) -> None:
    import langchain_openai

    parameters = inspect.signature(cls).parameters
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())
    sdks = {"root_client", "root_async_client"}
    for name, theirs in getattr(langchain_openai, cls.__name__).model_fields.items():
        if name not in sdks:
            assert name in parameters
            assert theirs.alias is None or theirs.alias in parameters
    assert "kwargs" not in parameters
    assert parameters["temperature"].annotation in ("float | None", float)


def test_the_signature_of_a_class_with_its_own_constructor_is_that_of_the_constructor() -> None:
    class Mine(ChatOpenAI):
        def __init__(self, size: int) -> None:
            super().__init__(api_key="k", max_tokens=size)

    assert list(inspect.signature(Mine).parameters) == ["size"]


# Names, in a call.


def list_calls(model: Any, **kwargs: Any) -> list[Any]:
    """Return every way to call ``model`` with ``kwargs``, each as a function."""

    prompts = ["p"] if isinstance(model, OpenAI) else [[("user", "p")]]
    return [
        lambda: model.invoke("p", **kwargs),
        lambda: asyncio.run(model.ainvoke("p", **kwargs)),
        lambda: list(model.stream("p", **kwargs)),
        lambda: asyncio.run(exhaust(model.astream("p", **kwargs))),
        lambda: model.batch(["p", "q"], **kwargs),
        lambda: asyncio.run(model.abatch(["p", "q"], **kwargs)),
        lambda: model.generate(prompts, **kwargs),
        lambda: asyncio.run(model.agenerate(prompts, **kwargs)),
        lambda: asyncio.run(exhaust(model.astream_events("p", version="v2", **kwargs))),
        lambda: asyncio.run(exhaust(model.astream_records("p", **kwargs))),
        lambda: model.bind(**kwargs).invoke("p"),
    ]


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"temprature": 1}, r"'temprature'; did you mean temperature\?"),
        ({"max_concurrency": 5}, r"'max_concurrency'; pass it in the configuration: config="),
        ({"api_key": "sk-secret"}, r"'api_key'; it is an argument of (Chat)?OpenAI\(…\)"),
        ({"top_k": 5}, r"'top_k'.* \(to send a parameter that OpenAI does not have, pass extra_body="),
        ({"messages": []}, r"'messages'"),
    ],
)
def test_an_unknown_argument_of_a_call_raises_before_anything_is_sent(
    cls: type[Any], wrong: dict[str, Any], hint: str, mock_server: MockServer
) -> None:
    for call in list_calls(cls(api_key="k", base_url=mock_server.url), **wrong):
        with pytest.raises(TypeError, match=hint):
            call()
    assert mock_server.requests == []


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_the_arguments_of_a_call_are_sent(cls: type[Any], mock_server: MockServer) -> None:
    model = cls(api_key="k", base_url=mock_server.url, model_kwargs={"top_k": 1})
    arguments = {"user": "u", "seed": 3, "top_k": 2, "extra_body": {"min_p": 0.1}, "extra_headers": {"x-a": "b"}}
    for call in list_calls(model, **arguments):
        call()
        request = mock_server.requests[-1]
        assert {name: request.body[name] for name in ("user", "seed", "top_k", "min_p")} == {
            **{"user": "u", "seed": 3, "top_k": 2},
            "min_p": 0.1,
        }
        assert request.headers["x-a"] == "b"


def test_a_users_model_accepts_the_arguments_of_its_methods(mock_server: MockServer) -> None:
    class Shouting(ChatOpenAI):
        def _stream(self, *args: Any, shout: int = 0, **kwargs: Any) -> Any:
            for chunk in super()._stream(*args, **kwargs):
                chunk.message.content = str(chunk.message.content).upper() * shout
                yield chunk

    class Echo(LLM):
        def _call(
            self, prompt: str, stop: Any = None, run_manager: Any = None, *, loud: bool = False, **kwargs: Any
        ) -> str:
            return f"{prompt}{loud}{kwargs}"

        @property
        def _llm_type(self) -> str:
            return "echo"

    model = Shouting(api_key="k", base_url=mock_server.url)
    text = "".join(str(chunk.content) for chunk in model.stream("p", shout=1))
    assert text.isupper()
    with pytest.raises(TypeError, match="temprature"):
        list(model.stream("p", shout=1, temprature=1))
    assert Echo().invoke("p", loud=True, top_k=1) == "pTrue{'top_k': 1}"


# Values.


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize(
    ("name", "value", "error_class", "message"),
    [
        ("temperature", "hot", TypeError, "temperature must be a number, not 'hot'"),
        ("temperature", [1], TypeError, "temperature must be a number, not list"),
        ("temperature", True, TypeError, "temperature must be a number, not bool"),
        ("temperature", float("nan"), ValueError, "temperature must be a number, not nan"),
        ("top_p", {}, TypeError, "top_p must be a number, not dict"),
        ("max_retries", "a", TypeError, "max_retries must be an int, not 'a'"),
        ("max_retries", 1.5, TypeError, "max_retries must be an int, not 1.5"),
        ("max_retries", -1, ValueError, "max_retries must be at least 0, not -1"),
        ("max_tokens", "many", TypeError, "max_tokens must be an int"),
        ("n", "two", TypeError, "n must be an int"),
        ("n", 0, ValueError, "n must be at least 1"),
        ("seed", object(), TypeError, "seed must be an int, not object"),
        ("api_key", "", ValueError, "api_key must not be empty"),
        ("api_key", SecretStr(""), ValueError, "api_key must not be empty"),
        ("api_key", 5, TypeError, "api_key must be a str, a SecretStr or a function, not int"),
        ("timeout", "30", TypeError, "timeout"),
        ("timeout", -1, ValueError, "timeout: a timeout cannot be negative"),
        ("timeout", 0, ValueError, "timeout: a timeout of 0 leaves no time"),
        ("timeout", (1, 0.0), ValueError, "timeout: a timeout of 0 leaves no time"),
        ("organization", "org-é", ValueError, "organization must be printable ASCII"),
        ("total_timeout", 0, ValueError, "total_timeout must be more than 0"),
        ("total_timeout", "soon", TypeError, "total_timeout must be a number"),
        ("streaming", "yes", TypeError, "streaming must be True or False, not str"),
        ("model", 4, TypeError, "model must be a str, not int"),
        ("base_url", b"http://h", TypeError, "base_url must be a str, not bytes"),
        ("default_headers", "x", TypeError, "default_headers must be a mapping, not str"),
        ("model_kwargs", [], TypeError, "model_kwargs must be a mapping, not list"),
        ("extra_body", 1, TypeError, "extra_body must be a mapping, not int"),
        ("tags", "one", TypeError, "tags must be a list, not str"),
    ],
)
def test_an_invalid_value_raises_in_the_constructor(
    cls: type[Any], name: str, value: Any, error_class: type[Exception], message: str
) -> None:
    with pytest.raises(error_class, match=message):
        build_model(cls, **{name: value})


def test_values_of_one_models_own_fields_are_checked_too() -> None:
    of_completions: list[dict[str, Any]] = [{"batch_size": 0}, {"best_of": 0}, {"stream_chunk_timeout": -1}]
    for wrong in of_completions:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            OpenAI(api_key="k", **wrong)
    of_chats: list[dict[str, Any]] = [{"disable_streaming": "tool_calls"}, {"stop": 3}]
    for wrong in of_chats:
        with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
            ChatOpenAI(api_key="k", **wrong)
    with pytest.raises(TypeError, match="stop"):
        ChatOpenAI(api_key="k", stop=["a", 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="azure_ad_token must not be empty"):
        build_model(AzureChatOpenAI, azure_ad_token="")


@pytest.mark.parametrize("cls", MODELS)
def test_numbers_may_be_texts_as_in_langchain(cls: type[Any]) -> None:
    model = build_model(cls, temperature="0.5", max_retries="3", max_tokens=5.0, top_p=1)
    assert (model.temperature, model.max_retries, model.max_tokens) == (0.5, 3, 5)
    assert (type(model.max_tokens), type(model.top_p)) == (int, float)


def test_valid_arguments_neither_raise_nor_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ChatOpenAI(
            api_key=lambda: "k", timeout=(1.0, None), max_retries=None, stop="END", disable_streaming="tool_calling"
        )
        ChatOpenAI(api_key="k", timeout=0.5, stop=("a", "b"))  # type: ignore[arg-type]
        ChatOpenAI(api_key="k", logit_bias={1: 2}, tags=["t"], total_timeout=3)
        OpenAI(api_key=SecretStr("k"), max_tokens=-1, logprobs=3, default_query={"a": 1})
