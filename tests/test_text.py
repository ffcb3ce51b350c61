"""TextAssembler: whole code points, as early as they are certain and never earlier."""

import base64
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cases import Case, each, load
from streams import attempt, cut, described, splits

BYTES_CASES = [case for case in load("assembly") if case["kind"] == "bytes"]
UTF16_CASES = [case for case in load("assembly") if case["kind"] == "utf16"]
WRONG = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe0\x80", b"\xf0\x80"]
CUT_SHORT = [b"\xe2\x82", b"\xf0\x9f\x98"]
UTF8 = st.sampled_from([b"a", "\u00e9\u20ac\U0001f600".encode(), *WRONG, *CUT_SHORT])
MIXED = st.lists(UTF8 | st.binary(max_size=3), max_size=12)
SURROGATES = st.lists(st.text(st.sampled_from("ab\ud83d\ude00\udc00\ud800\u00e9\U0001f600"), max_size=4), max_size=8)


def assemble(impl: ModuleType, pieces: list[Any], errors: str = "replace") -> tuple[list[str], str | None, Any]:
    """Return what each feed gave, what close gave, and the failure; both stop at it."""
    assembler = impl.TextAssembler(errors=errors)
    emitted = []
    for piece in pieces:
        emitted.append(assembler.feed(piece))
        if assembler.failure is not None:
            return emitted, None, assembler.failure
    flushed = attempt(assembler.close)
    if assembler.failure is None:
        return emitted, flushed, None
    assert flushed == described(assembler.failure)
    assert assembler.failure.items == []
    return emitted, None, assembler.failure


def first_error(data: bytes) -> UnicodeDecodeError | None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error
    return None


def pieces_of(case: Case) -> list[bytes]:
    return [base64.b64decode(chunk) for chunk in case["chunks_b64"]]


@pytest.mark.parametrize("errors", ["replace", "ignore"])
@each(BYTES_CASES)
def test_bytes_come_out_with_the_byte_that_decides_them(impl: ModuleType, case: Case, errors: str) -> None:
    emitted, flushed, _ = assemble(impl, pieces_of(case), errors)
    assert emitted == case[errors]["emit"]
    assert flushed == case[errors]["flush"]


@pytest.mark.parametrize("errors", ["replace", "ignore"])
@each(BYTES_CASES)
def test_bytes_give_the_same_text_at_every_split(impl: ModuleType, case: Case, errors: str) -> None:
    expected = "".join(case[errors]["emit"]) + case[errors]["flush"]
    for pieces in splits(b"".join(pieces_of(case))):
        emitted, flushed, _ = assemble(impl, pieces, errors)
        assert "".join(emitted) + (flushed or "") == expected


@each(BYTES_CASES)
def test_strict_bytes_fail_where_the_vectors_say(impl: ModuleType, case: Case) -> None:
    emitted, flushed, failure = assemble(impl, pieces_of(case), "strict")
    if "error_after_chunk" in case["strict"]:
        assert failure is not None
        assert len(emitted) == case["strict"]["error_after_chunk"] + 1
    elif case["strict"].get("error_at_flush"):
        assert failure is not None
        assert len(emitted) == len(case["chunks_b64"])
    else:
        assert failure is None
        assert (emitted, flushed) == (case["replace"]["emit"], case["replace"]["flush"])


@each(UTF16_CASES)
def test_halves_of_pairs_are_held_and_joined(impl: ModuleType, case: Case) -> None:
    literals = [json.loads(literal) for literal in case["json_literals"]]
    emitted, flushed, _ = assemble(impl, literals)
    assert (emitted, flushed) == (case["join_replace"]["emit"], case["join_replace"]["flush"])
    units = [unit for literal in literals for unit in literal]
    emitted, flushed, _ = assemble(impl, units)
    assert "".join(emitted) + (flushed or "") == "".join(case["join_replace"]["emit"]) + case["join_replace"]["flush"]


