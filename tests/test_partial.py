"""JSONAssembler: a document that arrives piece by piece, and what is known of it at any time."""

import gc
import json
import sys
import sysconfig
from itertools import pairwise
from types import ModuleType
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import Case, load
from naive_json import NOTHING, applied, known
from strategies import CUTS, DOCUMENTS, STRINGS
from streams import Halves, attempt, described

CASES = load("partial")
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS | st.sampled_from(["a", "a~/b"]), inner),
    max_leaves=12,
)
WRITTEN = st.tuples(VALUES, st.booleans(), st.sampled_from([None, 1])).map(
    lambda drawn: json.dumps(drawn[0], ensure_ascii=drawn[1], indent=drawn[2])
)
EDITED = st.tuples(WRITTEN, st.integers(0, 60), st.integers(0, 2), st.text('{}[]",:\\u0x1.e-ntf \n', max_size=2)).map(
    lambda drawn: drawn[0][: drawn[1]] + drawn[3] + drawn[0][drawn[1] + drawn[2] :]
)
TEXTS = WRITTEN | EDITED | DOCUMENTS | st.text(st.sampled_from('["\\ud83e\ude00x1.'), max_size=12)


def made(impl: ModuleType, case: Case) -> Any:
    return impl.JSONAssembler(strict=case.get("strict", True))


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def end_of(assembler: Any, pieces: list[str]) -> tuple[Any, ...]:
    """Feed ``pieces``, close, and return all that is known then, to be compared as it prints."""
    for piece in pieces:
        assembler.feed(piece)
        if assembler.failure is not None:
            break
    else:
        assembler.close()
    failure = None if assembler.failure is None else described(assembler.failure)
    return repr(assembler.value), assembler.started, assembler.complete, failure


def test_every_character_makes_known_what_the_vectors_say(impl: ModuleType) -> None:
    for case in (one for one in CASES if "known" in one):
        assembler = made(impl, case)
        steps = dict(case["known"])
        value = None
        for fed, character in enumerate(case["text"], 1):
            assembler.feed(character)
            value = steps.get(fed, value)
            assert repr(assembler.value) == repr(value), case["name"]
            assert assembler.started is (min(steps, default=fed + 1) <= fed), case["name"]
            if assembler.failure is not None:
                break


def test_every_character_changes_what_the_vectors_say(impl: ModuleType) -> None:
    for case in (one for one in CASES if "diff" in one):
        assembler = made(impl, case)
        changed = []
        for fed, character in enumerate(case["text"], 1):
            assembler.feed(character)
            if patch := assembler.diff():
                changed.append([fed, patch])
            assert assembler.diff() == [], case["name"]
            if assembler.failure is not None:
                break
        assert repr(changed) == repr(case["diff"]), case["name"]


def test_every_split_ends_as_the_vectors_say(impl: ModuleType) -> None:
    for case in CASES:
        text, failure = case["text"], None
        if case["failure"] is not None:
            failure = {
                "type": "StreamDecodeError",
                "frame": None,
                "text": "",
                "text_complete": True,
                "deltas_seen": 0,
                **case["failure"],
            }
        whole = end_of(made(impl, case), [text])
        assert whole[2:] == (case["complete"], failure), case["name"]
        assert end_of(made(impl, case), list(text)) == whole, case["name"]
        for cut in range(len(text) + 1):
            assert end_of(made(impl, case), [text[:cut], text[cut:]]) == whole, case["name"]


def test_a_whole_document_is_what_the_standard_library_reads(impl: ModuleType) -> None:
    for case in (one for one in CASES if one["failure"] is None and one["complete"]):
        assembler = made(impl, case)
        assembler.feed(case["text"])
        if "surrogates" not in case["name"]:
            expected = json.loads(case["text"], strict=case.get("strict", True))
            assert repr(assembler.value) == repr(expected), case["name"]


@given(text=TEXTS, cuts=CUTS, strict=st.booleans())
def test_any_text_is_known_as_far_as_closing_it_by_hand_shows(
    impl: ModuleType, text: str, cuts: list[int], strict: bool
) -> None:
    assembler, fed = impl.JSONAssembler(strict=strict), ""
    for piece in pieces_of(text, cuts):
        assembler.feed(piece)
        if assembler.failure is not None:
            text = text[: assembler.failure.offset]
            assert repr(known(text, strict=strict)) in (repr(assembler.value), repr(NOTHING))
            return
        fed += piece
        value = known(fed, strict=strict)
        assert assembler.started is (value is not NOTHING)
        assert repr(assembler.value) == repr(value if assembler.started else None)


@given(text=TEXTS)
def test_what_is_complete_is_what_the_standard_library_takes(impl: ModuleType, text: str) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed(text)
    if assembler.failure is None:
        assembler.close()
    try:
        json.loads(text, parse_constant=_refuse)
        valid = True
    except ValueError:
        valid = False
    assert (assembler.complete and assembler.failure is None) is valid


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


