"""The mock server repeats the user's last message on request, and waits before the first piece."""

from typing import Any

import anthropic
import httpx2
import pytest

from format_requests import FORMATS, FormatRequest, read
from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI
from millstream.testing import MockServer, Reply

each_format = pytest.mark.parametrize("asked", FORMATS, ids=lambda asked: f"{asked.name} {asked.path[-8:]}")
CONVERSATION = [("system", "Be brief."), ("user", "first"), ("assistant", "no"), ("user", "the  last\none")]


def models(server: MockServer, name: str) -> list[Any]:
    return [
        ChatOpenAI(model=name, base_url=server.url, api_key="k"),
        ChatOpenAI(model=name, base_url=server.url, api_key="k", use_responses_api=True),
        ChatAnthropic(model=name, base_url=server.origin, api_key="k"),
        ChatGoogleGenerativeAI(model=name, base_url=server.origin, api_key="k"),
        ChatOllama(model=name, base_url=server.origin),
    ]


@pytest.mark.parametrize(("reply", "name"), [(Reply(echo=True), "m"), (Reply(), "echo")])
def test_the_last_message_of_the_user_is_the_answer(reply: Reply, name: str) -> None:
    with MockServer(reply) as server:
        for model in models(server, name):
            assert "".join(chunk.text for chunk in model.stream(CONVERSATION)) == "the  last\none"
            assert model.invoke(CONVERSATION).text == "the  last\none"
            assert [chunk.text for chunk in model.stream("one two") if chunk.text] == ["one", " two"]


@each_format
def test_every_format_repeats_what_it_is_asked(asked: FormatRequest) -> None:
    with MockServer(Reply(echo=True)) as server:
        # AWS's frames have the text in base64.
        if asked.name != "bedrock.anthropic":
            assert b"one" in read(server, asked).content
        assert b"one two" in read(server, asked, stream=False).content


def test_a_message_of_parts_is_repeated_as_text(mock_server: MockServer) -> None:
    parts: Any = [{"type": "text", "text": "look:"}, {"type": "text", "text": "a cat"}]
    with anthropic.Anthropic(base_url=mock_server.origin, api_key="k") as client:
        message = client.messages.create(model="echo", max_tokens=9, messages=[{"role": "user", "content": parts}])
    assert message.to_dict()["content"] == [{"type": "text", "text": "look: a cat"}]


def test_without_a_message_of_the_user_there_is_still_an_answer(mock_server: MockServer) -> None:
    body = {"model": "echo", "messages": [{"role": "system", "content": "Be brief."}]}
    answer = httpx2.post(f"{mock_server.url}/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == "Be brief."


@each_format
@pytest.mark.parametrize("stream", [True, False])
def test_the_first_piece_waits_and_the_others_do_not(asked: FormatRequest, stream: bool) -> None:
    with MockServer(Reply(first_delay=0.05)) as server:
        assert read(server, asked, stream=stream).status_code == 200
        (request,) = server.requests
        server.wait_until(lambda: request.seconds is not None)
        # Twenty pieces that all waited would take a second: too slow a machine for that fails no test.
        assert request.seconds is not None
        assert request.seconds >= 0.05


def test_an_error_does_not_wait() -> None:
    with MockServer(Reply(first_delay=60)) as server:
        answer = httpx2.post(f"{server.url}/completions", json={"prompt": "p", "model": "fault:status:503"})
        assert answer.status_code == 503


@pytest.mark.parametrize("delays", [{"pace": 61.0}, {"first_delay": -1.0}])
def test_a_delay_that_is_not_bounded_is_refused(delays: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(delays))} must be between 0 and 60 seconds"):
        Reply(**delays)
