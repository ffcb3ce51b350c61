"""The model of a chat: from the names and options of the command line."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import CONNECTION_REMEDY, CommandError, reason_of
from ..providers import PROVIDERS, Provider
from ..requests import list_models

if TYPE_CHECKING:
    from ...language_models.chat_models import BaseChatModel

__all__ = ("ModelSettings", "read_option")

_DEFAULT = "openai:gpt-4o-mini"
# The argument that makes a model send its reasoning, where that is one switch.
_REASONING = {"ollama": {"reasoning": True}, "google_genai": {"include_thoughts": True}}


@dataclass(slots=True)
class ModelSettings:
    """What decides which model answers, and how; ``name`` may begin with a provider, as in ``anthropic:NAME``."""

    name: str | None = None
    base_url: str | None = None
    temperature: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    reasoning: bool = False
    stats: bool = False

    def create_model(self) -> BaseChatModel:
        """Return the model; raise :class:`CommandError` if the settings name none."""
        from ...errors import MillstreamError
        from ...providers.model_names import create_chat_model

        provider, name = self._find_names()
        arguments = {"base_url": self.base_url, "temperature": self.temperature}
        arguments = {name: value for name, value in arguments.items() if value is not None} | self._key(provider)
        if self.reasoning:
            arguments |= _REASONING.get(provider, {})
        if self.stats and provider in ("openai", "azure_openai"):
            arguments["stream_usage"] = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = create_chat_model(model=name, model_provider=provider, **{**arguments, **self.options})
        except (MillstreamError, TypeError, ValueError) as error:
            problem = str(error).partition(" (to send a parameter")[0]
            raise CommandError(problem, "'millstream chat --help' explains --model and --option", status=2) from None
        self.name = f"{provider}:{name}"
        return model

    @property
    def provider(self) -> str:
        """The provider of the model."""
        return self._find_names()[0]

    def _find_names(self) -> tuple[str, str]:
        """Return the names of the provider and of the model."""
        from ...providers.model_names import PROVIDER_NAMES, infer_provider

        name = self.name or self._find_default()
        before, colon, after = name.partition(":")
        if colon and before.replace("-", "_") in PROVIDER_NAMES:
            return before.replace("-", "_"), after
        provider = infer_provider(name)
        if self.base_url is None and provider in PROVIDER_NAMES:
            return str(provider), name
        if self._has_server():
            # Most servers have OpenAI's protocol, whatever their models are called.
            return "openai", name
        known = ", ".join(PROVIDER_NAMES)
        remedy = f"write PROVIDER:{after or name} with one of {known}, or name the server with --base-url"
        raise CommandError(f"the provider of the model {name!r} is not known", remedy, status=2)

    def _has_server(self) -> bool:
        """Return whether a server with OpenAI's protocol is named."""
        openai = PROVIDERS["openai"]
        return self.base_url is not None or openai.find_url() != openai.default_url

    def _find_default(self) -> str:
        openai = PROVIDERS["openai"]
        key = openai.find_key()
        if self._has_server():
            return f"openai:{_first_model(openai, self.base_url or openai.find_url())}"
        if key is not None:
            return _DEFAULT
        for provider in PROVIDERS.values():
            if (other := provider.find_key()) is not None:
                remedy = f"--model {provider.name}:NAME, for the key in {other[0]}"
                raise CommandError("no model is named", remedy, status=2)
        raise CommandError("no model is named, and OPENAI_API_KEY is not set", _KEYLESS, status=2)

    def _key(self, provider: str) -> dict[str, Any]:
        """Return the argument for a server that needs no key; raise :class:`CommandError` if one is missing."""
        known = PROVIDERS.get(provider)
        if known is None or provider == "ollama" or known.find_key() is not None or "api_key" in self.options:
            return {}
        if self.base_url is not None or known.find_url() != known.default_url:
            return {"api_key": "none"}
        raise CommandError(f"{known.title} needs a key, and {' or '.join(known.keys)} is not set", _KEYLESS, status=2)


def _first_model(provider: Provider, url: str) -> str:
    """Return the first model that a server lists."""
    from ...errors import MillstreamError

    found = provider.find_key()
    try:
        status, names = list_models(provider, url, found and found[1])
    except MillstreamError as error:
        raise CommandError(reason_of(error), CONNECTION_REMEDY) from None
    if names:
        return names[0]
    if status in (401, 403):
        raise CommandError(f"{url} refused the key (status {status})", f"check it in {provider.keys[0]}")
    raise CommandError(f"{url} does not list its models (status {status})", "name one with --model NAME", status=2)


_KEYLESS = "set it, or name a server of your own with --base-url ('millstream demo' needs neither)"


def read_option(text: str) -> tuple[str, Any]:
    """Return the name and the value of ``NAME=VALUE``; a value that is not valid JSON is a text."""
    name, mark, value = text.partition("=")
    if not mark or not name.isidentifier():
        raise ValueError(f"must be NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
