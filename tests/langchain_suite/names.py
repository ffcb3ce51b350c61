"""The package that LangChain's tests import in place of ``langchain_core``: each name is Millstream's, or missing.

A test of LangChain's counts only if all it uses of the Runnable layer is ours. So a module that Millstream has,
or should have, never falls back on LangChain's: a name that is missing there is a class that may be subclassed
and annotated with, and fails the test that calls it. The modules of :data:`LANGCHAINS` are LangChain's own, which
mix with ours.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

__all__ = ("LANGCHAINS", "PACKAGE", "MissingName", "install")

PACKAGE = "millstream_as_langchain"

LANGCHAINS = (
    *("_api", "_import_utils", "_security", "beta", "chat_loaders", "chat_sessions", "cross_encoders", "env"),
    *("document_loaders", "embeddings", "indexing", "load", "pydantic_v1", "stores", "structured_query", "sys_info"),
    *("tracers", "utils", "vectorstores", "version"),
)
"""The modules that stay LangChain's where Millstream has none of that name."""


class MissingName(Exception):
    """A test uses a name that Millstream does not have."""


class _Missing(type):
    collecting = True

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if _Missing.collecting:
            return cls
        raise MissingName(next(base.__dict__["path"] for base in cls.__mro__ if "path" in base.__dict__))

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __iter__(cls) -> Any:
        raise TypeError(f"{cls.__name__} is missing")


def collected() -> None:
    """Let missing names fail from here on: the modules of the tests are imported."""
    _Missing.collecting = False


class _Module(ModuleType):
    """A module of ours under LangChain's name; what is set on it, is set on ours."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        ours, theirs = self.__dict__["__ours__"], self.__dict__["__theirs__"]
        if ours is not None:
            try:
                return getattr(ours, name)
            except AttributeError:
                pass
        if theirs is not None:
            return getattr(theirs, name)
        dotted = f"{self.__name__}.{name}"
        if _is_module(dotted):
            return import_module(dotted)
        return _Missing(name, (), {"path": f"{self.__name__.partition('.')[2]}.{name}", "__module__": self.__name__})

    def __setattr__(self, name: str, value: Any) -> None:
        ours = self.__dict__.get("__ours__")
        if ours is None or name.startswith("__") or isinstance(value, _Module):
            super().__setattr__(name, value)
        else:
            setattr(ours, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            super().__delattr__(name)
        else:
            delattr(self.__dict__["__ours__"], name)


def _is_module(dotted: str) -> bool:
    try:
        return find_spec(f"langchain_core.{dotted.partition('.')[2]}") is not None
    except ModuleNotFoundError:
        return False


class _Finder:
    """Finds the modules of :data:`PACKAGE`."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        if fullname != PACKAGE and not _is_module(fullname) and _ours(fullname) is None:
            return None
        spec = ModuleSpec(fullname, cast("Any", self), is_package=True)
        spec.submodule_search_locations = []
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        rest = module.__name__.partition(".")[2]
        module.__dict__["__ours__"] = _ours(module.__name__)
        stays = rest.partition(".")[0] in LANGCHAINS
        theirs = module.__dict__["__theirs__"] = import_module(f"langchain_core.{rest}") if stays else None
        if theirs is not None and module.__dict__["__ours__"] is None:
            # The module itself, so that what a test sets on it is seen by LangChain.
            sys.modules[module.__name__] = theirs
            return
        if module.__dict__["__ours__"] is not None and hasattr(module.__dict__["__ours__"], "__all__"):
            module.__dict__["__all__"] = list(module.__dict__["__ours__"].__all__)
        elif rest:
            module.__dict__["__all__"] = list(getattr(import_module(f"langchain_core.{rest}"), "__all__", ()))


def _ours(fullname: str) -> ModuleType | None:
    rest = fullname.partition(".")[2]
    try:
        return import_module(f"millstream.{rest}" if rest else "millstream")
    except ModuleNotFoundError:
        return None


def install() -> None:
    """Make :data:`PACKAGE` importable."""
    sys.meta_path.insert(0, _Finder())
