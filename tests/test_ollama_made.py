"""``ChatOllama``: its arguments, the address, headers and keys of its requests, and what is checked of them."""

import asyncio
import base64
import json
import pickle
import subprocess
import sys
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import httpx
    import langchain_ollama
    from langchain_ollama._utils import validate_model
    from ollama import Client
    from ollama._client import _parse_host

from langchain_peer import KEY
from millstream.errors import UnsupportedError
from millstream.providers.ollama import ChatOllama
from millstream.providers.ollama.address import read_address
from millstream.testing import MockServer, Reply, refusing_url
from ollama_peers import END, both, ollama_of, peer, served, texts

ANSWER = served(END)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)


def test_every_field_of_langchains_class_is_an_argument_with_its_default() -> None:
    own = {"custom_get_token_ids", "disable_streaming", "rate_limiter", "cache", "verbose", "callbacks"}
    for name, field in langchain_ollama.ChatOllama.model_fields.items():
        spec = ChatOllama.__millstream_fields__[name]
        if name not in own and not field.is_required():
            assert spec.value() == field.get_default(call_default_factory=True), name


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({}, TypeError, "missing the argument: 'model'"),
        ({"model": "m", "temprature": 0}, TypeError, "'temprature'; did you mean temperature"),
        ({"model": "m", "max_tokens": 5}, TypeError, r"'max_tokens'; did you mean num_predict\?"),
        ({"model": "m", "timeout": 5}, TypeError, r"did you mean client_kwargs=\{'timeout': …\}\?"),
        ({"model": "m", "temperature": "hot"}, TypeError, "temperature must be a number"),
        ({"model": "m", "num_ctx": 1.5}, TypeError, "num_ctx must be an int"),
        ({"model": "m", "reasoning": 5}, TypeError, "reasoning must be"),
        ({"model": "m", "keep_alive": 1.5}, TypeError, "keep_alive must be"),
        ({"model": "m", "top_logprobs": 0}, ValueError, "`top_logprobs` must be a positive integer"),
        ({"model": "m", "top_logprobs": 1, "logprobs": False}, ValueError, "`logprobs` is explicitly `False`"),
        ({"model": "m", "base_url": "ftp://x"}, ValueError, "must begin with http:// or https://"),
        ({"model": "m", "base_url": "http://x:port"}, ValueError, "port is not a number"),
        ({"model": "m", "client_kwargs": {"verify": False}}, UnsupportedError, r"http_client=httpx.Client\(…\)"),
        ({"model": "m", "sync_client_kwargs": {"limits": 1}}, UnsupportedError, r"sync_client_kwargs\['limits'\]"),
        ({"model": "m", "async_client_kwargs": {"auth": object()}}, UnsupportedError, r"a tuple \(user, password\)"),
        ({"model": "m", "client_kwargs": {"headers": {"a b": "c"}}}, ValueError, "the name of a header"),
        ({"model": "m", "client_kwargs": {"timeout": -1}}, ValueError, "cannot be negative"),
    ],
)
def test_wrong_arguments_are_errors(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        ChatOllama(**arguments)


def test_top_logprobs_switch_log_probabilities_on_with_langchains_warning() -> None:
    with pytest.warns(UserWarning, match="Setting `logprobs=True` automatically"):
        assert ChatOllama(model="m", top_logprobs=2).logprobs is True


def test_a_parameter_of_the_endpoint_without_a_field_goes_to_the_body_with_a_warning() -> None:
    with MockServer(ANSWER) as server:
        with pytest.warns(UserWarning, match="think is not default parameter"):
            model = ollama_of(server, think="high")
        model.invoke("p")
        assert server.requests[-1].body["think"] == "high"
        ollama_of(server, extra_body={"truncate": False}).invoke("p")
        assert server.requests[-1].body["truncate"] is False


# The address.

HOSTS = (
    *(None, "", "1.2.3.4", ":56789", "1.2.3.4:56789", "http://1.2.3.4", "https://1.2.3.4", "https://1.2.3.4:56789"),
    *("example.com", "example.com:56789", "http://example.com", "https://example.com", "example.com/", "a.com:5/"),
    *("example.com/path", "example.com:56789/path", "https://example.com:56789/path/", "[0001:002:003:0004::1]"),
    *("[0001:002:003:0004::1]:56789", "http://[0001:002:003:0004::1]", "https://[0001:002:003:0004::1]:56789/path"),
)


@pytest.mark.parametrize("host", HOSTS)
def test_addresses_are_read_as_by_the_sdk(host: str | None) -> None:
    expected = _parse_host(host)
    url = read_address(host).url
    # A URL's own port is left out.
    default = {"http": ":80", "https": ":443"}[url.partition(":")[0]]
    assert url == expected or url.partition("/path")[0] + default == expected.partition("/path")[0]


def test_a_host_alone_is_not_this_machine() -> None:
    # LangChain takes a `base_url` without a colon for none at all, and sends the request to port 11434 here.
    with MockServer(ANSWER) as server, peer(server, base_url="example.com") as theirs:
        assert str(theirs._client._client.base_url) == "http://127.0.0.1:11434"
    assert ChatOllama(model="m", base_url="example.com")._base_url == "http://example.com:11434"


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(ANSWER) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.origin.removeprefix("http://"))
        assert ChatOllama(model="m").invoke("p").response_metadata["model"] == "m"
        assert ChatOllama(model="m", base_url="http://h")._base_url == "http://h"


