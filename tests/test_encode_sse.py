"""encode_sse: what it writes, and that nothing can be smuggled through it."""

import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from cases import Case, each, load
from streams import bytes_of, run, splits

ARGUMENTS = ("data", "event", "id", "retry", "comment")
CHARACTERS = st.sampled_from("ab :\r\n\t\0\u2028\u00e9\U0001f600") | st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=20)
NAME = TEXT.map(lambda text: re.sub("[\r\n\0]", "", text))


def arguments(case: Case) -> dict[str, Any]:
    given_ = {name: case[name] for name in ARGUMENTS if name in case}
    return given_ | {name: bytes_of(case, name) for name in ARGUMENTS if f"{name}_b64" in case}


@each([case for case in load("encode") if "error" not in case])
def test_what_is_written_is_exactly_this(impl: ModuleType, case: Case) -> None:
    assert impl.encode_sse(**arguments(case)) == bytes_of(case, "expected")


@each([case for case in load("encode") if "error" in case])
def test_what_cannot_be_written_raises(impl: ModuleType, case: Case) -> None:
    with pytest.raises(ValueError) as caught:
        impl.encode_sse(**arguments(case))
    assert str(caught.value) == case["error"]


@each([case for case in load("encode") if "error" not in case])
def test_what_is_written_can_be_read_at_every_split(impl: ModuleType, case: Case) -> None:
    body = bytes_of(case, "expected")
    expected = naive.read_sse(body).events
    assert len(expected) == ("data" not in case or case["data"] is not None)
    for pieces in splits(body):
        assert run(impl.SSEParser(), pieces).items == expected


@given(
    data=TEXT,
    event=st.none() | NAME,
    id=st.none() | NAME,
    retry=st.none() | st.integers(0, 2**64 - 1),
    comment=st.none() | TEXT,
)
def test_reading_gives_back_what_was_written(
    impl: ModuleType, data: str, event: str | None, id: str | None, retry: int | None, comment: str | None
) -> None:
    body = impl.encode_sse(data, event=event, id=id, retry=retry, comment=comment)
    text = re.sub("\r\n|\r", "\n", data)
    assert naive.read_sse(body).events == [("ServerSentEvent", event or "message", text, id or "", retry)]
    assert impl.SSEParser().feed(body) == [impl.ServerSentEvent(event or "message", text, id or "", retry)]


@given(data=st.binary(max_size=40))
def test_bytes_are_written_as_text_is(impl: ModuleType, data: bytes) -> None:
    lines = re.split(b"\r\n|\r|\n", data)
    assert impl.encode_sse(data) == b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def test_a_lone_surrogate_leaves_as_a_replacement_character(impl: ModuleType) -> None:
    written = impl.encode_sse("a\udc00\ud800b", event="\udc00", id="\ud800", comment="\ud83d")
    assert written == ": \ufffd\nevent: \ufffd\nid: \ufffd\ndata: a\ufffd\ufffdb\n\n".encode()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": 5}, "data must be str, bytes or None, not int"),
        ({"data": ["a"]}, "data must be str, bytes or None, not list"),
        ({"data": None, "comment": 5}, "comment must be str, bytes or None, not int"),
        ({"data": None, "event": 5}, "event must be str or None, not int"),
        ({"data": None, "event": b"e"}, "event must be str or None, not bytes"),
        ({"data": None, "id": 7}, "id must be str or None, not int"),
        ({"data": None, "id": b"7"}, "id must be str or None, not bytes"),
    ],
)
def test_arguments_of_another_type_raise(impl: ModuleType, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        impl.encode_sse(**options)
    assert str(caught.value) == message


def test_data_is_positional_and_the_rest_is_by_keyword(impl: ModuleType) -> None:
    assert impl.encode_sse("a") == impl.encode_sse(data="a")
    with pytest.raises(TypeError):
        impl.encode_sse("a", "event")
    with pytest.raises(TypeError):
        impl.encode_sse()