@given(text=TEXTS, cuts=CUTS, asked=st.lists(st.booleans(), min_size=8, max_size=8), append=st.booleans())
def test_the_changes_put_together_are_the_document(
    impl: ModuleType, text: str, cuts: list[int], asked: list[bool], append: bool
) -> None:
    assembler, document = impl.JSONAssembler(), None
    for piece, ask in zip(pieces_of(text, cuts), asked, strict=False):
        assembler.feed(piece)
        if ask:
            document = applied(document, assembler.diff(append=append))
            assert document == assembler.value
        if assembler.failure is not None:
            break
    assert applied(document, assembler.diff(append=append)) == assembler.value
    assert assembler.diff() == []


@given(text=TEXTS, cuts=CUTS, strict=st.booleans(), append=st.booleans())
def test_any_text_is_read_alike(halves: Halves, text: str, cuts: list[int], strict: bool, append: bool) -> None:
    pair = [half.JSONAssembler(strict=strict) for half in halves]
    for piece in [*pieces_of(text, cuts), "", 5]:
        for call in (lambda one, piece=piece: one.feed(piece), lambda one: one.diff(append=append)):
            rust, python = (attempt(call, one) for one in pair)
            assert repr(rust) == repr(python)
        states = [(one.value, one.started, one.complete, attempt(lambda one=one: str(one.failure))) for one in pair]
        assert repr(states[0]) == repr(states[1])
    for _ in range(2):
        assert attempt(pair[0].close) == attempt(pair[1].close)
    assert attempt(pair[0].feed, " ") == attempt(pair[1].feed, " ")
    assert repr((pair[0].value, pair[0].complete)) == repr((pair[1].value, pair[1].complete))


