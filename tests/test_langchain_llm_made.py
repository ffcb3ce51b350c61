"""``OpenAI`` of ``integrations.langchain`` when it is made: its SDK clients are those that langchain-openai makes."""

from pathlib import Path
from typing import Any

import httpx2
import langchain_openai as theirs
import pytest
from pydantic import SecretStr

import millstream.integrations.langchain as ours
from langchain_llms import both
from langchain_peer import KEY

FIELDS: dict[str, Any] = {"api_key": SecretStr(KEY)}
AZURE: dict[str, Any] = FIELDS | {"azure_endpoint": "https://a.example", "api_version": "1", "azure_deployment": "d"}
RESOURCES = ("client", "async_client")


def make(library: Any, **fields: Any) -> Any:
    return (library.AzureOpenAI if "azure_endpoint" in fields else library.OpenAI)(**fields)


def contexts_of(*models: Any) -> list[Any]:
    """Return the TLS contexts of the models' HTTP clients."""
    return [
        getattr(model, name)._client._client._transport._pool._ssl_context for model in models for name in RESOURCES
    ]


def describe_clients(model: Any) -> list[Any]:
    found = []
    for name in RESOURCES:
        sdk: Any = getattr(model, name)._client
        http = sdk._client
        hooks = [hook.__name__ for hook in http.event_hooks["request"]]
        seen = (type(sdk), sdk.base_url, sdk.timeout, sdk.max_retries, sdk.default_headers.get("User-Agent"))
        found.append((*seen, type(http), http.base_url, http.timeout, http.follow_redirects, hooks, list(http._mounts)))
    return found


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        FIELDS | {"base_url": "http://h:1/x", "timeout": 5, "max_retries": 7},
        FIELDS | {"timeout": (1, 2)},
        AZURE,
    ],
)
def test_the_clients_are_those_that_langchain_openai_makes(fields: dict[str, Any]) -> None:
    peer, model = make(theirs, **fields), make(ours, **fields)
    assert describe_clients(model) == describe_clients(peer)
    assert (model.http_client, model.http_async_client) == (None, None)
    assert model.model_fields_set == peer.model_fields_set
    assert model.model_dump() == peer.model_dump()


def test_models_share_a_tls_context() -> None:
    assert len(set(map(id, contexts_of(make(ours, **FIELDS), make(ours, **AZURE))))) == 1


def test_a_change_of_the_certificates_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (before, *_) = contexts_of(make(ours, **FIELDS))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    after = contexts_of(make(ours, **FIELDS))
    assert before not in after
    assert after[0].get_ca_certs() == []


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert describe_clients(make(ours, **FIELDS)) == describe_clients(make(theirs, **FIELDS))


def test_clients_of_an_app_are_kept() -> None:
    client, async_client = httpx2.Client(), httpx2.AsyncClient()
    model = make(ours, **FIELDS, http_client=client, http_async_client=async_client)
    assert model.client._client._client is model.http_client is client
    assert model.async_client._client._client is model.http_async_client is async_client
    again = make(ours, **FIELDS, client=model.client, async_client=model.async_client)
    assert (again.client, again.async_client) == (model.client, model.async_client)
    client.close()


@pytest.mark.parametrize("fields", [{}, {"api_key": "k", "n": 0}])
def test_models_that_cannot_be_made_raise_what_langchain_raises(
    fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    peer, mine = both(lambda library: make(library, **fields), theirs, ours)
    assert mine == peer
