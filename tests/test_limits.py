"""docs/explanation/limits.md: each number is the code's, and what it says of the core happens in both halves."""

import ast
import inspect
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from streams import described

ROOT = Path(__file__).parent.parent
UNITS = {"": 1, " s": 1, " KiB": 1 << 10, " MiB": 1 << 20}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "explanation" / "limits.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| limit ", "|--"))
]


def number_of(cell: str) -> float | None:
    """Return the number that a cell names, in bytes or seconds."""
    if cell == "none":
        return None
    found = re.fullmatch(r"([\d,.]+)( s| KiB| MiB|)", cell)
    assert found is not None, cell
    return float(found[1].replace(",", "")) * UNITS[found[2]]


def value_of(place: str) -> Any:
    """Return the value at a place: a name, a field of it, the default of an argument, a constant of Rust's."""
    if place.startswith("src/"):
        path, _, name = place.partition(":")
        found = re.search(rf"\b{name}\b[^=\n]*= ?([\d_ *<]+)", (ROOT / path).read_text())
        assert found is not None, place
        return _evaluated(ast.parse(found[1].strip(), mode="eval").body)
    name, _, argument = place.rstrip(")").partition("(")
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value: Any = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            value = getattr(value, part)
        break
    if not argument:
        return value
    default = inspect.signature(value).parameters[argument].default
    return getattr(value(model="m", api_key="k"), argument) if name.endswith("OpenAI") else default


def _evaluated(node: Any) -> int:
    if isinstance(node, ast.Constant):
        value: Any = node.value
        return int(value)
    left, right = _evaluated(node.left), _evaluated(node.right)
    return left << right if isinstance(node.op, ast.LShift) else left * right


OF_THE_CORE = [row for row in ROWS if "transport.native" in row[-1]]
OTHERS = [row for row in ROWS if row not in OF_THE_CORE]


@pytest.mark.parametrize("row", OTHERS, ids=[row[0] for row in OTHERS])
def test_the_number_is_the_codes(row: list[str]) -> None:
    _, cell, _, _, code = row
    places = re.findall(r"`([^`]+)`", code)
    assert places
    assert {place: value_of(place) for place in places} == dict.fromkeys(places, number_of(cell))


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("row", OF_THE_CORE, ids=[row[0] for row in OF_THE_CORE])
def test_the_number_of_the_native_transport_is_the_codes(row: list[str]) -> None:
    test_the_number_is_the_codes(row)


def test_the_table_is_read() -> None:
    assert len(ROWS) > 35
    assert len({row[0] for row in ROWS}) == len(ROWS)


def failure_of(impl: ModuleType, payloads: list[Any], **options: Any) -> str:
    """Return the type of the failure that a stream of ``payloads`` ends in, or ``""``."""
    decoder = impl.StreamDecoder("openai.chat", **options)
    for payload in payloads:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        decoder.feed(b"data: " + data + b"\n\n")
    return "" if decoder.failure is None else str(described(decoder.failure)["type"])


def choice(index: int) -> Any:
    return {"choices": [{"index": index, "delta": {"content": "x"}}]}


def call(index: int, id: str = "i", name: str = "f") -> Any:
    entry = {"index": index, "id": id, "function": {"name": name, "arguments": ""}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [entry]}}]}


def nested(depth: int) -> bytes:
    inner = depth - 1
    return b'{"choices":[],"x":' + b"[" * inner + b"]" * inner + b"}"


CASES: dict[str, tuple[Callable[[int], list[Any]], int]] = {
    "choices": (lambda many: [choice(index) for index in range(many)], 1024),
    "calls": (lambda many: [call(index, id=f"i{index}") for index in range(many)], 1024),
    "an id": (lambda size: [call(0, id="i" * size)], 65_536),
    "a name": (lambda size: [call(0, name="f" * size)], 65_536),
    "a depth": (lambda depth: [nested(depth)], 128),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_at_the_limit_is_read_and_what_is_past_it_fails(impl: ModuleType, name: str) -> None:
    payloads, limit = CASES[name]
    assert failure_of(impl, payloads(limit)) == ""
    assert failure_of(impl, payloads(limit + 1)) == "StreamDecodeError"


def test_an_event_past_its_limit_fails(impl: ModuleType) -> None:
    payload = json.dumps(choice(0)).encode()
    size = len(b"data: " + payload)
    assert failure_of(impl, [payload], max_event_size=size) == ""
    assert failure_of(impl, [payload], max_event_size=size - 1) == "EventTooLargeError"