def test_the_document_is_made_anew_each_time(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed('{"a": [1')
    first = assembler.value
    first["a"].append(2)
    assert assembler.value == {"a": [1]}
    (operation,) = assembler.diff()
    operation["value"]["a"].append(3)
    assembler.feed("0")
    assert assembler.value == {"a": [10]}


def test_null_is_distinguished_from_no_document(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assert (assembler.value, assembler.started, assembler.complete) == (None, False, False)
    assembler.feed("nul")
    assert (assembler.value, assembler.started, assembler.complete) == (None, False, False)
    assembler.feed("l")
    assert (assembler.value, assembler.started, assembler.complete) == (None, True, True)
    assert assembler.diff() == [{"op": "replace", "path": "", "value": None}]


def test_a_number_alone_is_whole_at_the_end(impl: ModuleType) -> None:
    for text, complete in (("12", True), ("1.", False), ("-", False), ("1e5", True)):
        assembler = impl.JSONAssembler()
        assembler.feed(text)
        assert assembler.complete is False
        assembler.close()
        assert assembler.complete is complete


def test_a_document_that_was_cut_off_is_not_an_error(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed('{"a": "b')
    assert assembler.close() is None
    assert (assembler.value, assembler.complete, assembler.failure) == ({"a": "b"}, False, None)
    assert assembler.close() is None
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        assembler.feed("")


def test_a_failure_keeps_what_was_right_and_is_raised_by_every_later_call(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed(" [1, 2")
    assert assembler.feed("3, x, 4") is None
    failure = assembler.failure
    assert (str(failure), failure.offset, failure.frame) == ("invalid JSON at character 9", 9, None)
    assert (assembler.value, assembler.complete) == ([1, 23], False)
    assert assembler.diff() == [{"op": "replace", "path": "", "value": [1, 23]}]
    for call in (lambda: assembler.feed(""), lambda: assembler.feed("]"), assembler.close, assembler.close):
        with pytest.raises(ValueError, match="^invalid JSON at character 9$") as caught:
            call()
        assert caught.value is failure
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        assembler.feed("]")


@pytest.mark.parametrize(("piece", "kind"), [(b"1", "bytes"), (None, "NoneType"), (5, "int")])
def test_feed_takes_text(impl: ModuleType, piece: Any, kind: str) -> None:
    assembler = impl.JSONAssembler()
    with pytest.raises(TypeError, match=f"^feed\\(\\) takes str, not {kind}$"):
        assembler.feed(piece)
    assembler.feed("1")
    assert assembler.value == 1


def test_numbers_are_those_of_the_standard_library(impl: ModuleType) -> None:
    integers = [2**63, -(2**63), 2**63 - 1, -(2**63) - 1, 10**30, -(10**4297), 10**4298]
    floats = ["1e400", "-1e400", "1e-400", "0.1", "123456789012345678901234567890.5", "4.9e-324", "-0.0", "1E22"]
    text = f"[{', '.join(map(str, integers))}, {', '.join(floats)}]"
    for pieces in ([text], list(text)):
        assembler = impl.JSONAssembler()
        for piece in pieces:
            assembler.feed(piece)
        assert repr(assembler.value) == repr(json.loads(text))


def test_integers_too_long_for_the_interpreter_are_floats(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed(f"[{'9' * 4299}, {'9' * 4300}, -{'9' * 4300}, {'0.' + '0' * 9999}1]")
    assert assembler.value == [int("9" * 4299), float("inf"), float("-inf"), 0.0]


def test_a_long_number_that_may_go_on_is_read_in_part(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed("[" + "7" * 1023)
    assert assembler.value == [int("7" * 1023)]
    assembler.feed(".5")
    assert assembler.value == [int("7" * 1023)]
    assembler.diff()
    assembler.feed("5" * 3000)
    assert (assembler.value, assembler.diff()) == ([int("7" * 1023)], [])
    assembler.feed("]")
    assert assembler.value == [float("inf")]
    assert assembler.diff() == [{"op": "replace", "path": "/0", "value": float("inf")}]


def test_halves_of_pairs_are_joined_wherever_they_stand(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    for piece in ('["\ud83d', '\ude00", "\ud83d', '", "\\ud83d', '\ude00", "\\ud83d\\ud83d\ude00'):
        assembler.feed(piece)
        json.dumps(assembler.value, ensure_ascii=False).encode()
    assert assembler.value == ["\U0001f600", "\ufffd", "\U0001f600", "\ufffd\U0001f600"]
    assembler.feed('\ud83d"')
    assert assembler.value[-1] == "\ufffd\U0001f600\ufffd"
    assembler.feed(",\ud83d")
    assert str(assembler.failure) == "invalid JSON at character 40"


def test_a_change_has_everything_new_at_its_place(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    changed = []
    for piece in ('{"a": [1, {"b": "x', 'y"}, 2', '5], "c', '~/": "', "d", 'e", "a": [', "0]", "}"):
        assembler.feed(piece)
        changed.append([tuple(operation.values()) for operation in assembler.diff()])
    assert changed == [
        [("replace", "", {"a": [1, {"b": "x"}]})],
        [("append", "/a/1/b", "y"), ("add", "/a/2", 2)],
        [("replace", "/a/2", 25)],
        [("add", "/c~0~1", "")],
        [("append", "/c~0~1", "d")],
        [("append", "/c~0~1", "e"), ("add", "/a", [])],
        [("add", "/a/0", 0)],
        [],
    ]


def test_changes_can_be_limited_to_json_patch(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed('["a')
    assembler.diff(append=False)
    assembler.feed('b", "c')
    replaced = {"op": "replace", "path": "/0", "value": "ab"}
    assert assembler.diff(append=False) == [replaced, {"op": "add", "path": "/1", "value": "c"}]


def test_a_million_levels_are_refused_at_once(impl: ModuleType) -> None:
    for shape, offset in (("[", 128), ('{"a":', 640), ('[{"a":', 384)):
        assembler = impl.JSONAssembler()
        assembler.feed(shape * (1_000_000 // len(shape)))
        assert str(assembler.failure) == f"JSON nested too deeply at character {offset}"
        assert assembler.failure.offset == offset
        json.dumps(assembler.value)
        assert len(assembler.diff()) == 1


@pytest.mark.thread_unsafe(reason="changes the collector")
def test_value_may_be_read_while_a_callback_of_the_collector_feeds(impl: ModuleType) -> None:
    # Building a value may run the collector, and so any code at all: here, one that feeds.
    assembler = impl.JSONAssembler()
    assembler.feed("[" + "[1]," * 5000)
    threshold = gc.get_threshold()
    fed: list[int] = []

    def feed(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and len(fed) < 20:
            assembler.feed("2,")
            fed.append(len(assembler.diff()))

    gc.callbacks.append(feed)
    gc.set_threshold(50)
    try:
        value = assembler.value
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(feed)
    assert value[:5000] == [[1]] * 5000
    # From 3.12 on the collector runs between bytecodes alone, of which the native half has none. Without a global lock
    # it runs when it likes.
    has_lock = not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert fed or not has_lock or (sys.version_info >= (3, 12) and impl.__name__ == "millstream._core")
    assert assembler.value == [[1]] * 5000 + [2] * len(fed)


@pytest.mark.thread_unsafe(reason="counts the objects of the process")
def test_feeding_makes_no_python_objects(native: ModuleType) -> None:
    def made(pieces: list[str]) -> int:
        gc.collect()
        assembler = native.JSONAssembler()
        before = sys.getallocatedblocks()
        for piece in pieces:
            assembler.feed(piece)
        blocks = sys.getallocatedblocks() - before
        assert assembler.value == {"a": [1, 2, {"b": "text \u00e9"}], "c": None}
        return blocks

    whole = '{"a": [1, 2, {"b": "text \\u00e9"}], "c": null}'
    pieces = ['{"a": [', '1, 2, {"b"', ': "te', "xt \\u00", 'e9"}], ', '"c": nu', "ll", "}"] + [" "] * 100
    # A hundred more calls; the interpreter's own caches come and go by one.
    assert min(made(pieces) for _ in range(3)) <= min(made([whole]) for _ in range(3)) + 1
