"""The providers: their environment variables, the addresses of their servers, and how their models are listed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ("PROVIDERS", "Provider")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider under its name in ``init_chat_model``; ``keys`` and ``urls`` are environment variables."""

    name: str
    title: str
    keys: tuple[str, ...]
    urls: tuple[str, ...]
    default_url: str
    key_header: str
    models_path: str
    headers: Mapping[str, str]

    def find_key(self) -> tuple[str, str] | None:
        """Return the variable that holds the key, and the key; ``None`` if no variable does."""
        return _first_set(self.keys)

    def find_url(self) -> str:
        """Return the base URL that the environment names, or else the provider's own."""
        found = _first_set(self.urls)
        return self.default_url if found is None else found[1]

    def request_headers(self, key: str | None) -> dict[str, str]:
        """Return the headers of a request with ``key``."""
        if not key:
            return dict(self.headers)
        value = f"Bearer {key}" if self.key_header == "authorization" else key
        return {**self.headers, self.key_header: value}

    def models_url(self, base_url: str, model: str | None = None) -> str:
        """Return the URL that lists the models, or the one that describes ``model``."""
        base, mark, query = base_url.partition("?")
        path = base.rstrip("/") + self.models_path
        return path + (f"/{quote(model, safe='/:')}" if model else "") + mark + query


def _first_set(names: tuple[str, ...]) -> tuple[str, str] | None:
    return next(((name, os.environ[name]) for name in names if os.environ.get(name)), None)


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "openai",
            "OpenAI",
            ("OPENAI_API_KEY",),
            ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
            "https://api.openai.com/v1",
            "authorization",
            "/models",
            {},
        ),
        Provider(
            "anthropic",
            "Anthropic",
            ("ANTHROPIC_API_KEY",),
            ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
            "https://api.anthropic.com",
            "x-api-key",
            "/v1/models",
            {"anthropic-version": "2023-06-01"},
        ),
        Provider(
            "google_genai",
            "Gemini",
            ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
            ("GOOGLE_GEMINI_BASE_URL",),
            "https://generativelanguage.googleapis.com",
            "x-goog-api-key",
            "/v1beta/models",
            {},
        ),
        Provider(
            "ollama",
            "Ollama",
            ("OLLAMA_API_KEY",),
            ("OLLAMA_HOST",),
            "http://127.0.0.1:11434",
            "authorization",
            "/api/tags",
            {},
        ),
    )
}
"""The providers whose servers can be examined, by their names."""