@pytest.mark.parametrize("user", ["me:secret", "me", "me%40home:p%3Aw", "me:"])
def test_a_user_in_the_url_is_sent_as_basic_authentication(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    with MockServer(ANSWER) as server:
        url = server.origin.replace("//", f"//{user}@")
        both(server, lambda model: model.invoke("p"), base_url=url, client_kwargs={"headers": {"Authorization": "no"}})
        mine, theirs = (request.headers["authorization"] for request in server.requests)
    assert mine == theirs.replace("no, ", "")
    assert base64.b64decode(mine.removeprefix("Basic ")).decode().startswith("me")


def test_a_user_in_the_environments_url_is_sent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(ANSWER) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.origin.replace("//", "//me:secret@"))
        ChatOllama(model="m").invoke("p")
    assert server.requests[-1].headers["authorization"] == "Basic bWU6c2VjcmV0"


def test_the_path_of_the_address_comes_before_the_endpoints() -> None:
    with MockServer(ANSWER) as server:
        both(server, lambda model: model.invoke("p"), base_url=f"{server.origin}/ollama/")
        assert [request.path for request in server.requests] == ["/ollama/api/chat"] * 2


# Headers and keys.


def test_the_key_in_the_environment_is_sent_unless_a_header_authenticates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    with MockServer(ANSWER) as server:
        both(server, lambda model: model.invoke("p"))
        both(server, lambda model: model.invoke("p"), client_kwargs={"headers": {"Authorization": "Bearer own"}})
        sent = [request.headers["authorization"] for request in server.requests]
        assert sent == [f"Bearer {KEY}"] * 2 + ["Bearer own"] * 2
        model = ollama_of(server)
        assert KEY not in repr(model) + repr(vars(model)) + repr(model.asdict())


def test_headers_and_cookies_of_the_client_arguments_are_sent() -> None:
    with MockServer(ANSWER) as server:
        fields: dict[str, Any] = {
            "client_kwargs": {"headers": {"X-A": "1", "X-B": "1"}, "cookies": {"c": "d"}, "auth": ("me", "secret")},
            "sync_client_kwargs": {"headers": {"X-B": "2"}},
            "async_client_kwargs": {"headers": {"X-C": "3"}, "timeout": 5},
        }
        model = ollama_of(server, **fields)
        model.invoke("p")
        asyncio.run(model.ainvoke("p"))
        sync, asynchronous = (request.headers for request in server.requests)
    assert [sync[name] for name in ("x-a", "x-b", "cookie", "authorization")] == ["1", "2", "c=d", "Basic bWU6c2VjcmV0"]
    assert (asynchronous["x-b"], asynchronous["x-c"], "x-c" in sync) == ("1", "3", False)
    assert "secret" not in repr(model)


def test_a_client_of_httpx_sends_the_requests() -> None:
    with MockServer(served(*texts("a", "b"))) as server, httpx.Client(headers={"x-mine": "1"}) as client:
        assert ollama_of(server, http_client=client).invoke("p").content == "ab"
        assert server.requests[-1].headers["x-mine"] == "1"


# The model on the server.


def tags(*names: str) -> Reply:
    return Reply(
        body=json.dumps({"models": [{"model": name} for name in names]}).encode(), content_type="application/json"
    )


@pytest.mark.parametrize("names", [["m"], ["other", "m:latest"], ["m:7b"]])
def test_a_model_that_the_server_has_is_valid(names: list[str]) -> None:
    with MockServer(tags(*names)) as server:
        both(server, lambda model: model, validate_model_on_init=True)
        assert [(request.method, request.path) for request in server.requests] == [("GET", "/api/tags")] * 2


WRONG: dict[str, Any] = {
    "another": (tags("other", "mm"), r"Model `m` not found in Ollama.*Available local models: other, mm"),
    "none": (tags(), r"Model `m` not found"),
    "status": (Reply(status=500, body=b'{"error":"x"}'), "Received an error from the Ollama API"),
    "no JSON": (Reply(body=b"nonsense"), "Received an error from the Ollama API"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_model_that_the_server_does_not_have_is_an_error(name: str) -> None:
    reply, message = WRONG[name]
    with MockServer(reply) as server:
        with pytest.raises(ValueError, match=message):
            ollama_of(server, validate_model_on_init=True)
        if name != "no JSON":
            with Client(server.origin) as client, pytest.raises(ValueError, match=message):
                validate_model(client, "m")


def test_a_server_that_is_not_there_has_no_model() -> None:
    with refusing_url() as url, pytest.raises(ValueError, match="Failed to connect to Ollama"):
        ChatOllama(model="m", base_url=url.removesuffix("/v1"), validate_model_on_init=True)


# What a model reports of itself.


@pytest.mark.parametrize("fields", [{}, {"temperature": 0, "stop": ["x"], "num_ctx": 5}])
@pytest.mark.parametrize("arguments", [{}, {"stop": ["y"]}, {"temperature": 1}])
def test_parameters_for_tracing_are_langchains(fields: dict[str, Any], arguments: dict[str, Any]) -> None:
    with MockServer(ANSWER) as server:
        mine, theirs = both(
            server,
            lambda model: (model._get_ls_params(**arguments), dict(model._identifying_params), model._llm_type),
            **fields,
        )
    assert mine == theirs


def test_parameters_for_tracing_name_the_model_of_the_call() -> None:
    # LangChain's standard tests require it (`test_standard_params_model_override`); its ChatOllama fails that one.
    assert ChatOllama(model="m")._get_ls_params(model="other")["ls_model_name"] == "other"


def test_a_model_pickles() -> None:
    with MockServer(served(*texts("a"))) as server:
        model = pickle.loads(pickle.dumps(ollama_of(server, temperature=0)))
        assert model.invoke("p").content == "a"


def test_making_a_model_imports_no_http_client_and_no_pydantic() -> None:
    code = (
        "import sys; from millstream.providers.ollama import ChatOllama; ChatOllama(model='m', temperature=0);"
        "print([name for name in ('pydantic', 'httpx', 'httpx2', 'ollama', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
