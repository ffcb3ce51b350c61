"""Functions of ``langchain_core.utils`` that apps import: batches, texts, colours, and guarded imports."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.utils import aiter as their_aiter
from langchain_core.utils import input as their_input
from langchain_core.utils import iter as their_iter
from langchain_core.utils import strings as their_strings
from langchain_core.utils import utils as their_utils

from millstream import utils
from millstream.utils import aiter, input, iter, strings
from millstream.utils import utils as our_utils


def outcome(call: Any) -> Any:
    """Return what ``call`` returns, or its error and the text of it."""
    try:
        return call()
    except (ValueError, ImportError) as error:
        return type(error).__name__, str(error)


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


@pytest.mark.parametrize("size", [None, 0, -1, 1, 2, 3, 10])
@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_items_are_batched_as_in_langchain(size: int | None, count: int) -> None:
    async def batches(module: Any) -> list[Any]:
        return [batch async for batch in module.abatch_iterate(size, numbers(count))]

    expected = outcome(lambda: list(their_iter.batch_iterate(size, range(count))))
    assert outcome(lambda: list(iter.batch_iterate(size, range(count)))) == expected
    expected = outcome(lambda: asyncio.run(batches(their_aiter)))
    assert outcome(lambda: asyncio.run(batches(aiter))) == expected


@pytest.mark.parametrize("value", ["a", 1, None, ["a", {"b": [1, 2]}], {"a": {"b": "c"}, 1: []}, [], {}])
def test_values_are_texts_as_in_langchain(value: Any) -> None:
    assert strings.stringify_value(value) == their_strings.stringify_value(value)
    if isinstance(value, dict):
        assert strings.stringify_dict(value) == their_strings.stringify_dict(value)
    if isinstance(value, list):
        assert strings.comma_list(value) == their_strings.comma_list(value)
    assert strings.sanitize_for_postgres("a\0b", "?") == their_strings.sanitize_for_postgres("a\0b", "?") == "a?b"


@pytest.mark.parametrize("excluded", [None, ["blue"], ["blue", "yellow", "pink", "green", "red"]])
def test_texts_are_coloured_as_in_langchain(excluded: Any) -> None:
    items = [*"abcdefg"]
    expected = outcome(lambda: their_input.get_color_mapping(items, excluded))
    assert outcome(lambda: input.get_color_mapping(items, excluded)) == expected
    for color in ("blue", "yellow", "pink", "green", "red"):
        assert input.get_colored_text("x", color) == their_input.get_colored_text("x", color)
    assert input.get_bolded_text("x") == their_input.get_bolded_text("x")


@pytest.mark.parametrize(
    ("name", "options"),
    [("json", {}), ("not_there.at_all", {}), ("not_there", {"pip_name": "there"}), (".decoder", {"package": "json"})],
)
def test_a_missing_module_is_reported_with_its_package(name: str, options: dict[str, str]) -> None:
    expected = outcome(lambda: their_utils.guard_import(name, **options))
    assert outcome(lambda: our_utils.guard_import(name, **options)) == expected


def test_every_name_of_the_package_is_there() -> None:
    for name in utils.__all__:
        assert getattr(utils, name) is not None
