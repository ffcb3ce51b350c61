"""StreamDecoder: the deltas of a stream, the same for every way its bytes can arrive."""

from types import ModuleType
from typing import Any

import pytest

from cases import Case, delta_fields, each, each_of, failure_fields, load, load_wire
from formats import FORMATS
from streams import bytes_of, described, run, splits

WIRE = load_wire("openai.chat", "openai.completions")
OWN = {
    "decode": load("decode"),
    "decode_errors": load("decode_errors"),
    "limits": [case for case in load("limits") if case["reader"] == "StreamDecoder"],
}
FIRST = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def decoder_for(impl: ModuleType, case: Case) -> Any:
    limit = {"max_event_size": case["max_event_size"]} if "max_event_size" in case else {}
    return impl.StreamDecoder(case["format"], **case.get("options", {}), **limit)


def operations(deltas: list[Any], ended: str | None) -> list[list[Any]]:
    """Return ``deltas``, by field, as the wire cases list what a stream means."""
    found: list[list[Any]] = []
    for _, index, role, text, reasoning, refusal, tools, finish, usage, error, *_ in deltas:
        parts = [("role", role), ("reasoning", reasoning), ("text", text), ("refusal", refusal)]
        found += [[name, index, value] for name, value in parts if value is not None]
        found += [["tool", index, *tool[1:]] for tool in tools]
        found += [["finish", index, finish]] if finish is not None else []
        found += [[name, value] for name, value in (("usage", usage), ("error", error)) if value is not None]
    return found + ([["done", ended]] if ended is not None else [])


def final_state(operations_: list[list[Any]]) -> dict[str, Any]:
    """Return the sum of what a stream meant, as the wire cases give it."""
    final: dict[str, Any] = {"choices": {}, "usage": None, "error": None, "ended": None}
    blank = {"text": "", "reasoning": "", "refusal": "", "finish_reason": None}
    for name, *values in operations_:
        if name in ("usage", "error", "done"):
            final["ended" if name == "done" else name] = values[0]
            continue
        choice = final["choices"].setdefault(str(values[0]), {**blank, "tool_calls": {}})
        if name in ("text", "reasoning", "refusal"):
            choice[name] += values[1]
        elif name == "finish":
            choice["finish_reason"] = values[1]
        elif name == "tool":
            call = choice["tool_calls"].setdefault(str(values[1]), {"id": None, "name": None, "args": ""})
            id_, called, args = values[2:]
            call.update(id=id_ or call["id"], name=called or call["name"], args=call["args"] + (args or ""))
    return final


def texts_of(deltas: list[Any]) -> list[str]:
    """Return what text-only decoding gives for ``deltas``, by field."""
    zero = [(text, finish) for _, index, _, text, _, _, _, finish, *_ in deltas if index == 0]
    return [text or "" for text, finish in zero if text is not None or finish is not None]


@each(WIRE)
def test_a_stream_as_sent_means_what_its_vector_says(impl: ModuleType, case: Case) -> None:
    final = {name: value for name, value in case["final"].items() if name != "logprob_bytes"}
    logprob_bytes = case["final"].get("logprob_bytes")
    assert final_state(case["expected"]) == final
    for pieces in splits(case["body"]):
        decoder = decoder_for(impl, case)
        outcome = run(decoder, pieces)
        assert outcome.failure is None
        assert operations(outcome.items, decoder.ended) == case["expected"]
        check_summary(decoder, outcome.items)
        if logprob_bytes is not None:
            entries = [entry for delta in outcome.items if delta[10] for entry in delta[10]["content"]]
            assert [byte for entry in entries for byte in entry["bytes"]] == logprob_bytes


@each_of(**OWN)
def test_every_split_gives_the_deltas_and_the_end_of_the_vector(impl: ModuleType, cases: list[Case]) -> None:
    for case in cases:
        deltas, failure = [delta_fields(delta) for delta in case["deltas"]], failure_fields(case["failure"])
        for pieces in splits(bytes_of(case)):
            decoder = decoder_for(impl, case)
            outcome = run(decoder, pieces)
            assert outcome.items == deltas, case["name"]
            assert decoder.ended == case["ended"], case["name"]
            assert outcome.failure == failure, case["name"]
            assert decoder.done, case["name"]
            if failure:
                assert outcome.failed_at == failing_piece(case["failure"]["at"], pieces), case["name"]
            check_summary(decoder, outcome.items)


