"""The promises of a ``WireWriter`` for every wire, and the calls that it refuses."""

import pickle
from types import ModuleType
from typing import Any

import pytest

from millstream._wire_values import WIRES as CORE_WIRES
from millstream.errors import UnsupportedError
from millstream.wires.names import SNAPSHOT_WIRES, is_event_wire
from millstream.wires.names import WIRES as ALL_WIRES
from wire_answers import CHOICE_WIRES, WIRES, make_writer

each_wire = pytest.mark.parametrize("wire", WIRES)
ANY = {
    "start": (),
    "write_text": ("x",),
    "write_tool_result": ("c1", "x"),
    "write_source": ("http://x/",),
    "write_data": (b"{}",),
    "write_snapshot": ("x", 1),
    "fail": ("x",),
    "close": (),
}
# The calls that a wire refuses.
REFUSED = {
    "ag-ui": ["write_snapshot"],
    "ndjson": [],
    "openai.chat": ["write_data", "write_snapshot"],
    "openai.completions": ["write_source", "write_data", "write_snapshot"],
    "openai.responses": ["write_data", "write_snapshot"],
    "text": ["write_source", "write_data", "write_snapshot"],
    "vercel.ui": [],
}


@each_wire
@pytest.mark.parametrize("end", ["close", "fail"])
def test_nothing_is_written_after_the_end(impl: ModuleType, wire: str, end: str) -> None:
    writer = make_writer(impl, wire)
    assert not writer.ended
    getattr(writer, end)(*ANY[end])
    assert writer.ended
    for method, arguments in ANY.items():
        with pytest.raises(ValueError, match=rf"^{method}\(\) after the end of the answer$"):
            getattr(writer, method)(*arguments)
    with pytest.raises(ValueError, match=r"^write\(\) after the end of the answer$"):
        writer.write(impl.Delta(0, None, "x"))


@each_wire
def test_the_start_comes_once_and_before_all_else(impl: ModuleType, wire: str) -> None:
    writer, silent = make_writer(impl, wire), make_writer(impl, wire)
    start = writer.start()
    assert writer.start() == b""
    assert start + writer.write_text("x") == silent.write_text("x")


@each_wire
def test_what_a_wire_cannot_carry_is_refused_and_nothing_is_lost(impl: ModuleType, wire: str) -> None:
    writer, whole = make_writer(impl, wire), make_writer(impl, wire)
    refused = []
    for method in ("write_source", "write_data", "write_snapshot"):
        if method not in REFUSED[wire]:
            continue
        with pytest.raises(UnsupportedError, match=rf"^the wire '{wire}' cannot carry [a-z ]+: .+") as caught:
            getattr(writer, method)(*ANY[method])
        refused.append(str(caught.value))
    assert len(set(refused)) == len(REFUSED[wire])
    assert writer.write_text("x") + writer.close() == whole.write_text("x") + whole.close()


def test_every_list_of_wires_is_that_of_the_core() -> None:
    assert {*CORE_WIRES} == {*WIRES} == {name for name in ALL_WIRES if not is_event_wire(name)}
    assert {wire for wire, refused in REFUSED.items() if "write_snapshot" not in refused} == SNAPSHOT_WIRES


@each_wire
def test_empty_text_writes_nothing(impl: ModuleType, wire: str) -> None:
    writer = make_writer(impl, wire)
    writer.start()
    assert writer.write_text("") == b""
    assert writer.write(impl.Delta(0)) == b""
    assert writer.write(impl.Delta(0, None, "", "", "", finish_reason="", usage=None)) == b""


@each_wire
def test_an_error_of_the_provider_is_left_to_fail(impl: ModuleType, wire: str) -> None:
    writer = make_writer(impl, wire)
    writer.start()
    assert writer.write(impl.Delta(0, error={"message": "secret"})) == b""
    assert b"secret" not in writer.fail("public")


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire not in CHOICE_WIRES])
def test_several_choices_are_refused_where_a_wire_has_one(impl: ModuleType, wire: str) -> None:
    with pytest.raises(UnsupportedError, match="cannot carry several choices: write the first choice alone, or use"):
        make_writer(impl, wire, all_choices=True)


@pytest.mark.parametrize("wire", ["ndjson", "vercel.ui"])
def test_a_snapshot_does_not_replace_more_than_text(impl: ModuleType, wire: str) -> None:
    call = impl.Delta(tool_calls=(impl.ToolCallDelta(0, "c1", "f", "{}"),))
    calls = {"write": (call,), **{name: ANY[name] for name in ("write_source", "write_data", "write_tool_result")}}
    for method, arguments in calls.items():
        writer = make_writer(impl, wire)
        writer.write_text("Hi")
        assert b'"Hi"' in writer.write_snapshot("Hi", 1)
        getattr(writer, method)(*arguments)
        with pytest.raises(UnsupportedError, match="cannot carry snapshots of more than text: wait for slow clients"):
            writer.write_snapshot("Hi", 1)


