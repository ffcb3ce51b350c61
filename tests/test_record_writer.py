"""``RecordWriter``: any value becomes a record, and JSON says what the value says."""

import dataclasses
import doctest
import enum
import json
import pickle
import sys
import unittest.mock
import warnings
from collections import OrderedDict, namedtuple
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.documents
    import langchain_core.messages
    import langchain_core.outputs
    import langchain_core.prompt_values
    import pydantic

from millstream import RecordWriter, SSEParser
from millstream.events import RecordWriter as FromEvents
from millstream.events import record_writer
from millstream.outputs import Generation, GenerationChunk, LLMResult, RunInfo

LINE = RecordWriter(format="ndjson")


def document(value: Any) -> bytes:
    """Return the JSON of a record."""
    record = LINE.write(value)
    assert record.endswith(b"\n")
    return record[:-1]


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    A = "x"


class Any_(enum.Enum):
    LARGE = 2**70
    HALF = "\ud83d"
    LISTED = [1, "\ud83d"]  # noqa: RUF012


class Text(str):
    __slots__ = ()


class Fraction(float):
    pass


class Dict(dict[Any, Any]):
    pass


class List(list[Any]):
    pass


Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None
    _hidden: int = 3


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int = 1
    _hidden: int = 3


class Model(pydantic.BaseModel):
    name: str
    when: datetime | None = None


class Odd:
    def __repr__(self) -> str:
        return "odd \ud800\n"


AT = datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC)