def summary(decoder: Any) -> list[Any]:
    names = ("ended", "done", "finish_reason", "usage", "error", "text", "deltas_seen", "seen", "_has_choices")
    return [getattr(decoder, name) for name in names]


@each_of(wire=WIRE, **OWN)
def test_text_only_decoding_agrees_with_the_deltas_at_every_split(impl: ModuleType, cases: list[Case]) -> None:
    for case in cases:
        body = case["body"] if "body" in case else bytes_of(case)
        deltas = decoder_for(impl, case)
        outcome = run(deltas, [body])
        expected = texts_of(outcome.items), outcome.failure, summary(deltas)
        for pieces in splits(body):
            text = decoder_for(impl, case)
            found = run(text, pieces, text=True)
            assert (found.items, found.failure, summary(text)) == expected, case["name"]


def failing_piece(due: int | None, pieces: list[bytes]) -> int | None:
    """Return how many bytes had been fed when byte number ``due`` was in; ``None``: close has to say so."""
    fed = 0
    for piece in pieces:
        fed += len(piece)
        if due is not None and fed >= due:
            return fed
    return None


def check_summary(decoder: Any, deltas: list[Any]) -> None:
    """Check the decoder's properties against what it handed out."""
    finishes = [delta[7] for delta in deltas if delta[1] == 0 and delta[7] is not None]
    usages = [delta[8] for delta in deltas if delta[8] is not None]
    errors = [delta[9] for delta in deltas if delta[9] is not None]
    assert decoder.text == "".join(texts_of(deltas))
    assert decoder.deltas_seen == len(deltas)
    assert decoder.finish_reason == (finishes[-1] if finishes else None)
    assert decoder.usage == (usages[-1] if usages else None)
    assert decoder.error == (errors[-1] if errors else None)
    assert (decoder.ended == "error") is bool(errors)


def test_a_delta_comes_out_with_the_byte_that_completes_its_frame(impl: ModuleType) -> None:
    body = FIRST.replace(b"\n", b"\r\n") + FIRST.replace(b"\n", b"\r") + FIRST + DONE
    decoder = impl.StreamDecoder("openai.chat")
    outcome = run(decoder, [body[i : i + 1] for i in range(len(body))])
    first = len(FIRST) + 1
    assert outcome.at == [first, first + 1 + len(FIRST), first + 1 + 2 * len(FIRST)]