@pytest.mark.parametrize(
    ("wire", "most"), [("text", 2), ("ndjson", 14), ("vercel.ui", 58), ("ag-ui", 74), ("openai.chat", 172)]
)
def test_a_token_of_text_costs_few_bytes(impl: ModuleType, wire: str, most: int) -> None:
    writer = make_writer(impl, wire)
    for _ in range(9):
        size = len(writer.write_text("Hi"))
    assert size <= most


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("sse", "a", 0), {}, ValueError, "wire must be one of 'ag-ui', 'ndjson', .*, not 'sse'$"),
        ((1, "a", 0), {}, ValueError, "wire must be one of .*, not 1$"),
        (("text", "", 0), {}, ValueError, "^id must not be empty$"),
        (("text", b"a", 0), {}, TypeError, "^id must be a str, not bytes$"),
        (("text", "a", -1), {}, ValueError, "^created must be from 0 to 9007199254740991, not -1$"),
        (("text", "a", 2**53), {}, ValueError, "^created must be from 0 to "),
        (("text", "a", 1.5), {}, TypeError, "^created must be an int, not float$"),
        (("text", "a", True), {}, TypeError, "^created must be an int, not bool$"),
        (("text", "a", 0), {"model": None}, TypeError, "^model must be a str, not NoneType$"),
        (("text", "a", 0), {"include_usage": 1}, TypeError, "^include_usage must be a bool, not int$"),
        (("text", "a", 0), {"all_choices": "x"}, TypeError, "^all_choices must be a bool, not str$"),
        (("text", "a", 0), {"thread_id": 1}, TypeError, "^thread_id must be a str, not int$"),
        (("text", "a", 0), {"run_id": 1}, TypeError, "^run_id must be a str, not int$"),
    ],
)
def test_wrong_options_are_refused(
    impl: ModuleType, arguments: Any, options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        impl.WireWriter(*arguments, **options)


@pytest.mark.parametrize(
    ("method", "arguments", "options", "error", "message"),
    [
        ("write", ("x",), {}, TypeError, r"^write\(\) takes a Delta, not str$"),
        ("write_text", (b"x",), {}, TypeError, "^text must be a str, not bytes$"),
        ("write_tool_result", (None, "x"), {}, TypeError, "^tool_call_id must be a str, not NoneType$"),
        ("write_source", (1,), {}, TypeError, "^url must be a str, not int$"),
        ("write_source", ("x",), {"title": None}, TypeError, "^title must be a str, not NoneType$"),
        ("write_source", ("x",), {"id": 1}, TypeError, "^id must be a str, not int$"),
        ("write_data", ("{}",), {}, TypeError, r"^write_data\(\) takes bytes, not str$"),
        ("write_data", (b"{} {}",), {}, ValueError, r"^write_data\(\) takes one JSON value of at most 128 levels$"),
        ("write_data", (b"",), {}, ValueError, r"^write_data\(\) takes one JSON value of at most 128 levels$"),
        ("write_snapshot", ("x", -1), {}, ValueError, "^dropped must be from 0 to 9007199254740991, not -1$"),
        ("write_snapshot", ("x", True), {}, TypeError, "^dropped must be an int, not bool$"),
        ("fail", (1,), {}, TypeError, "^message must be a str, not int$"),
        ("fail", ("x",), {"status": 600}, ValueError, "^status must be from 100 to 599, not 600$"),
        ("fail", ("x",), {"code": 1}, TypeError, "^code must be a str, not int$"),
        ("fail", ("x",), {"type": None}, TypeError, "^type must be a str, not NoneType$"),
    ],
)
def test_wrong_arguments_are_refused_and_change_nothing(
    impl: ModuleType, method: str, arguments: Any, options: Any, error: type[Exception], message: str
) -> None:
    writer, whole = make_writer(impl, "ndjson"), make_writer(impl, "ndjson")
    with pytest.raises(error, match=message):
        getattr(writer, method)(*arguments, **options)
    assert writer.write_text("x") + writer.close() == whole.write_text("x") + whole.close()


def test_a_writer_says_which_wire_it_writes(impl: ModuleType) -> None:
    writer = make_writer(impl, "ag-ui")
    assert (writer.wire, repr(writer)) == ("ag-ui", "<millstream.WireWriter 'ag-ui'>")
    with pytest.raises(TypeError, match="^WireWriter objects cannot be pickled$"):
        pickle.dumps(writer)
    with pytest.raises(TypeError, match="is not an acceptable base type"):
        type("Sub", (impl.WireWriter,), {})


def test_data_of_any_kind_of_bytes_are_written(impl: ModuleType) -> None:
    writer = make_writer(impl, "ndjson")
    assert writer.write_data(bytearray(b"[1]")) == writer.write_data(memoryview(b"[1]")) == b'{"data":[1]}\n'
    assert writer.write_data(b'"\xff"') == '{"data":"\ufffd"}\n'.encode()


@each_wire
def test_strings_of_any_kind_of_delta_can_be_sent(impl: ModuleType, wire: str) -> None:
    writer = make_writer(impl, wire, model="\ud800", thread_id="\udc00")
    call = impl.ToolCallDelta(0, "\ud800", "\ud800", '"\ud800"')
    delta = impl.Delta(0, "\ud800", "\ud800", "\ud800", "\ud800", (call,), "\ud800", {"\ud800": "\ud800"})
    found = writer.write(delta) + writer.fail("\ud800", type="\ud800", code="\ud800")
    assert found.decode() or wire == "text"
