"""What hypothesis draws from for the other formats: streams of payloads that are right, odd and malformed."""

import copy
import struct
import zlib
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from format_payloads import BODIES, ERRORS, EVENTS
from formats import FORMATS
from strategies import written

# What a member is replaced by.
_ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        2,
        -1,
        1.5,
        2**32 - 1,
        2**32,
        10**25,
        "",
        "x",
        "null",
        "error",
        "text",
        "\ud83d",
        "\ude00",
    ),
    *("\u2028", "a\nb", "\u00e9", [], {}, [[]], [None], {"a": [1, {}]}, ["x"], {"text": "x"}, {"message": "m"}),
    *("text_delta", "tool_use", "thinking", "refusal", "message", "stop", {"type": "text", "text": "t"}, "0", "IA=="),
]
_NAMES = [
    *("type", "index", "text", "error", "message", "content", "delta", "usage", "object", "done", "stop", "thought"),
    *("id", "name", "input", "finish_reason", "logprobs", "choices", "response", "bytes", "output_index", "code"),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("rrrdain"), st.sampled_from(_ODD), st.sampled_from(_NAMES)),
    max_size=2,
)
NAMED = st.sampled_from([b"", b"\xef\xbb\xbf", b": ping\n\n", b"\n", b" "])


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    """Yield the containers in ``value`` with the keys and positions in each."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def edited(payload: Any, edits: list[tuple[int, str, Any, str]]) -> Any:
    """Return ``payload`` with members replaced, left out, added, renamed."""
    payload = copy.deepcopy(payload)
    for at, kind, odd, name in edits:
        places = [*_places(payload)]
        if not places:
            continue
        container, key = places[at % len(places)]
        odd = copy.deepcopy(odd)
        if kind == "r":
            container[key] = odd
        elif kind == "d":
            del container[key]
        elif isinstance(container, dict):
            container[name] = odd if kind == "a" else container[key]
            if kind == "n":
                container.pop(key)
        elif kind == "i":
            container.insert(key, odd)
    return payload


# Bedrock's events as AWS's SDKs hand them out.
ENCLOSED: list[Any] = [
    *(("", {name: payload}) for name, payload in EVENTS["bedrock.converse"]),
    ("", {"throttlingException": {"message": "slow down", "originalStatusCode": 429}}),
]


def events_of(format_: str) -> Any:
    """Return events of a format, odd ones and errors among them, and scraps of the wrong kind."""
    enclosed = ENCLOSED if format_ == "bedrock.converse" else []
    right = st.sampled_from([*EVENTS[format_], *enclosed])
    odd = st.tuples(right, EDITS).map(lambda drawn: (drawn[0][0], edited(drawn[0][1], drawn[1])))
    foreign = st.sampled_from([event for events in (*EVENTS.values(), ENCLOSED) for event in events])
    scraps = st.sampled_from([("", b"[DONE]"), ("", b"{"), ("", b""), ("", b"12"), ("x", b'"a"'), ("", b"[1]")])
    event = st.integers(0, 29).flatmap(
        lambda dice: (
            right
            if dice < 12
            else odd
            if dice < 26
            else st.sampled_from(ERRORS)
            if dice < 27
            else foreign
            if dice < 28
            else scraps
        )
    )
    return st.lists(event, max_size=9)


STREAMS = st.sampled_from([name for name in FORMATS if name != "auto"]).flatmap(
    lambda name: st.tuples(st.just(name), events_of(name))
)


def raw(payload: Any, *, escaped: bool, spaced: bool) -> bytes:
    return payload if isinstance(payload, bytes) else written(payload, escaped=escaped, spaced=spaced)


def as_sse(events: list[Any], style: tuple[bool, bool], end: bytes, named: bool, space: bytes) -> bytes:
    """Return a body of Server-Sent Events."""
    body = b""
    for name, payload in events:
        if named and name:
            body += b"event:" + space + name.encode() + end
        body += b"data:" + space + raw(payload, escaped=style[0], spaced=style[1]) + end + end
    return body


def as_lines(events: list[Any], style: tuple[bool, bool], end: bytes) -> bytes:
    return b"".join(raw(payload, escaped=style[0], spaced=style[1]) + end for _, payload in events)


def as_array(events: list[Any], style: tuple[bool, bool], between: bytes) -> bytes:
    return b"[" + between.join(raw(payload, escaped=style[0], spaced=style[1]) for _, payload in events) + b"]"


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """Return a message of AWS's event stream."""
    packed = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return head + struct.pack(">I", zlib.crc32(head))


def as_messages(events: list[Any], style: tuple[bool, bool]) -> bytes:
    body = b""
    for name, payload in events:
        if name in ("exception", "error"):
            kind = "code" if name == "error" else "type"
            headers = {":message-type": name, f":{name}-{kind}": "throttlingException", ":error-message": "m"}
        else:
            headers = {":message-type": "event", ":event-type": name, ":content-type": "application/json"}
        body += message(headers, raw(payload, escaped=style[0], spaced=style[1]))
    return body


def bodies_of(format_: str) -> Any:
    """Return whole answers of a format, and odd ones."""
    return st.tuples(st.sampled_from(BODIES[format_]), EDITS).map(lambda drawn: edited(*drawn))
