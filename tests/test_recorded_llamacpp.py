"""What llama.cpp's server streamed, in each format that it speaks, means what its whole answers say.

``millstream record`` wrote the file in front of ``llama-server`` b11434 with a model of random weights, at
temperature 1 with a seed, so that the text has halves of characters too. ``tests/llamacpp_suite`` runs such a server.
"""

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import anthropic
import httpx2
import openai
import pytest

import millstream
from formats import final_of
from millstream import ChatAnthropic, ChatOpenAI
from millstream.testing import Exchange, MockServer, Recording, Replay, load_recording

RECORDED = Path(__file__).parent / "recordings" / "llamacpp.jsonl"


FORMATS = {
    "llamacpp.completion": "/completion",
    "openai.completions": "/v1/completions",
    "openai.chat": "/v1/chat/completions",
    "anthropic.messages": "/v1/messages",
    "openai.responses": "/v1/responses",
}


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Return the recording."""
    return load_recording(RECORDED)


def pair(recording: Recording, place: str) -> tuple[Exchange, Exchange]:
    """Return the exchange of a path that streamed, and the one that did not."""
    streamed, whole = [one for one in recording.exchanges if one.path == place and one.status == 200]
    return streamed, whole


def decoded(impl: ModuleType, format_: str, pieces: list[bytes]) -> tuple[dict[str, Any], Any]:
    """Return what a decoder reads in ``pieces``, and the decoder."""
    decoder = impl.StreamDecoder(format_)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    deltas += decoder.close()
    return final_of(deltas, decoder), decoder


each_format = pytest.mark.parametrize(("name", "place"), FORMATS.items())


@each_format
def test_a_stream_has_the_text_and_the_end_of_the_whole_answer(
    impl: ModuleType, recording: Recording, name: str, place: str
) -> None:
    streamed, whole = pair(recording, place)
    one, decoder = decoded(impl, name, [streamed.body])
    other, _ = decoded(impl, name, [whole.body])
    said, whole_text = one["choices"]["0"].pop("text"), other["choices"]["0"].pop("text")
    # At its limit the server drops the half of a character that a whole answer has as U+FFFD.
    assert said in (whole_text, whole_text.rstrip("\ufffd"))
    assert len(said) > 20
    assert one["choices"] == other["choices"]
    assert (one["error"], decoder.failure) == (None, None)
    assert decoder.ended in ("[DONE]", "event")


@each_format
def test_however_the_bytes_are_cut_they_mean_the_same(
    impl: ModuleType, recording: Recording, name: str, place: str
) -> None:
    streamed, _ = pair(recording, place)
    body = streamed.body
    expected, _ = decoded(impl, name, [body])
    for size in (1, 2, 3, 7, 61, 4096):
        assert decoded(impl, name, [body[at : at + size] for at in range(0, len(body), size)])[0] == expected


@each_format
def test_the_first_payload_says_which_format_it_is(
    impl: ModuleType, recording: Recording, name: str, place: str
) -> None:
    streamed, _ = pair(recording, place)
    found, decoder = decoded(impl, "auto", [streamed.body])
    assert found == decoded(impl, name, [streamed.body])[0]
    assert decoder.format == name


def test_the_sdks_read_the_same_text(recording: Recording) -> None:
    def text(name: str, place: str) -> str:
        found, _ = decoded(millstream, name, [pair(recording, place)[0].body])
        return str(found["choices"]["0"]["text"])

    with MockServer(Replay(recording, speed=math.inf)) as server:
        with openai.OpenAI(base_url=server.url, api_key="k") as client:
            chunks = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
            said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            assert said == text("openai.chat", "/v1/chat/completions")
        with anthropic.Anthropic(base_url=server.origin, api_key="k") as claude:
            messages: Any = [{"role": "user", "content": "x"}]
            with claude.messages.stream(model="m", max_tokens=9, messages=messages) as stream:
                assert stream.get_final_text() == text("anthropic.messages", "/v1/messages")


def test_models_read_what_the_server_sent(recording: Recording) -> None:
    whole = json.loads(pair(recording, "/v1/chat/completions")[1].body)
    with MockServer(Replay(recording, speed=math.inf, chop="lines")) as server:
        model = ChatOpenAI(base_url=server.url, api_key="k", model="m")
        assert "".join(chunk.text for chunk in model.stream("x")) == whole["choices"][0]["message"]["content"]
        claude = ChatAnthropic(base_url=server.origin, api_key="k", model="m")
        whole = json.loads(pair(recording, "/v1/messages")[1].body)
        assert "".join(chunk.text for chunk in claude.stream("x")) == whole["content"][0]["text"]


def test_a_request_that_the_server_refused_has_the_same_status_again(recording: Recording) -> None:
    refused = next(one for one in recording.exchanges if one.status != 200)
    with MockServer(Replay(recording)) as server:
        answer = httpx2.post(server.origin + refused.path, content=refused.request_body)
    assert answer.status_code == refused.status
    assert "error" in answer.json()
