"""Streams of llama.cpp's server, read by our decoder and models, beside its answers that do not stream."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# The folder of the tests, whose modules are named without it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from endings import aread
from millstream import ChatOpenAI, OpenAI
from millstream.errors import BadRequestError
from millstream.providers.anthropic.chat import ChatAnthropic

PROMPT = "the fish"
MESSAGES = [{"role": "user", "content": PROMPT}]
SCHEMA = {
    "title": "Pet",
    "type": "object",
    "properties": {"name": {"enum": ["the goldfish", "a fish"]}, "swims": {"type": "boolean"}},
    "required": ["name", "swims"],
}


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Run the server until all tests are over, and return its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    model = os.environ["LLAMACPP_MODEL"]
    options = ["--model", model, "--host", "127.0.0.1", "--port", str(port), "--ctx-size", "512", "--threads", "1"]
    command = [os.environ["LLAMACPP_SERVER"], *options, "--parallel", "1", "--no-webui"]
    # Its log is a file, which a test that fails leaves to be read.
    with (Path(model).parent / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(process, url)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the server has loaded its model."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"llama-server ended with {process.returncode}: see server.log")


def post(url: str, path: str, body: dict[str, Any]) -> bytes:
    """Return the body of the response, whatever its status."""
    headers = {"content-type": "application/json", "x-api-key": "none"}
    request = urllib.request.Request(f"{url}{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            read: bytes = response.read()
    except urllib.error.HTTPError as error:
        read = error.read()
    return read


def decode(impl: ModuleType, format: str, body: bytes, size: int) -> Any:
    """Return the decoder of ``format`` that has read ``body`` in pieces, with its text, reason and usage."""
    decoder = impl.StreamDecoder(format)
    deltas = [delta for at in range(0, len(body), size) for delta in decoder.feed(body[at : at + size])]
    deltas += decoder.close()
    text = "".join(delta.text or "" for delta in deltas)
    usage = [delta.usage for delta in deltas if delta.usage is not None]
    return decoder, text, [delta.finish_reason for delta in deltas if delta.finish_reason], usage


# Where the text, the reason and the counts are in an answer that does not stream, and what is asked for.
FORMATS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "llamacpp.completion": (
        "/completion",
        {"prompt": PROMPT, "n_predict": 40},
        lambda body: (body["content"], body["stop_type"], [body["tokens_evaluated"], body["tokens_predicted"]]),
    ),
    "openai.chat": (
        "/v1/chat/completions",
        {"messages": MESSAGES, "max_tokens": 40, "stream_options": {"include_usage": True}},
        lambda body: (
            body["choices"][0]["message"]["content"],
            body["choices"][0]["finish_reason"],
            [body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]],
        ),
    ),
    "openai.completions": (
        "/v1/completions",
        {"prompt": PROMPT, "max_tokens": 40},
        lambda body: (
            body["choices"][0]["text"],
            body["choices"][0]["finish_reason"],
            [body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]],
        ),
    ),
    "anthropic.messages": (
        "/v1/messages",
        {"messages": MESSAGES, "max_tokens": 40, "model": "m"},
        lambda body: (body["content"][0]["text"], body["stop_reason"], [body["usage"]["output_tokens"]]),
    ),
    "openai.responses": (
        "/v1/responses",
        {"input": PROMPT, "max_output_tokens": 40, "model": "m"},
        lambda body: (
            body["output"][0]["content"][0]["text"],
            body["status"],
            [body["usage"]["input_tokens"], body["usage"]["output_tokens"]],
        ),
    ),
}


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_is_the_answer_that_does_not_stream(server: str, impl: ModuleType, format: str, size: int) -> None:
    path, body, read = FORMATS[format]
    whole = json.loads(post(server, path, {**body, "temperature": 0, "stream": False}))
    text, reason, counts = read(whole)
    stream = post(server, path, {**body, "temperature": 0, "stream": True})
    for name in (format, "auto"):
        decoder, streamed, reasons, usages = decode(impl, name, stream, size)
        assert streamed == text
        assert len(text) > 40
        assert reasons == [reason]
        assert decoder.format == format
        assert decoder.ended == ("[DONE]" if format in ("openai.chat", "openai.completions") else "event")
        found = [count for usage in usages for count in usage.values()]
        assert [count for count in counts if count not in found] == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_whole_answer_is_read_by_the_decoder_of_its_streams(server: str, impl: ModuleType, format: str) -> None:
    path, body, read = FORMATS[format]
    answer = post(server, path, {**body, "temperature": 0, "stream": False})
    _, text, reasons, _ = decode(impl, format, answer, 1 << 16)
    assert (text, reasons) == (read(json.loads(answer))[0], [read(json.loads(answer))[1]])


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"n_predict": 5}, "limit"), ({"stop": ["fish", "ing"]}, "word"), ({"logit_bias": [[2, 20]]}, "eos")],
)
def test_every_way_in_which_an_answer_ends_is_reported(
    server: str, impl: ModuleType, options: dict[str, Any], reason: str
) -> None:
    body = {"prompt": PROMPT, "temperature": 0, "n_predict": 200, **options}
    whole = json.loads(post(server, "/completion", body))
    _, text, reasons, _ = decode(impl, "llamacpp.completion", post(server, "/completion", {**body, "stream": True}), 5)
    assert (text, reasons) == (whole["content"], [reason])
    assert whole["stop_type"] == reason


@pytest.mark.parametrize("pieces", ["🎣", "é日🐟", "a\u2028b", '\\"\n'])
def test_characters_of_several_tokens_and_odd_ones_arrive_whole(server: str, impl: ModuleType, pieces: str) -> None:
    grammar = f"root ::= ({json.dumps(pieces, ensure_ascii=False)}){{5}}"
    body = {"prompt": PROMPT, "temperature": 0, "n_predict": 90, "grammar": grammar}
    whole = json.loads(post(server, "/completion", body))
    stream = post(server, "/completion", {**body, "stream": True})
    assert decode(impl, "llamacpp.completion", stream, 3)[1] == whole["content"]
    assert whole["content"] == pieces * 5


def test_log_probabilities_do_not_hide_the_text(server: str, impl: ModuleType) -> None:
    body = {"prompt": PROMPT, "temperature": 0, "n_predict": 8, "n_probs": 2}
    whole = json.loads(post(server, "/completion", body))
    assert (
        decode(impl, "llamacpp.completion", post(server, "/completion", {**body, "stream": True}), 9)[1]
        == (whole["content"])
    )


def test_an_error_is_the_servers(server: str, impl: ModuleType) -> None:
    body = {"prompt": "é" * 3000, "stream": True}
    decoder, text, _, _ = decode(impl, "llamacpp.completion", post(server, "/completion", body), 11)
    assert (text, decoder.ended) == ("", "error")
    assert "exceeds the available context size" in decoder.error["message"]
    with pytest.raises(BadRequestError, match="exceeds the available context size"):
        list(OpenAI(base_url=f"{server}/v1", api_key="none").stream("é" * 3000))


# Models.


def chat(server: str, **arguments: Any) -> ChatOpenAI:
    given = {"base_url": f"{server}/v1", "api_key": "none", "model": "m", "temperature": 0, "max_tokens": 40}
    return ChatOpenAI(**{**given, **arguments})


@pytest.mark.parametrize("model", ["chat", "responses", "messages"])
def test_a_chat_model_streams_what_it_answers(server: str, model: str) -> None:
    models: dict[str, Any] = {
        "chat": lambda: chat(server, stream_usage=True),
        "responses": lambda: chat(server, use_responses_api=True),
        "messages": lambda: ChatAnthropic(base_url=server, api_key="none", model="m", temperature=0, max_tokens=40),
    }
    made = models[model]()
    whole = made.invoke(PROMPT)
    chunks = list(made.stream(PROMPT))
    merged = chunks[0] + chunks[1:]
    assert merged.text == whole.text
    assert len(chunks) > 20
    assert merged.usage_metadata["output_tokens"] == whole.usage_metadata["output_tokens"] == 40
    achunks = asyncio.run(aread(made.astream(PROMPT)))
    assert [chunk.text for chunk in achunks] == [chunk.text for chunk in chunks]
    records = b"".join(asyncio.run(aread(made.astream_records(PROMPT))))
    assert records.count(b"on_chat_model_stream") == len(chunks)
    made.close()


def test_a_completion_model_streams_what_it_answers(server: str) -> None:
    model = OpenAI(base_url=f"{server}/v1", api_key="none", model="m", temperature=0, max_tokens=40)
    assert "".join(model.stream(PROMPT)) == model.invoke(PROMPT)
    model.close()


def test_an_answer_that_fits_a_schema_grows_in_a_stream(server: str) -> None:
    model = chat(server, max_tokens=400)
    structured = model.with_structured_output(SCHEMA)
    objects = list(structured.stream(PROMPT))
    assert objects[-1] == structured.invoke(PROMPT)
    assert objects[-1].keys() == {"name", "swims"}
    assert len(objects) > 2
    model.close()


def test_a_stream_that_is_left_frees_the_servers_one_slot(server: str) -> None:
    for _ in chat(server, max_tokens=300).stream(PROMPT):
        break
    # The next request waits for the slot, which the server frees once the connection is closed.
    assert chat(server).invoke(PROMPT).text
