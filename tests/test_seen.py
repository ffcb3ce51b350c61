"""What a decoder says of a stream that came to nothing: the format it has, or what was seen of it."""

import asyncio
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each, load_wire
from endings import exhaust
from millstream import ChatOpenAI, OpenAI
from millstream.errors import StreamDecodeError, StreamTruncatedError
from millstream.testing import MockServer, Reply
from millstream.testing.memory import MemoryTransport
from streams import run, splits

CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}'
OTHERS = load_wire(
    *("anthropic.messages", "cohere.v2", "gemini.generate", "llamacpp.completion", "ollama.chat", "ollama.generate"),
    *("openai.responses", "tgi.generate"),
)
SEEN = [
    (b"", "no frames, no bytes"),
    (b": ping\n\n: ping\n\n", "no frames, beginning with b': ping\\n\\n: ping\\n\\n'"),
    (CHAT * 3, f"no frames, no line ends, beginning with {CHAT[:64]!r}"),
    (b"\xef\xbb\xbf" + CHAT * 2, f"no frames, no line ends, beginning with {(bytes([239, 187, 191]) + CHAT)[:64]!r}"),
    ((CHAT + b"\n") * 2, f"no frames, no blank lines, beginning with {CHAT[:64]!r}"),
    (b"Service unavailable", "no frames, no line ends, beginning with b'Service unavailable'"),
    (b"[1, 2]\n\n", "no frames, beginning with b'[1, 2]\\n\\n'"),
    (CHAT, "1 frame, none with fields of openai.completions, the first with the keys 'choices', no line ends"),
    ((CHAT + b"\r\n\r\n") * 3, "3 frames, none with fields of openai.completions, the first with the keys 'choices'"),
    (b"event: ping\ndata: 1\n\n", "1 frame, none with fields of openai.completions, the first with the event 'ping'"),
    (b"data: \n\n", "1 frame, none with fields of openai.completions"),
    (b'data: {"choices":[{"text":"a"}]}\n\n' * 5, "5 frames, the first with the keys 'choices'"),
    (b"<html>", "no frames, no bytes"),
]


@pytest.mark.parametrize(("body", "words"), SEEN, ids=[words[:60] for _, words in SEEN])
def test_what_was_seen_is_said_alike_at_every_split(impl: ModuleType, body: bytes, words: str) -> None:
    for pieces in splits(body):
        decoder = impl.StreamDecoder("openai.completions")
        run(decoder, pieces)
        assert decoder.seen == words


def test_many_and_long_keys_are_cut(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    keys = ["k" * 100, *map(str, range(20))]
    decoder.feed(b"data: {%s}\n\n" % ",".join(f'"{key}":1' for key in keys).encode())
    shown = ", ".join(map(repr, ["k" * 40, *map(str, range(7))]))
    assert decoder.seen == f"1 frame, none with fields of openai.chat, the first with the keys {shown}"


@each([case for case in OTHERS if case["final"]["ended"] != "error"])
@pytest.mark.parametrize("format_", ["openai.chat", "openai.completions"])
def test_a_stream_of_another_format_is_called_by_its_name(impl: ModuleType, case: Case, format_: str) -> None:
    decoder = impl.StreamDecoder(format_)
    outcome = run(decoder, [case["body"]])
    if case["body"].startswith(b"[") or b"[DONE]" in case["body"]:
        assert (outcome.failure, decoder._has_choices) == (None, False)
    else:
        assert outcome.failure is not None
        assert outcome.failure["message"] == f"the stream's format is {case['format']}, not {format_}"


@pytest.mark.parametrize(
    ("body", "format_"),
    [
        (b'{"id":"m","type":"message","content":[{"type":"text","text":"hi"}]}', "anthropic.messages"),
        (b'{"id":"r","object":"response","output":[]}', "openai.responses"),
        (b'{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}', "gemini.generate"),
        (b'{"model":"m","message":{"content":"hi"},"done":true}', "ollama.chat"),
    ],
)
def test_a_whole_answer_of_another_format_is_called_by_its_name(impl: ModuleType, body: bytes, format_: str) -> None:
    message = f"the stream's format is {format_}, not openai.chat"
    for pieces in splits(body):
        outcome = run(impl.StreamDecoder("openai.chat"), pieces)
        assert outcome.failure is not None
        assert outcome.failure["message"] == message
    model = ChatOpenAI(model="m", api_key="k", http_client=MemoryTransport([body]))
    calls: list[Callable[[str], Any]] = [model.invoke, lambda prompt: list(model.stream(prompt))]
    for call in calls:
        with pytest.raises(StreamDecodeError, match=f"^{message}$"):
            call("p")


# Errors that stand where no other format looks for one.
INNER = ("cohere-v2-error.sse", "gemini-json-array-error.json", "openai-responses-failed.sse")


@each([case for case in OTHERS if case["final"]["ended"] == "error" and case["file"] not in INNER])
def test_an_error_in_a_stream_of_another_format_is_reported(impl: ModuleType, case: Case) -> None:
    decoder = impl.StreamDecoder("openai.chat")
    run(decoder, [case["body"]])
    assert (decoder.ended, decoder.error["message"]) == ("error", case["final"]["error"]["message"])


# Models.

BODIES: list[tuple[bytes, type[Exception], str]] = [
    (b"data: [DONE]\n\n", StreamTruncatedError, "^the server sent no choices$"),
    (b'data: {"usage":{"n":1}}\n\ndata: [DONE]\n\n', StreamTruncatedError, "^the server sent no choices$"),
    (b'data: {"choices":[]}\n\ndata:  [DONE] \n\n', StreamTruncatedError, "^the server sent no choices$"),
    (b"", StreamTruncatedError, r"^the stream ended before its end mark \(no frames, no bytes\)$"),
    (CHAT * 2 + b"data: [DONE]", StreamTruncatedError, "no line ends, beginning with"),
    (b'data: {"candidates":[]}\n\n', StreamDecodeError, "^the stream's format is gemini.generate, not openai"),
    (b'{"message":{},"done":false}\n{"message":{},"done":true}\n', StreamDecodeError, "ollama.chat"),
]


def ways(model: Any) -> list[Callable[[], Any]]:
    """Return every way to have an answer streamed."""

    return [
        lambda: list(model.stream("p")),
        lambda: model.invoke("p"),
        lambda: asyncio.run(exhaust(model.astream("p"))),
        lambda: asyncio.run(exhaust(model.astream_events("p", version="v2"))),
        lambda: asyncio.run(model.ainvoke("p")),
    ]


@pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize(("body", "error", "message"), BODIES)
def test_an_answer_of_nothing_is_an_error_in_every_way_alike(
    kind: Any, transport: str, body: bytes, error: type[Exception], message: str
) -> None:
    from millstream.callbacks import BaseCallbackHandler

    reply = Reply(body=body, content_type="text/event-stream")
    for callbacks in ([], [BaseCallbackHandler()]):
        with MockServer(reply) as server:
            options = {"base_url": server.url, "api_key": "k", "transport": transport, "callbacks": callbacks}
            for way in ways(kind(model="m", streaming=True, max_retries=0, **options)):
                with pytest.raises(error) as caught:
                    way()
                assert re.search(message, str(caught.value))


@pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])
def test_an_end_mark_alone_is_not_tried_again(kind: Any) -> None:
    with MockServer(Reply(body=b"data: [DONE]\n\n", content_type="text/event-stream")) as server:
        model = kind(model="m", base_url=server.url, api_key="k", max_retries=2)
        with pytest.raises(StreamTruncatedError):
            list(model.stream("p"))
        assert len(server.requests) == 1
