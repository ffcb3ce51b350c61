"""Which of LangChain's tests are out of reach, by rule: what they use, all that they call included."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any

__all__ = ("excluded_by",)

_FILES = {
    "tracers": re.compile(r"unit_tests/tracers/|test_tracing_interops"),
    "load": re.compile(r"unit_tests/load/|test_pydantic_serde|test_serializable"),
    "not ours": re.compile(
        r"unit_tests/(_api|document_loaders|embeddings|indexing|stores|vectorstores|dependencies|data|decisions)/"
        r"|unit_tests/test_(embeddings|in_memory_base_store|in_memory_vectorstore)"
        r"|test_ssrf_|test_sys_info|test_setup|test_pydantic_imports|test_benchmark|utils/test_pydantic"
    ),
}
_MODULES = {
    "tracers": ("langchain_core.tracers", "langsmith", "tests.unit_tests.tracers"),
    "load": ("langchain_core.load",),
    "not ours": (
        *("langchain_core.vectorstores", "langchain_core.embeddings", "langchain_core.indexing", "langchain_core._api"),
        *("langchain_core.stores", "langchain_core.document_loaders", "langchain_core.utils.pydantic"),
    ),
}
_SOURCE = {
    "private parts": re.compile(r"\._(push_content_block_|producer_task|finish\()"),
    "load": re.compile(
        r"(?<!json\.)\b(dumps|dumpd|loads|load)\(|lc_secrets|lc_attributes|is_lc_serializable|get_lc_namespace|lc_id|to_json\("
    ),
    "pydantic's methods": re.compile(
        r"(?<!patch)\.(model_dump|model_dump_json|model_validate|model_validate_json|model_copy|model_construct|model_fields"
        r"|model_fields_set|model_rebuild|dict|construct|parse_obj)\("
    ),
}


def excluded_by(item: Any) -> str | None:
    """Return the rule that excludes a collected test, or ``None``."""
    path = str(item.path)
    for rule, pattern in _FILES.items():
        if pattern.search(path):
            return rule
    objects = [item.function]
    fixtures = [one.func for name in item.fixturenames for one in item._fixtureinfo.name2fixturedefs.get(name, ())]
    # Those of a conftest.py are for every test of its folder.
    objects += [one for one in fixtures if not one.__module__.endswith("conftest")]
    seen: set[int] = set()
    for thing in objects:
        for used in _used(thing, seen):
            if (found := _rule_for(used, path)) is not None:
                return found
    return None


def _rule_for(used: Any, path: str) -> str | None:
    if isinstance(used, str):
        return next((rule for rule, pattern in _SOURCE.items() if pattern.search(used)), None)
    module = str(getattr(used, "__name__" if inspect.ismodule(used) else "__module__", None))
    if module.startswith("langchain_core.utils") and "/utils/" in path:
        return "not ours"
    return next((rule for rule, names in _MODULES.items() if module.startswith(names)), None)


def _used(thing: Any, seen: set[int]) -> Iterator[Any]:
    """Yield the source of ``thing`` and the objects that it refers to, those of the test modules likewise."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if id(thing) in seen:
        return
    seen.add(id(thing))
    module = getattr(thing, "__module__", None) or ""
    if not module.startswith(("tests.", "langchain_tests.")) or not isinstance(thing, FunctionType | type):
        yield thing
        return
    if module.startswith("tests.unit_tests.tracers"):
        yield thing
    with suppress(OSError, TypeError):
        yield inspect.getsource(thing)
    if isinstance(thing, type):
        for base in thing.__mro__[1:]:
            yield from _used(base, seen)
        for member in vars(thing).values():
            if isinstance(member, FunctionType):
                yield from _used(member, seen)
        return
    for name in set(_names(thing.__code__)):
        if name in thing.__globals__:
            yield from _used(thing.__globals__[name], seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)
