"""The reference of the site: every public name has one place in it."""

import re
from collections import Counter
from importlib import import_module
from typing import Any

import pytest

from pages import ROOT

# The modules whose names are public. Others have names for LangChain's import paths, or for the package itself.
MODULES = [
    "millstream",
    *(f"millstream.{name}" for name in ("agents", "caches", "callbacks", "chat_history", "chat_models", "documents")),
    *(f"millstream.{name}" for name in ("errors", "events", "example_selectors", "exceptions", "function_calling")),
    *(f"millstream.{name}" for name in ("globals", "integrations", "language_models", "messages", "output_parsers")),
    *(f"millstream.{name}" for name in ("outputs", "prompt_values", "prompts", "rate_limiters", "retrievers")),
    *(f"millstream.{name}" for name in ("runnables", "server", "telemetry", "testing", "tools", "transport", "utils")),
    *(f"millstream.integrations.{name}" for name in ("anthropic", "httpx_sse", "langchain", "openai")),
    *(f"millstream.providers.{name}" for name in ("anthropic", "ollama", "openai")),
    *(f"millstream.server.{name}" for name in ("gateway", "langserve", "openai_api", "resumable")),
    *(
        "millstream.callbacks.manager",
        "millstream.messages.block_translators",
        "millstream.server.resumable.stores",
        "millstream.transport.native",
    ),
]
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
# A page for contributors imports what is not public.
LEARNING = sorted({*(ROOT / "docs").rglob("*.md")} - {*PAGES, ROOT / "docs" / "how-to" / "adding-a-provider.md"})
PLACES = [place for page in PAGES for place in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)]


def find(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)


def identify(place: str) -> Any:
    """Return a class or a function itself, which may have several names, and the last name of any other value."""
    value = find(place)
    return value if callable(value) and hasattr(value, "__qualname__") else place.rpartition(".")[2]


def test_no_name_has_two_places() -> None:
    assert [place for place, count in Counter(map(identify, PLACES)).items() if count > 1] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_place(module: str) -> None:
    placed = {identify(place) for place in PLACES}
    names = [f"{module}.{name}" for name in import_module(module).__all__]
    assert [name for name in names if identify(name) not in placed] == []


def list_imports(text: str) -> list[str]:
    """Return the names that the examples of a page import from this package."""
    found = re.findall(r"^(?:>>> )?from (millstream[\w.]*) import (\([^)]*\)|.+)", text, re.MULTILINE)
    plain = [(module, re.sub(r"#.*| as \w+", "", names)) for module, names in found]
    return [f"{module}.{name}" for module, names in plain for name in re.findall(r"\w+", names)]


@pytest.mark.parametrize("page", LEARNING, ids=lambda page: page.stem)
def test_a_name_that_a_page_imports_has_a_place(page: Any) -> None:
    placed = {identify(place) for place in PLACES}
    imported = [name for name in list_imports(page.read_text()) if name not in MODULES]
    assert [name for name in imported if identify(name) not in placed] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_of_contents_names_every_page(page: Any) -> None:
    assert page.stem == "index" or f"]({page.name})" in (page.parent / "index.md").read_text()