def test_the_end_is_known_with_the_byte_that_completes_it(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    decoder.feed(FIRST + DONE[:-1])
    assert (decoder.ended, decoder.done) == (None, False)
    decoder.feed(b"\n")
    assert (decoder.ended, decoder.done) == ("[DONE]", True)
    assert decoder.feed(b"data: {bad}\n\n") == []
    assert decoder.close() == []
    assert decoder.ended == "[DONE]"


def test_text_only_decoding_gives_one_string_for_each_delta(impl: ModuleType) -> None:
    body = b"".join(
        b'data: {"choices":[%s]}\n\n' % choice
        for choice in (
            b'{"text":"sun"},{"text":"other"}',
            b'{"index":1,"text":"other"}',
            b'{"text":"light"}',
            b'{"text":"","finish_reason":"stop"}',
        )
    )
    decoder = impl.StreamDecoder("openai.completions")
    assert decoder.feed_text(body + DONE) == ["sun", "light", ""]
    assert decoder.close_text() == []
    assert (decoder.text, decoder.finish_reason, decoder.deltas_seen) == ("sunlight", "stop", 5)


def test_an_instance_is_used_for_deltas_or_for_text(impl: ModuleType) -> None:
    message = "this StreamDecoder hands out deltas: text needs one of its own"
    decoder = impl.StreamDecoder("openai.chat")
    decoder.feed(b"")
    close = "this StreamDecoder hands out deltas: close it with close()"
    for call, expected in ((lambda: decoder.feed_text(FIRST), message), (decoder.close_text, close)):
        with pytest.raises(ValueError) as caught:
            call()
        assert str(caught.value) == expected
    assert [delta.text for delta in decoder.feed(FIRST)] == ["a"]
    message = "this StreamDecoder hands out text: deltas need one of their own"
    other = impl.StreamDecoder("openai.chat")
    other.feed_text(b"")
    close = "this StreamDecoder hands out text: close it with close_text()"
    for call, expected in ((lambda: other.feed(FIRST), message), (other.close, close)):
        with pytest.raises(ValueError) as caught:
            call()
        assert str(caught.value) == expected
    assert other.feed_text(FIRST) == ["a"]
    assert other.close_text() == []


def test_feed_checks_its_argument_then_the_end_then_the_mode_then_the_failure(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    assert decoder.feed(b"data: {bad}\n\n") == []
    with pytest.raises(TypeError, match=r"^feed_text\(\) takes bytes, not str$"):
        decoder.feed_text("x")
    with pytest.raises(ValueError, match="^this StreamDecoder hands out deltas"):
        decoder.feed_text(b"x")
    with pytest.raises(ValueError, match="^invalid JSON in the frame at byte 6$"):
        decoder.feed(b"x")
    closed = impl.StreamDecoder("openai.chat")
    closed.close()
    with pytest.raises(TypeError, match=r"^feed\(\) takes bytes, not NoneType$"):
        closed.feed(None)
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        closed.feed_text(b"x")
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        closed.feed(b"")


def test_what_close_had_decoded_before_its_error_is_on_the_error(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.completions")
    assert decoder.feed(b'{"choices":[{"text":"a"}]} x') == []
    with pytest.raises(ValueError, match="^invalid JSON in the body$") as caught:
        decoder.close()
    assert described(caught.value)["deltas_seen"] == len(caught.value.items) == 0  # type: ignore[attr-defined]
    assert caught.value is decoder.failure


def test_other_buffers_are_copied(impl: ModuleType) -> None:
    shared = bytearray(FIRST[:20])
    decoder = impl.StreamDecoder("openai.chat")
    decoder.feed(shared)
    shared[:] = b"#" * 20
    assert [delta.text for delta in decoder.feed(memoryview(FIRST[20:]))] == ["a"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["openai"], {}, "format must be one of FORMATS, not 'openai'"),
        ([None], {}, "format must be one of FORMATS, not None"),
        (["openai.chat"], {"surrogates": "keep"}, "surrogates must be one of 'join', 'replace', not 'keep'"),
        *(
            (["openai.chat"], {"n": n}, f"n must be an integer of at least 1, or None, not {n!r}")
            for n in (0, -1, True, 1.0, "1", [1])
        ),
        (["openai.chat"], {"max_event_size": 0}, "max_event_size must be at least 1 and below 2**63 bytes, not 0"),
    ],
)
def test_options_are_checked(impl: ModuleType, arguments: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        impl.StreamDecoder(*arguments, **options)
    assert str(caught.value) == message.replace("FORMATS", ", ".join(map(repr, FORMATS)))


def test_format_may_be_given_by_name_and_the_rest_must_be(impl: ModuleType) -> None:
    assert impl.StreamDecoder(format="openai.chat").ended is None
    with pytest.raises(TypeError):
        impl.StreamDecoder("openai.chat", "join")
    with pytest.raises(TypeError):
        impl.StreamDecoder()


def test_provider_objects_are_read_anew_or_alike_each_time(impl: ModuleType) -> None:
    body = b'data: {"choices":[{"delta":{},"logprobs":{"a":[1]}}],"usage":{"n":{"m":1}},"error":{"code":1}}\n\n'
    decoder = impl.StreamDecoder("openai.chat")
    logprobs, usage, error = decoder.feed(body)
    assert logprobs.logprobs == logprobs.logprobs == {"a": [1]}
    assert usage.usage == usage.usage == decoder.usage == {"n": {"m": 1}}
    assert error.error == decoder.error == {"code": 1, "message": "the provider sent an error without a message (1)"}


def test_after_a_failure_and_close_the_decoder_is_closed(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    assert decoder.feed(b"data: {bad}\n\n") == []
    for _ in range(2):
        with pytest.raises(ValueError, match="^invalid JSON in the frame at byte 6$") as caught:
            decoder.close()
        assert caught.value is decoder.failure
    with pytest.raises(ValueError, match=r"^feed\(\) after close\(\)$"):
        decoder.feed(b"x")
