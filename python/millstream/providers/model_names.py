"""``create_chat_model``: the class of a chat model, by the names of its provider and of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._fields import did_you_mean
from .._late import lazy_names

if TYPE_CHECKING:
    from ..language_models.chat_models import BaseChatModel

__all__ = ("PROVIDER_NAMES", "create_chat_model", "infer_provider")

_CLASSES = {
    "anthropic": "ChatAnthropic",
    "azure_openai": "AzureChatOpenAI",
    "google_genai": "ChatGoogleGenerativeAI",
    "ollama": "ChatOllama",
    "openai": "ChatOpenAI",
}
PROVIDER_NAMES = tuple(_CLASSES)
"""The names of the providers that have a class here."""

_import_class = lazy_names(
    {"__name__": __name__},
    {
        "AzureChatOpenAI": "millstream.providers.openai.azure",
        "ChatAnthropic": "millstream.providers.anthropic.chat",
        "ChatGoogleGenerativeAI": "millstream.providers.google.chat",
        "ChatOllama": "millstream.providers.ollama.chat",
        "ChatOpenAI": "millstream.providers.openai.chat",
    },
)
# The other providers of LangChain's function: a name in front of a colon is a provider's only if it is one of these.
_LANGCHAINS = frozenset(
    {"anthropic_bedrock", "azure_ai", "baseten", "bedrock", "bedrock_converse", "bedrock_mantle_anthropic"}
    | {"bedrock_mantle_openai", "cohere", "deepseek", "fireworks", "google_anthropic_vertex", "google_vertexai"}
    | {"groq", "huggingface", "ibm", "langsmith", "litellm", "meta", "mistralai", "nvidia", "openrouter"}
    | {"perplexity", "together", "upstage", "xai"}
)
# The beginnings of models' names, in lower case, with their providers.
_PREFIXES = (
    (("gpt-", "o1", "o3", "chatgpt", "text-davinci"), "openai"),
    (("claude",), "anthropic"),
    (("command",), "cohere"),
    (("accounts/fireworks",), "fireworks"),
    (("gemini",), "google_genai"),
    (("amazon.", "anthropic.", "meta."), "bedrock"),
    (("mistral", "mixtral"), "mistralai"),
    (("deepseek",), "deepseek"),
    (("grok",), "xai"),
    (("sonar",), "perplexity"),
    (("solar",), "upstage"),
)


def create_chat_model(*, model: str, model_provider: str | None = None, **kwargs: Any) -> BaseChatModel:
    """Return the model of the class that the names say, with the arguments ``kwargs``."""
    name, provider = _split_name(model, model_provider)
    if provider not in _CLASSES:
        supported = ", ".join(_CLASSES)
        hint = "LangChain's init_chat_model has it" if provider in _LANGCHAINS else "LangChain's function may have it"
        raise ValueError(
            f"Unsupported {provider=}.\n\nSupported model providers are: {supported}\n\n{hint}; a server with OpenAI's"
            " protocol is reached by ChatOpenAI(base_url=…)"
        )
    made: BaseChatModel = _import_class(_CLASSES[provider])(model=name, **kwargs)
    return made


def _split_name(model: str, provider: str | None) -> tuple[str, str]:
    """Return the name of the model and that of its provider, which may stand in front of it, or follow from it."""
    before, colon, after = model.partition(":")
    if not provider and colon and (before in _CLASSES or before in _LANGCHAINS):
        model, provider = after, before
    provider = provider or infer_provider(model)
    if not provider:
        raise ValueError(
            f"Unable to infer model provider for {model=}. Write it in front of the name, as in 'openai:gpt-4o-mini',"
            " or pass model_provider=….\n\n"
            f"Supported providers: {', '.join(_CLASSES)}{did_you_mean(before, _CLASSES) if colon else ''}"
        )
    return model, provider.replace("-", "_").lower()


def infer_provider(model: str) -> str | None:
    """Return the provider that the beginning of a model's name says; ``None`` if it says none."""
    name = model.lower()
    return next((provider for prefixes, provider in _PREFIXES if name.startswith(prefixes)), None)
