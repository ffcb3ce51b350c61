"""Which names of other libraries have a twin, and what an import line becomes.

There are two ways for an app of LangChain's. It *keeps* LangChain: models and parsers come from
``millstream.integrations.langchain``, and are subclasses of LangChain's own. Or it *leaves* LangChain: each import of
``langchain_core`` and of a provider's package becomes one of ``millstream``, whose modules have LangChain's paths.
*Any* app may change an import of httpx-sse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from ..._langchains_own import explanation
from .gains import GAINS
from .names import ImportedModule, ImportedNames

__all__ = ("KEPT_MODELS", "MODELS", "OF_HTTPX_SSE", "PACKAGES", "PARSERS", "WAYS", "Suggestion", "suggest")

WAYS = ("keep", "leave", "any")

MODELS = ("AzureChatOpenAI", "ChatAnthropic", "ChatGoogleGenerativeAI", "ChatOllama", "ChatOpenAI", "OpenAI")
KEPT_MODELS = (*MODELS, "AzureOpenAI")
PARSERS = ("JsonOutputParser", "StrOutputParser")
OF_HTTPX_SSE = ("EventSource", "SSEError", "ServerSentEvent", "aconnect_sse", "connect_sse")

PACKAGES = ("langchain_openai", "langchain_anthropic", "langchain_google_genai", "langchain_ollama")
"""LangChain's packages of the providers."""

_LANGCHAIN = "millstream.integrations.langchain"
_HTTPX_SSE = "millstream.integrations.httpx_sse"

_LANGCHAINS = ("langchain", "langchain_classic")
# Modules of LangChain that define or name its models, today's and those of older versions.
_WITH_MODELS = {
    *PACKAGES,
    *(f"{package}.chat_models" for package in PACKAGES),
    *("langchain_openai.chat_models.base", "langchain_openai.chat_models.azure"),
    *("langchain_openai.llms", "langchain_openai.llms.base", "langchain_openai.llms.azure"),
    *(
        f"{package}.{module}"
        for package in (*_LANGCHAINS, "langchain_community")
        for module in ("chat_models", "chat_models.openai", "chat_models.azure_openai", "llms", "llms.openai")
    ),
}
# Those that define or name its parsers.
_WITH_PARSERS = {
    *("langchain_core.output_parsers", "langchain_core.output_parsers.string", "langchain_core.output_parsers.json"),
    *("langchain.output_parsers", "langchain.schema", "langchain.schema.output_parser"),
}
# Modules of the package ``langchain`` that name what langchain_core defines, and its modules there.
_MOVED = {
    "callbacks.base": ("callbacks",),
    "callbacks.manager": ("callbacks.manager",),
    "messages": ("messages",),
    "output_parsers": ("output_parsers",),
    "prompts": ("prompts",),
    "prompts.chat": ("prompts.chat",),
    "prompts.prompt": ("prompts.prompt",),
    "schema": ("messages", "documents", "output_parsers", "outputs", "agents", "exceptions"),
    "schema.document": ("documents",),
    "schema.messages": ("messages",),
    "schema.output_parser": ("output_parsers",),
    "schema.runnable": ("runnables",),
    "tools": ("tools",),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The change of a line in one way: import lines, names that stay where they are, and the gain.

    ``note`` says what else is to be changed: the line alone does not do then.
    """

    way: str
    lines: tuple[str, ...]
    stays: tuple[tuple[str, str], ...] = ()
    gains: tuple[str, ...] = ()
    note: str | None = None


def suggest(found: ImportedNames | ImportedModule) -> Iterator[Suggestion]:
    """Yield a suggestion for each way in which ``found`` could change; none for other libraries."""
    for way in WAYS:
        suggestion = _suggest_names(way, found) if isinstance(found, ImportedNames) else _suggest_module(way, found)
        if suggestion is not None:
            yield suggestion


def _suggest_names(way: str, found: ImportedNames) -> Suggestion | None:
    moved: dict[str, list[str]] = {}
    stays: list[tuple[str, str]] = []
    with_twin: list[str] = []
    for name, bound in found.names:
        module = _twin(way, found.module, name)
        if module is None:
            stays.append((name, _reason(way, found.module, name)))
        else:
            moved.setdefault(module, []).append(name if bound in (None, name) else f"{name} as {bound}")
            with_twin.append(name)
    if not moved and not (way == "leave" and _root(found.module) in ("langchain_core", *PACKAGES)):
        return None
    lines = tuple(f"from {module} import {', '.join(names)}" for module, names in moved.items())
    return Suggestion(way, lines, tuple(stays), _gains(way, with_twin))


def _suggest_module(way: str, found: ImportedModule) -> Suggestion | None:
    """Suggest for ``import module``: the twin under the same name, if all names that are used have one."""
    twins = {name: module for name in found.used if (module := _twin(way, found.module, name)) is not None}
    if not twins or found.module == "langchain_core":
        return None
    gains = _gains(way, twins)
    stays = tuple((name, _reason(way, found.module, name)) for name in found.used if name not in twins)
    modules = sorted(set(twins.values()))
    if len(modules) == 1 and not stays and "." not in found.bound:
        package, _, module = modules[0].rpartition(".")
        imported = f"import {module}" if module == found.bound else f"import {modules[0]} as {found.bound}"
        return Suggestion(way, (f"from {package} {imported}" if module == found.bound else imported,), gains=gains)
    lines = tuple(
        f"from {module} import {', '.join(name for name in twins if twins[name] == module)}" for module in modules
    )
    changes = ", ".join(f"{found.bound}.{name} becomes {name}" for name in twins)
    return Suggestion(way, lines, stays, gains, changes)


def _twin(way: str, module: str, name: str) -> str | None:
    """Return the module that has the twin of ``module``'s ``name``."""
    if way == "any":
        return _HTTPX_SSE if module == "httpx_sse" and name in OF_HTTPX_SSE else None
    if way == "keep":
        has_twin = (module in _WITH_MODELS and name in KEPT_MODELS) or (module in _WITH_PARSERS and name in PARSERS)
        return _LANGCHAIN if has_twin else None
    if module in _WITH_MODELS and name in MODELS:
        return "millstream"
    package, _, rest = module.partition(".")
    paths = (rest,) if package == "langchain_core" else _MOVED.get(rest, ()) if package in _LANGCHAINS else ()
    for path in paths:
        ours = f"millstream.{path}" if path else "millstream"
        if _has(ours, name):
            return ours
    return None


@cache
def _has(module: str, name: str) -> bool:
    """Return whether ``module``, one of ours, has ``name``, or a submodule of that name."""
    if f".{module}.{name}".find("._") >= 0:
        return False
    try:
        if hasattr(import_module(module), name):
            return True
        import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True


def _reason(way: str, module: str, name: str) -> str:
    """Return why ``name`` stays where it is."""
    if name == "*":
        return "import names, to see which of them have a twin"
    if way != "leave":
        return f"stays in {_root(module)}"
    rest = module.partition(".")[2]
    path = rest.partition(".")[0] if rest and _root(module) == "langchain_core" else name
    return explanation(path) or "has no twin in Millstream"


def _root(module: str) -> str:
    return module.partition(".")[0]


def _gains(way: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return what the names gain: each sentence once, with its names if the names gain different things."""
    gains: dict[str, list[str]] = {}
    for name in names:
        if (key := (way, "httpx_sse" if way == "any" else name)) in GAINS:
            gains.setdefault(str(GAINS[key]), []).append(name)
    return tuple(gains) if len(gains) < 2 else tuple(f"{', '.join(of)}: {gain}" for gain, of in gains.items())