# Whatever orjson and LangServe's serializer write.
WRITTEN: list[tuple[str, Any, str | None]] = [
    ("key order, no spaces", {"b": 1, "a": [1, {"c": None}]}, '{"b":1,"a":[1,{"c":null}]}'),
    ("scalars", [True, False, None, 1.5, -0.0, "é"], '[true,false,null,1.5,-0.0,"é"]'),
    ("no numbers", [float("nan"), float("inf"), -float("inf")], "[null,null,null]"),
    ("floats", [1e16, 1e-7, 5e-324], None),
    ("line ends of other readers", {"\u2028": "\u2029\x85\r\n"}, '{"\\u2028":"\\u2029\\u0085\\r\\n"}'),
    ("what only looks like them", "\u2027\u202a\u00c2\x84\u2068", '"\u2027\u202a\u00c2\x84\u2068"'),
    ("64 bits", [2**64 - 1, -(2**63)], "[18446744073709551615,-9223372036854775808]"),
    ("tuples", (1, ("a",)), '[1,["a"]]'),
    ("named tuples", Pair(1, [2]), "[1,[2]]"),
    ("subclasses", [Text("t"), Fraction(1.5), Dict(a=1), List([1])], '["t",1.5,{"a":1},[1]]'),
    ("ordered dicts", OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
    ("enums", [Number.ONE, Word.A], '[1,"x"]'),
    ("dataclasses", [Point(1, Point(2)), Slotted()], '[{"x":1,"y":{"x":2,"y":null}},{"x":1}]'),
    ("ids and times", [UUID(int=5), AT, date(2024, 5, 6), time(7, 8)], None),
    ("sets, bytes", [{1}, b"\xff", Decimal("1.50")], '["{1}","b\'\\\\xff\'","Decimal(\'1.50\')"]'),
    ("paths, exceptions", [PurePosixPath("a"), ValueError("e")], "[\"PurePosixPath('a')\",\"ValueError('e')\"]"),
    ("classes", [int, Point, Model], None),
    ("a repr that is no text", [Odd()], '["odd \ufffd\\n"]'),
    ("models", Model(name="n", when=AT), '{"name":"n","when":"2024-05-06T07:08:09.000010+00:00"}'),
]
# What only the slow path writes.
REFUSED: list[tuple[str, Any, str | None]] = [
    ("a lone half", ["\ud83d", "a\ude00b", "\ude00\ud83d"], '["\ufffd","a\ufffdb","\ufffd\ufffd"]'),
    ("two halves side by side", "\ud83d\ude00", '"😀"'),
    ("halves in keys", {"\ud83d": {"\ude00": 1}}, '{"\ufffd":{"\ufffd":1}}'),
    ("large integers", [2**64, -(2**63) - 1, 10**100], f"[{2**64},{-(2**63) - 1},{10**100}]"),
    ("integers too long to write", [16**5000], f'["0x1{"0" * 5000}"]'),
    ("enums of such", [Any_.LARGE, Any_.HALF, Any_.LISTED], f'[{2**70},"\ufffd",[1,"\ufffd"]]'),
    ("scalar keys", {True: 1, 2: 2, None: 3, 1.5: 4, 2**70: 5}, None),
    ("other keys", {(1, "a"): 1, b"k": 2, frozenset(): 3}, '{"(1, \'a\')":1,"b\'k\'":2,"frozenset()":3}'),
    ("keys orjson knows", {UUID(int=5): 1, AT: 2, Word.A: 3, Text("t"): 4, Number.ONE: 5}, None),
    ("a time with a zone", [time(1, tzinfo=UTC)], '["datetime.time(1, 0, tzinfo=datetime.timezone.utc)"]'),
    ("halves in a dataclass", Point(1, "\ud83d"), '{"x":1,"y":"\ufffd"}'),
    ("halves in a model", GenerationChunk("\ud83d"), '{"text":"\ufffd","generation_info":null,"type":"Generation"}'),
]
EXPECTED: dict[str, Any] = {
    "floats": [1e16, 1e-7, 5e-324],
    "ids and times": [str(UUID(int=5)), "2024-05-06T07:08:09.000010+00:00", "2024-05-06", "07:08:00"],
    "classes": [repr(int), repr(Point), repr(Model)],
    "scalar keys": {"true": 1, "2": 2, "null": 3, "1.5": 4, str(2**70): 5},
    "keys orjson knows": {str(UUID(int=5)): 1, "2024-05-06T07:08:09.000010+00:00": 2, "x": 3, "t": 4, "1": 5},
}


@pytest.mark.parametrize(("name", "value", "text"), WRITTEN + REFUSED, ids=[case[0] for case in WRITTEN + REFUSED])
def test_values_are_written(name: str, value: Any, text: str | None) -> None:
    if text is None:
        assert json.loads(document(value)) == EXPECTED[name]
    else:
        assert document(value).decode() == text


@pytest.mark.parametrize("value", [case[1] for case in WRITTEN], ids=[case[0] for case in WRITTEN])
def test_the_slow_path_writes_the_same_bytes(value: Any) -> None:
    # The half beside it sends both through the slow path.
    assert document([value, "\ud83d"]) == b'[%b,"\xef\xbf\xbd"]' % document(value)
    assert document({1: value}) == b'{"1":%b}' % document(value)


@pytest.mark.parametrize("value", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_takes_the_slow_path_is_what_orjson_refuses(value: Any) -> None:
    with pytest.raises(TypeError):
        orjson.dumps(value, lambda other: other.model_dump())


# Formats.


def test_a_record_is_an_event_or_a_line() -> None:
    event = {"event": "on_llm_stream", "data": {"chunk": "a\nb"}}
    sse, line = RecordWriter(), RecordWriter(format="ndjson")
    assert sse.write(event) == b'event: data\ndata: {"event":"on_llm_stream","data":{"chunk":"a\\nb"}}\n\n'
    assert line.write(event) == b'{"event":"on_llm_stream","data":{"chunk":"a\\nb"}}\n'
    assert (sse.end(), line.end()) == (b"event: end\n\n", b"")
    assert (sse.format, line.format) == ("sse", "ndjson")
    assert (repr(sse), repr(pickle.loads(pickle.dumps(line)))) == (
        "RecordWriter(format='sse')",
        "RecordWriter(format='ndjson')",
    )
    assert FromEvents is RecordWriter


def test_another_format_is_refused() -> None:
    for format in ("json", "", None, b"sse"):
        with pytest.raises(ValueError, match="format must be one of 'ndjson', 'sse', not "):
            RecordWriter(format=format)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        RecordWriter("sse")  # type: ignore[call-arg]


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(record_writer) == (0, 3)


# Objects of ours and of LangChain's.


def test_our_outputs_are_written_as_their_dump() -> None:
    result = LLMResult([[Generation("a", {"n": 1}), GenerationChunk("b")]], {"token_usage": {}}, [RunInfo(UUID(int=1))])
    text = (
        '{"generations":[[{"text":"a","generation_info":{"n":1},"type":"Generation"},'
        '{"text":"b","generation_info":null,"type":"Generation"}]],"llm_output":{"token_usage":{}},'
        '"run":[{"run_id":"00000000-0000-0000-0000-000000000001"}],"type":"LLMResult"}'
    )
    assert document(result).decode() == text


core, messages, outputs = langchain_core, langchain_core.messages, langchain_core.outputs
THEIRS: list[Any] = [
    outputs.GenerationChunk(text="a", generation_info={"k": [1]}),
    outputs.LLMResult(generations=[[outputs.Generation(text="a")]], run=[outputs.RunInfo(run_id=UUID(int=1))]),
    messages.AIMessageChunk(content="a", id="i", tool_call_chunks=[{"name": "f", "args": "{", "id": "c", "index": 0}]),
    messages.AIMessage([{"type": "text", "text": "a"}], usage_metadata=None),
    messages.ToolMessage("t", tool_call_id="c"),
    core.documents.Document("d", metadata={"when": AT}),
    core.prompt_values.ChatPromptValue(messages=[messages.HumanMessage("h")]),
]


@pytest.mark.parametrize("value", THEIRS, ids=[type(value).__name__ for value in THEIRS])
def test_langchains_objects_are_written_as_langserve_does(value: Any) -> None:
    assert document({"data": value}) == b'{"data":%b}' % orjson.dumps(value, lambda other: other.model_dump())
    assert ("type" in json.loads(document(value))) == hasattr(value, "type")


def test_both_libraries_chunks_and_results_are_written_alike() -> None:
    ours, theirs = GenerationChunk("a", {"k": 1}), outputs.GenerationChunk(text="a", generation_info={"k": 1})
    assert document(ours) == document(theirs)
    their_result = outputs.LLMResult(generations=[[theirs]], llm_output={"n": 1})
    assert document(LLMResult([[ours]], {"n": 1})) == document(their_result)


# Values that resist.


class Raising:
    def __repr__(self) -> str:
        raise ValueError("no")


class Lying:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("no")


class Endless:
    def model_dump(self) -> Any:
        return [Endless()]


class Circling:
    def model_dump(self) -> Any:
        return {"again": self}


class Undumped:
    def model_dump(self) -> Any:
        raise KeyError("no")


class Encoded(str):
    def encode(self, *args: Any) -> Any:
        return None


class Unlisted(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("no")


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = {"k": [value]}
    return value


def circle() -> Any:
    value: dict[str, Any] = {"a": [1]}
    value["a"].append(value)
    return value


HOSTILE: list[tuple[str, Any]] = [
    ("repr raises", Raising()),
    ("class raises", Lying()),
    ("dumps without end", Endless()),
    ("dumps itself", Circling()),
    ("dump raises", Undumped()),
    ("encode is another", Encoded("\ud83d")),
    ("iterating raises", Unlisted(["\ud83d"])),
    ("deep", nested(130)),
    ("deeper", nested(100_000)),
    ("a circle", circle()),
    ("a mock", unittest.mock.MagicMock()),
    ("a mock of a dict", unittest.mock.MagicMock(spec=dict)),
    ("a dataclass without its field", Point.__new__(Point)),
    ("a key that resists", {Raising(): 1, Lying(): 2}),
    ("a generator", (one for one in "ab")),
    ("long digits", {10**5000: 10**5000}),
]


@pytest.mark.parametrize("name", [name for name, _ in HOSTILE])
def test_nothing_raises(name: str) -> None:
    value = dict(HOSTILE)[name]
    record = LINE.write({"event": "e", "data": value, "after": "\u2028"})
    assert record.count(b"\n") == 1
    read = json.loads(record)
    assert list(read) == ["event", "data", "after"]
    assert json.loads(LINE.write([value, "\ud83d"]))[1] == "\ufffd"
    assert isinstance(json.loads(LINE.write(value)), str | list | dict)


def test_a_circle_is_shown_where_it_closes() -> None:
    assert json.loads(document(circle())) == {"a": [1, "{'a': [1, {...}]}"]}
    shared = ["\ud83d"]
    assert json.loads(document([shared, shared])) == [["\ufffd"], ["\ufffd"]]


def test_a_writer_serves_where_the_stack_is_nearly_used_up() -> None:
    def deep(levels: int) -> bytes:
        return deep(levels - 1) if levels else LINE.write([nested(100), "\ud83d"])

    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    assert json.loads(deep(sys.getrecursionlimit() - depth - 60))[1] == "\ufffd"


# Properties.

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\u2029\x85\n\r\x00\ufffd"))
HALVES = st.text(st.sampled_from("a\ud83d\ude00\ud800\u2028é"), max_size=5)
VALUES: Any = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


@given(VALUES)
def test_a_value_that_json_holds_comes_back(value: Any) -> None:
    assert json.loads(document(value)) == value
    record = RecordWriter().write(value)
    assert len(record.decode().splitlines()) == 3
    (event,) = SSEParser().feed(record)
    assert (event.event, event.json()) == ("data", value)


@given(VALUES, HALVES)
def test_both_paths_write_the_same(value: Any, half: str) -> None:
    assert document([value, 2**64]) == b"[%b,18446744073709551616]" % document(value)
    read = json.loads(document({"v": value, half: half}))
    whole = half.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert read[whole] == whole
    assert read["v"] == value
