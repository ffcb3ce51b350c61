"""The providers that the command line knows: their variables and addresses are those of their models."""

from typing import Any

import pytest

from millstream import init_chat_model
from millstream.cli.providers import PROVIDERS, Provider


@pytest.fixture(params=[*PROVIDERS.values()], ids=[*PROVIDERS])
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Return a provider of which the environment says nothing."""
    found: Provider = request.param
    for name in (*found.keys, *found.urls):
        monkeypatch.delenv(name, raising=False)
    return found


def test_the_default_address_is_that_of_the_model(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(provider.keys[0], "secret")
    model: Any = init_chat_model("m", model_provider=provider.name)
    assert model._base_url == provider.find_url() == provider.default_url


def test_the_variables_are_those_of_the_model(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in provider.urls:
        for key in provider.keys:
            with monkeypatch.context() as patched:
                patched.setenv(url, "http://host:1")
                patched.setenv(key, "secret")
                model: Any = init_chat_model("m", model_provider=provider.name)
                assert model._base_url == provider.find_url() == "http://host:1"
                assert model._find_key().get_secret_value() == "secret"
                assert provider.find_key() == (key, "secret")
