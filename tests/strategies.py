"""What hypothesis draws from: streams, payloads and documents that are nearly right."""

import json
import re
from typing import Any

from hypothesis import strategies as st

FORMATS = st.sampled_from(["openai.chat", "openai.completions"])
CUTS = st.lists(st.integers(0, 400), max_size=6)

FIELDS = [b"data", b"data:", b"data: ", b"event: ", b"event: error\n", b"error", b"error: ", b"id: ", b"retry: "]
MARKS = [b":", b" ", b"\t", b"\0", b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb", b"\xff"]
SCRAPS = [b"{", b"}", b"[", b"]", b'"', b",", b"<", b"null", b"-1", b"0", b"18446744073709551615", b"\xe2\x80\xa8"]
PAYLOADS = [
    *(b"[DONE]", b"[DONE]\n\n", b'{"error":"x"}', b'{"usage":{}}', b'{"choices":[{"text":"a"}]}'),
    b'{"choices":[{"delta":{"content":"a\\ud83d"}}]}',
]
TOKENS = [*FIELDS, *MARKS, *SCRAPS, *PAYLOADS]
STREAMS = st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join)
EDIT = st.tuples(st.integers(0, 2000), st.integers(0, 6), st.sampled_from([b"", *TOKENS]) | st.binary(max_size=2))

BROKEN_UTF8 = st.sampled_from([b"\xf0\x9f", b"\x98\x80", b"\xe2\x82", b"\xac", b"\xc3", b"\xed\xa0"])
STRINGS = st.text(st.sampled_from('ab\ud83d\ude00\ud800\udc00\u00e9\0"\\\n\U0001f600'), max_size=4)
KEYS = st.sampled_from(["a", "text", "message", "type"])
JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**33) | st.just(1.5) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
SYMBOLS = [*'{}[],:"\\ \n\t0123456789.eE+-aux', '"a"', "true", "null", "\\u", "\\ud83d", "\x0b", "\u00e9", "\x01"]
DOCUMENTS = st.lists(st.sampled_from(SYMBOLS), max_size=14).map("".join)


def sometimes(strategy: Any) -> Any:
    """Return ``strategy`` with a value of any type now and then."""
    return st.integers(0, 11).flatmap(lambda dice: JUNK if dice == 0 else strategy)


def objects(**fields: Any) -> Any:
    """Return JSON objects with some of ``fields``, in any order."""
    optional = {name: sometimes(field) for name, field in fields.items()}
    made = st.fixed_dictionaries({}, optional=optional)
    return made.flatmap(lambda chosen: st.permutations(list(chosen.items())).map(dict))


NOTE = objects(type=st.just("text"), text=STRINGS)
PART = objects(
    type=st.sampled_from(["text", "thinking", "image"]), text=STRINGS, thinking=STRINGS | st.lists(NOTE, max_size=3)
)
FUNCTION = objects(name=STRINGS, arguments=STRINGS)
CALL = objects(index=st.integers(0, 3), id=st.sampled_from(["", "a", "b", "c"]), function=FUNCTION)
# Entries as servers mix them up: few indexes, ids and names, and arguments that are whole now and then.
TEXT_ARGUMENTS = ["", " ", "{}", '{"a":', "1}", "[", "]", "1", '"', "\ud83d"]
ARGUMENTS: Any = st.sampled_from([*TEXT_ARGUMENTS, {}, {"b": ["\ud83d"]}, [1], None])
CALLED = st.fixed_dictionaries(
    {}, optional={"name": st.sampled_from(["f", "g", "fg", "", None]), "arguments": ARGUMENTS}
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "index": st.sampled_from([0, 0, 1, 2, 2**32 - 1, None]),
        "id": st.sampled_from(["a", "b", "", "null", None]),
        "function": CALLED,
    },
)
ENTRIES = st.lists(ENTRY, min_size=1, max_size=3)
TOOL_MESSAGE = st.fixed_dictionaries({"tool_calls": ENTRIES}) | st.fixed_dictionaries(
    {}, optional={"tool_calls": ENTRIES, "function_call": st.none() | CALLED, "content": STRINGS}
)
TOOL_CHOICE = st.fixed_dictionaries(
    {},
    optional={
        "delta": TOOL_MESSAGE,
        "message": TOOL_MESSAGE,
        "index": st.sampled_from([0, 0, 0, 1]),
        "finish_reason": st.sampled_from(["tool_calls", None]),
    },
)
TOOL_PAYLOADS = st.lists(
    st.lists(st.fixed_dictionaries({"delta": TOOL_MESSAGE}) | TOOL_CHOICE, min_size=1, max_size=2).map(
        lambda choices: {"choices": choices}
    ),
    max_size=8,
)
DELTA = objects(
    role=st.just("assistant"),
    content=STRINGS | st.lists(PART, max_size=4) | PART,
    reasoning=STRINGS | st.lists(PART, max_size=2),
    reasoning_content=STRINGS | PART,
    refusal=STRINGS,
    audio=objects(id=STRINGS),
    tool_calls=st.lists(sometimes(CALL), max_size=3),
    function_call=FUNCTION,
)
CHOICE = objects(
    index=st.integers(0, 2),
    delta=DELTA | STRINGS,
    message=DELTA,
    text=STRINGS,
    finish_reason=st.sampled_from(["", "stop", "length"]),
    logprobs=objects(content=STRINGS),
)
USAGE = objects(n=st.integers())
PAYLOAD = objects(
    choices=st.lists(sometimes(CHOICE), max_size=3),
    usage=USAGE,
    x_groq=objects(usage=USAGE),
    error=STRINGS | objects(message=STRINGS, type=STRINGS, code=st.integers()),
    object=st.sampled_from(["error", "chunk"]),
)


def written(payload: Any, escaped: bool, spaced: bool) -> bytes:
    """Return ``payload`` as JSON; where it is not ``escaped``, only what cannot be encoded is."""
    text = json.dumps(payload, separators=None if spaced else (",", ":"))
    if not escaped:
        text = re.sub(r"\\u00e9|\\ud83d\\ude00", lambda found: str(json.loads(f'"{found[0]}"')), text)
    return text.encode()


TEXTS = st.tuples(PAYLOAD, st.booleans(), st.booleans()).map(lambda drawn: written(*drawn))
