"""LangChain's import paths: a name that Millstream has is found where LangChain has it."""

import importlib
import importlib.util
import pkgutil
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

import langchain_core
import pytest

import millstream
from millstream._langchains_own import MODULES as MODULES_OF_LANGCHAIN
from millstream._langchains_own import NAMES_OF_OPENAI

# Modules that stay LangChain's own, with all that is in them. Their objects work in Millstream's chains.
THEIRS = {
    "vectorstores, loaders, indexing, embeddings": (
        *("chat_loaders", "chat_sessions", "cross_encoders", "document_loaders", "embeddings", "indexing", "stores"),
        *("structured_query", "vectorstores"),
    ),
    "tracers": ("tracers",),
    "objects as JSON": ("load",),
    "events of version 3": ("language_models.chat_model_stream",),
    "decisions, a beta": ("decisions",),
    "about the installation": ("env", "sys_info", "version"),
    "drawing with another package": ("runnables.graph_png",),
}


def modules(package: ModuleType) -> Iterator[str]:
    """Yield the names of the public modules of ``package``, without the package's own name."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        name = found.name.partition(".")[2]
        if not any(part.startswith("_") for part in name.split(".")):
            yield name


def names_of(module: ModuleType) -> set[str]:
    """Return the names that a module of LangChain publishes: its list, or else what it defines."""
    listed = getattr(module, "__all__", None)
    defined = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    return {
        name
        for name in (defined if listed is None else listed)
        if name.isidentifier() and name[0] != "_" and not isinstance(getattr(module, name), TypeVar)
    }


def load(package: str, name: str) -> ModuleType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(f"{package}.{name}")
        except ImportError:
            return None


def is_theirs(name: str) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for group in THEIRS.values() for module in group)


OURS = {
    name
    for module in modules(millstream)
    if not module.startswith("testing")
    for name in getattr(load("millstream", module), "__all__", ())
}
MODULES = [name for name in modules(langchain_core) if not is_theirs(name) and load("langchain_core", name) is not None]


@pytest.mark.parametrize("name", MODULES)
def test_a_name_that_millstream_has_is_at_langchains_path(name: str) -> None:
    theirs, ours = load("langchain_core", name), load("millstream", name)
    assert theirs is not None
    elsewhere = {found for found in names_of(theirs) & OURS if not hasattr(ours, found)}
    assert elsewhere == set()


@pytest.mark.parametrize("group", THEIRS)
def test_a_module_that_stays_langchains_exists(group: str) -> None:
    for name in THEIRS[group]:
        assert load("langchain_core", name) is not None


@pytest.mark.parametrize("name", MODULES_OF_LANGCHAIN)
def test_importing_a_module_that_stays_langchains_says_so(name: str) -> None:
    assert is_theirs(name)
    for asked in (name, f"{name}.base"):
        with pytest.raises(ModuleNotFoundError, match=rf"^Millstream .*import langchain_core\.{name}\b"):
            importlib.import_module(f"millstream.{asked}")
    with pytest.raises(ModuleNotFoundError, match=rf"^Millstream .*import langchain_core\.{name}\b"):
        exec(f"from millstream import {name}")
    with pytest.raises(AttributeError, match=rf"^Millstream .*import langchain_core\.{name}\b"):
        getattr(millstream, name)


@pytest.mark.parametrize("name", NAMES_OF_OPENAI)
def test_a_name_of_langchains_openai_package_that_is_not_here_says_where_it_is(name: str) -> None:
    exec(f"from langchain_openai import {name}")
    with pytest.raises(ModuleNotFoundError, match=r"^Millstream has .*(from millstream import|langchain_openai)"):
        exec(f"from millstream import {name}")
    with pytest.raises(AttributeError, match=r"^Millstream has "):
        getattr(millstream, name)


@pytest.mark.parametrize(
    ("name", "module"),
    [("HumanMessage", "messages"), ("tool", "tools"), ("ChatPromptTemplate", "prompts"), ("MockServer", "testing")],
)
def test_a_name_that_a_module_has_says_so_where_the_package_is_asked(name: str, module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"from millstream.{module} import {name}$"):
        exec(f"from millstream import {name}")
    assert importlib.util.find_spec("millstream.nothing") is None
    assert not hasattr(millstream, name)


def test_a_module_of_langchains_openai_package_says_where_its_models_are() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"from millstream import \w*OpenAI"):
        importlib.import_module("millstream.llms.base")


def test_any_other_module_is_not_found_as_in_any_package() -> None:
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'millstream\.nothing'$"):
        importlib.import_module("millstream.nothing")
    assert importlib.util.find_spec("millstream.nothing") is None
    with pytest.raises(AttributeError, match=r"^module 'millstream' has no attribute 'nothing'$"):
        getattr(millstream, "nothing")  # noqa: B009 - a type checker knows that there is none
