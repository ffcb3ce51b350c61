"""The mock server speaks each provider's format on the provider's own paths, with the faults of all."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from botocore.eventstream import EventStreamBuffer

from format_requests import FORMATS, FormatRequest, read
from millstream.testing import (
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    ErrorFrame,
    ErrorStatus,
    Fault,
    MockServer,
    Reply,
    Stall,
)

PIECES = ("Hel", "lo “", "é\n", " [}\u2028", "\\🙂")
each_format = pytest.mark.parametrize("asked", FORMATS, ids=lambda asked: f"{asked.name} {asked.path[-8:]}")


def named(name: str) -> FormatRequest:
    """Return the first request of a format."""
    return next(asked for asked in FORMATS if asked.name == name)


def contents(asked: FormatRequest, *replies: Reply) -> list[bytes]:
    """Return the body of a stream for each reply, from a server of its own: answers are numbered."""
    bodies = []
    for reply in replies:
        with MockServer(reply) as server:
            bodies.append(read(server, asked).content)
    return bodies


def strings(value: Any) -> Iterator[str]:
    """Yield every string in ``value``."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(item)


@each_format
def test_a_stream_has_the_content_type_of_its_provider(asked: FormatRequest, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    answer = read(mock_server, asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == asked.content_type


@each_format
def test_a_whole_answer_has_the_whole_text(asked: FormatRequest, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    answer = read(mock_server, asked, stream=False)
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert "".join(PIECES) in strings(answer.json())


@pytest.mark.parametrize(
    ("reply", "exact"),
    [
        (Reply(pieces=PIECES, bytes_per_write=3), True),
        (Reply(pieces=PIECES, pieces_per_write=4), True),
        (Reply(pieces=PIECES, framing="length"), True),
        (Reply(pieces=PIECES, framing="close"), True),
        (Reply(pieces=PIECES, fault=Drip(5)), True),
        (Reply(pieces=PIECES, fault=Chunking()), True),
        (Reply(pieces=PIECES, fault=Compress()), True),
        (Reply(pieces=PIECES, fault=Cut(2, "end")), False),
        (Reply(pieces=PIECES, done=False), False),
    ],
    ids=["bytes", "frames", "length", "close", "drip", "chunking", "compress", "cut", "without a mark"],
)
@each_format
def test_however_a_stream_is_sent_its_bytes_are_the_same(asked: FormatRequest, reply: Reply, exact: bool) -> None:
    whole, data = contents(asked, Reply(pieces=PIECES), reply)
    assert (data == whole) if exact else whole.startswith(data)


@each_format
def test_a_stall_sends_what_readers_pass_over(asked: FormatRequest) -> None:
    whole, data = contents(asked, Reply(pieces=PIECES), Reply(pieces=PIECES, fault=Endless(2, count=3)))
    at = next(i for i, (one, other) in enumerate(zip(whole, data, strict=False)) if one != other)
    added = len(data) - len(whole)
    # The first byte may be one that the frame behind it begins with.
    assert any(data[:at_] + data[at_ + added :] == whole for at_ in range(at + 1))
    assert added % 3 == 0


@each_format
def test_a_stalled_stream_continues_when_it_is_released(asked: FormatRequest, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES, fault=Stall(2))
    mock_server.release()
    read(mock_server, asked)
    assert mock_server.requests[-1].answered
    assert mock_server.requests[-1].pieces_sent == len(PIECES)


@pytest.mark.parametrize("fault", [Cut(2), Cut(2, "fin", inside=True), Cut("head", "fin")], ids=str)
@each_format
def test_a_stream_is_cut_where_the_fault_says(asked: FormatRequest, fault: Fault, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES, fault=fault)
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        read(mock_server, asked)
    assert mock_server.requests[-1].pieces_sent == (0 if fault == Cut("head", "fin") else 2)


@each_format
def test_an_error_comes_in_the_stream_after_its_pieces(asked: FormatRequest, mock_server: MockServer) -> None:
    mock_server.script.extend([Reply(pieces=PIECES), Reply(pieces=PIECES, fault=ErrorFrame(2, "too much to do"))])
    whole, data = (read(mock_server, asked).content for _ in range(2))
    assert b"too much to do" in data
    assert b"too much to do" not in whole
    assert mock_server.requests[-1].pieces_sent == 2
    mock_server.reply = Reply(fault=ErrorFrame(message="too much to do"))
    assert "too much to do" in strings(read(mock_server, asked, stream=False).json())


@each_format
def test_an_array_or_a_message_is_whole_after_an_error(asked: FormatRequest, mock_server: MockServer) -> None:
    for after in (0, 2):
        mock_server.reply = Reply(pieces=PIECES, fault=ErrorFrame(after))
        data = read(mock_server, asked).content
        if asked.content_type == "application/json":
            assert "error" in json.loads(data)[-1]
        if "amazon" in asked.content_type:
            *_, last = messages(data)
            assert last[":exception-type"] == "serviceUnavailableException"


@pytest.mark.parametrize(
    ("name", "body", "header"),
    [
        ("openai.responses", {"error": {"message": "slow", "type": "mock_error", "param": None, "code": None}}, ""),
        (
            "anthropic.messages",
            {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}, "request_id": "req_mock"},
            "request-id",
        ),
        ("gemini.generate", {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}, ""),
        ("cohere.v2", {"id": "mock", "message": "slow"}, ""),
        ("ollama.chat", {"error": "slow"}, ""),
        ("llamacpp.completion", {"error": {"code": 429, "message": "slow", "type": "invalid_request_error"}}, ""),
        ("tgi.generate", {"error": "slow", "error_type": "overloaded"}, ""),
        ("bedrock.converse", {"message": "slow"}, "x-amzn-errortype"),
    ],
)
def test_an_error_status_comes_with_the_body_of_the_provider(
    name: str, body: Any, header: str, mock_server: MockServer
) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(429, "slow", headers={"retry-after": "1"}))
    for stream in (True, False):
        answer = read(mock_server, named(name), stream=stream)
        assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (429, body, "1")
        assert not header or header in answer.headers


@each_format
def test_a_request_that_is_not_valid_is_refused_with_a_reason(asked: FormatRequest, mock_server: MockServer) -> None:
    for content in (b"", b"[]", b"null", b"{", b'{"stream": "yes", "messages": 3, "contents": 5, "model": 7}'):
        answer = httpx2.post(mock_server.origin + asked.path, content=content)
        assert answer.status_code == 400
        assert any(len(text) > 10 for text in strings(answer.json()))
    assert read(mock_server, asked).status_code == 200


@each_format
def test_the_samples_shorten_and_stop_as_the_request_says(asked: FormatRequest, mock_server: MockServer) -> None:
    limit = {
        "max_tokens": 3, "max_output_tokens": 3, "n_predict": 3,
        "generationConfig": {"maxOutputTokens": 3}, "options": {"num_predict": 3},
        "parameters": {"max_new_tokens": 3}, "inferenceConfig": {"maxTokens": 3},
    }  # fmt: skip
    path = asked.whole_path or asked.path
    answer = httpx2.post(mock_server.origin + path, json={**asked.body, **asked.whole, **limit})
    assert "\n\nSparkling" in strings(answer.json())


def test_a_model_in_the_path_names_a_fault(mock_server: MockServer) -> None:
    body: dict[str, Any] = {"contents": [], "messages": []}
    for path in (
        "/v1/models/fault:status:503:generateContent",
        "/model/fault%3Astatus%3A503/converse",
        "/openai/deployments/fault:status:503/chat/completions",
    ):
        assert httpx2.post(mock_server.origin + path, json=body).status_code == 503


def test_a_fault_that_does_not_fit_the_reply_is_a_400(mock_server: MockServer) -> None:
    mock_server.reply = Reply(body=b"{}", framing="length")
    answer = httpx2.post(f"{mock_server.url}/completions", headers={"x-mock-fault": "error:1"})
    assert answer.status_code == 400
    assert "framing must be another than 'length'" in answer.json()["error"]["message"]


def messages(data: bytes) -> list[dict[str, Any]]:
    """Return the headers of each message, and its payload; botocore checks lengths and checksums."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [{**message.headers, "payload": json.loads(message.payload)} for message in buffer]


def test_botocore_reads_every_message_of_an_event_stream(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES, reasoning=("hm",), tool_calls=[{"name": "f", "args": {"a": 1}}])
    kinds = [message[":event-type"] for message in messages(read(mock_server, named("bedrock.converse")).content)]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    assert kinds.count("contentBlockStart") == 1
    kinds = [message[":event-type"] for message in messages(read(mock_server, named("bedrock.anthropic")).content)]
    assert set(kinds) == {"chunk"}


def test_gemini_streams_events_that_end_in_crlf_or_one_pretty_array(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    events, array = (asked for asked in FORMATS if asked.name == "gemini.generate")
    data = read(mock_server, events).content
    frames = [json.loads(frame.removeprefix(b"data: ")) for frame in data.split(b"\r\n\r\n")[:-1]]
    assert b"\n" not in data.replace(b"\r\n", b"")
    whole = read(mock_server, array).text.replace("mock2", "mock1")
    assert json.loads(whole) == frames
    assert whole.startswith('[{\n  "candidates": [')
    assert whole.count("\n,\r\n{") == len(frames) - 1


def test_anthropic_pings_after_the_start_of_the_first_block(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["a"], reasoning=["b"], tool_calls=[{"name": "f"}])
    lines = read(mock_server, named("anthropic.messages")).text.split("\n")
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds.count("ping") == 1
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_a_stop_sequence_ends_the_text_and_is_the_reason(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one ", "two ", "three"])
    for name, options, reason in (
        ("anthropic.messages", {"stop_sequences": ["o "]}, "stop_sequence"),
        ("cohere.v2", {"stop_sequences": ["o "]}, "STOP_SEQUENCE"),
        ("llamacpp.completion", {"stop": ["o "]}, "word"),
        ("bedrock.converse", {"inferenceConfig": {"stopSequences": ["o "]}}, "stop_sequence"),
    ):
        asked = named(name)
        url = mock_server.origin + (asked.whole_path or asked.path)
        answer = list(strings(httpx2.post(url, json={**asked.body, **options}).json()))
        assert "one tw" in answer
        assert reason in answer


def test_the_usage_of_a_reply_replaces_what_is_counted(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["a"], usage={"input_tokens": 77, "cache_read_input_tokens": 70})
    usage = read(mock_server, named("anthropic.messages"), stream=False).json()["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (77, 70, 1)


def test_an_answer_of_several_candidates_or_prompts_takes_turns(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=lambda prompt, index: [f"{prompt}{index}", "!"])
    body = {"contents": [{"parts": [{"text": "p"}]}], "generationConfig": {"candidateCount": 2}}
    answer = httpx2.post(f"{mock_server.origin}/v1beta/models/m:generateContent", json=body).json()
    assert [one["content"]["parts"][0]["text"] for one in answer["candidates"]] == ["p0!", "p1!"]
    answer = httpx2.post(f"{mock_server.origin}/completion", json={"prompt": ["a", "b"]}).json()
    assert [one["content"] for one in answer] == ["a0!", "b0!"]


def test_arguments_that_are_no_object_are_an_error_of_the_test_where_the_format_has_objects() -> None:
    server = MockServer(Reply(tool_calls=[{"name": "f", "args": "{"}])).start()
    with pytest.raises(httpx2.HTTPError):
        read(server, named("ollama.chat"))
    with pytest.raises(ValueError, match="args of f must be an object"):
        server.stop()