@given(pieces=MIXED)
def test_each_feed_gives_the_longest_text_that_is_certain(impl: ModuleType, pieces: list[bytes]) -> None:
    assembler = impl.TextAssembler()
    fed, text = b"", ""
    for piece in pieces:
        fed += piece
        text += assembler.feed(piece)
        assert text == naive.decode_prefix(fed)
    assert text + assembler.close() == fed.decode("utf-8", "replace")


@given(pieces=MIXED, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_strict_reports_the_first_wrong_bytes_however_they_arrive(
    impl: ModuleType, pieces: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(pieces)
    emitted, flushed, failure = assemble(impl, cut(data, cuts), "strict")
    error = first_error(data)
    if error is None:
        assert failure is None
        assert "".join(emitted) + (flushed or "") == data.decode()
    else:
        assert "".join(emitted) == data[: error.start].decode()
        assert described(failure) == wrong(error.start, data[error.start : error.end])


@given(pieces=MIXED)
def test_ignore_leaves_out_what_replace_marks(impl: ModuleType, pieces: list[bytes]) -> None:
    marked, end, _ = assemble(impl, pieces)
    left, rest, _ = assemble(impl, pieces, "ignore")
    assert [piece.replace("\ufffd", "") for piece in marked] == [piece.replace("\ufffd", "") for piece in left]
    assert rest == ""
    assert (end or "").strip("\ufffd") == ""
    assert "".join(left) == b"".join(pieces).decode("utf-8", "ignore")


@given(pieces=SURROGATES)
def test_every_string_handed_out_can_be_encoded(impl: ModuleType, pieces: list[str]) -> None:
    emitted, flushed, _ = assemble(impl, pieces)
    joined = "".join(pieces).encode("utf-16-le", "surrogatepass")
    assert "".join([*emitted, flushed or ""]) == joined.decode("utf-16-le", "replace")
    for piece in emitted:
        piece.encode()


@given(pieces=SURROGATES)
def test_unpaired_halves_are_dropped_when_they_are_ignored(impl: ModuleType, pieces: list[str]) -> None:
    emitted, flushed, _ = assemble(impl, pieces, "ignore")
    joined = "".join(pieces).encode("utf-16-le", "surrogatepass")
    assert "".join([*emitted, flushed or ""]) == joined.decode("utf-16-le", "ignore")


def wrong(offset: int, frame: bytes | None, kind: str = "invalid UTF-8 at byte") -> dict[str, Any]:
    details = {"offset": offset, "frame": frame, "text": "", "text_complete": True, "deltas_seen": 0}
    return {"type": "StreamDecodeError", "message": f"{kind} {offset}", **details}


@pytest.mark.parametrize(
    ("data", "text", "offset", "frame"),
    [
        (b"\xff", "", 0, b"\xff"),
        (b"ab\xffcd", "ab", 2, b"\xff"),
        (b"ab\xe2\x82c", "ab", 2, b"\xe2\x82"),
        (b"ab\xf0\x9f\x98c", "ab", 2, b"\xf0\x9f\x98"),
        (b"\xed\xa0\x80", "", 0, b"\xed"),
        (b"\xc0\x80", "", 0, b"\xc0"),
        (b"\xe0\x80\xaf", "", 0, b"\xe0"),
        (b"\xf4\x90\x80\x80", "", 0, b"\xf4"),
        (b"a\x80", "a", 1, b"\x80"),
        (b"a\xe2\x82", "a", 1, b"\xe2\x82"),
        (b"\xf0\x9f\x98", "", 0, b"\xf0\x9f\x98"),
        ("\u20ac".encode() + b"\xc3", "\u20ac", 3, b"\xc3"),
    ],
)
def test_a_strict_failure_names_the_first_wrong_bytes(
    impl: ModuleType, data: bytes, text: str, offset: int, frame: bytes
) -> None:
    for pieces in splits(data):
        emitted, _, failure = assemble(impl, pieces, "strict")
        assert "".join(emitted) == text
        assert described(failure) == wrong(offset, frame)


@pytest.mark.parametrize(
    ("pieces", "emitted", "offset"),
    [
        (["ab\ude00c"], ["ab"], 2),
        (["ab\ud83d", "c"], ["ab", ""], 2),
        (["\ud83d\ud83d\ude00"], [""], 0),
        (["a", "\ud83d", "", "\ude00b\udc00"], ["a", "", "", "\U0001f600b"], 4),
        (["a\ud83d"], ["a"], 1),
        (["a", "\ud83d", ""], ["a", "", ""], 1),
    ],
)
def test_strict_text_fails_at_an_unpaired_half(
    impl: ModuleType, pieces: list[str], emitted: list[str], offset: int
) -> None:
    given_, flushed, failure = assemble(impl, pieces, "strict")
    assert (given_, flushed) == (emitted, None)
    assert described(failure) == wrong(offset, None, "unpaired surrogate at character")


def test_a_byte_order_mark_is_content(impl: ModuleType) -> None:
    assert impl.TextAssembler().feed(b"\xef\xbb\xbfa") == "\ufeffa"
    assert impl.TextAssembler().feed("\ufeffa") == "\ufeffa"


def test_the_first_piece_decides_the_kind_even_when_it_is_empty(impl: ModuleType) -> None:
    for first in (b"", b"a", bytearray(b"a"), memoryview(b"a")):
        assembler = impl.TextAssembler()
        assembler.feed(first)
        with pytest.raises(TypeError, match="^this TextAssembler was fed bytes: str pieces need one of their own$"):
            assembler.feed("a")
        assert assembler.feed(b"b") == "b"
    for text in ("", "a"):
        assembler = impl.TextAssembler()
        assembler.feed(text)
        with pytest.raises(TypeError, match="^this TextAssembler was fed str: bytes pieces need one of their own$"):
            assembler.feed(b"")
        assert assembler.feed("b") == "b"


@pytest.mark.parametrize(("piece", "kind"), [(5, "int"), (None, "NoneType"), ([b"a"], "list")])
def test_feed_takes_bytes_or_text(impl: ModuleType, piece: Any, kind: str) -> None:
    assembler = impl.TextAssembler()
    with pytest.raises(TypeError, match=f"^feed\\(\\) takes bytes or str, not {kind}$"):
        assembler.feed(piece)
    assert assembler.feed("a") == "a"


def test_close_again_returns_nothing_and_feed_after_close_raises(impl: ModuleType) -> None:
    assembler = impl.TextAssembler()
    assembler.feed(b"a\xc3")
    assert assembler.close() == "\ufffd"
    assert assembler.close() == ""
    for piece in (b"a", b""):
        with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
            assembler.feed(piece)
    assert impl.TextAssembler().close() == ""


def test_a_failure_is_raised_by_every_later_call_and_stays_the_same(impl: ModuleType) -> None:
    assembler = impl.TextAssembler(errors="strict")
    assert assembler.failure is None
    assert assembler.feed(b"ab\xffcd") == "ab"
    failure = assembler.failure
    for call in (lambda: assembler.feed(b"x"), lambda: assembler.feed(b""), assembler.close, assembler.close):
        with pytest.raises(ValueError, match="^invalid UTF-8 at byte 2$") as caught:
            call()
        assert caught.value is failure


@pytest.mark.parametrize("errors", ["", "Strict", "surrogateescape", None])
def test_options_are_checked(impl: ModuleType, errors: Any) -> None:
    with pytest.raises(ValueError) as caught:
        impl.TextAssembler(errors=errors)
    assert str(caught.value) == f"errors must be one of 'ignore', 'replace', 'strict', not {errors!r}"
    with pytest.raises(TypeError):
        impl.TextAssembler("replace")
