"""The responses of the mock server, read by the OpenAI SDK."""

from typing import Any

import httpx2
import openai
import pytest

from millstream.testing import GOLDFISH, VERSE, MockServer, Reply, echo, split, varied
from mock_clients import post, texts


def test_the_default_text_is_the_sample_of_the_page(client: openai.OpenAI) -> None:
    assert texts(client) == list(VERSE)
    assert len(VERSE) == 29
    assert (VERSE[0], VERSE[-2:]) == ("\n\n", (" delight", ""))


def test_the_prompt_about_goldfish_has_its_own_sample(client: openai.OpenAI) -> None:
    assert texts(client, "Write me a 1 verse song about goldfish on the moon") == list(GOLDFISH)
    assert GOLDFISH[:3] == ("\n\n", "Sw", "imming")


def test_only_the_last_frame_has_a_finish_reason(client: openai.OpenAI) -> None:
    frames = list(client.completions.create(model="m", prompt="p", stream=True))
    reasons: list[str | None] = [frame.choices[0].finish_reason for frame in frames]
    assert reasons == [None] * 28 + ["stop"]
    assert {(frame.id, frame.object, frame.model) for frame in frames} == {("cmpl-mock1", "text_completion", "m")}


def test_chat_begins_with_a_role_and_ends_with_an_empty_delta(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "p"}], stream=True)
    deltas = [(frame.choices[0].delta.role, frame.choices[0].delta.content) for frame in stream]
    assert deltas == [("assistant", ""), *((None, piece) for piece in VERSE[:-1]), (None, None)]


def test_without_streaming_the_answer_is_one_document(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="m", prompt="p")
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("".join(VERSE), "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1, 28)
    chat = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "p"}])
    assert chat.choices[0].message.content == "".join(VERSE)


def test_a_batch_has_a_choice_for_each_prompt_and_each_n(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = Reply(pieces=echo)
    answer = client.completions.create(model="m", prompt=["one a", "two b"], n=2)
    assert [(choice.index, choice.text) for choice in answer.choices] == [
        (0, "one a"),
        (1, "1: one a"),
        (2, "two b"),
        (3, "1: two b"),
    ]


def test_choices_of_one_stream_take_turns(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = Reply(pieces=lambda prompt, index: ["ab"[index]] * (index + 1))
    stream = client.completions.create(model="m", prompt="p", stream=True, n=2)
    got = [(choice.index, choice.text, choice.finish_reason) for frame in stream for choice in frame.choices]
    assert got == [(0, "a", None), (1, "b", None), (0, "", "stop"), (1, "b", None), (1, "", "stop")]


def test_usage_comes_last_and_only_when_it_is_asked_for(client: openai.OpenAI) -> None:
    plain = list(client.completions.create(model="m", prompt="p", stream=True))
    assert all(frame.usage is None for frame in plain)
    frames = list(client.completions.create(model="m", prompt="p", stream=True, stream_options={"include_usage": True}))
    assert [frame.usage is not None for frame in frames] == [False] * 29 + [True]
    assert frames[-1].choices == []


def test_max_tokens_shortens_the_sample_and_says_length(mock_server: MockServer, client: openai.OpenAI) -> None:
    answer = client.completions.create(model="m", prompt="p", max_tokens=3)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("\n\nSparkling", "length")
    mock_server.reply = Reply(pieces=varied(300))
    assert len(texts(client, max_tokens=256)) == 301


def test_a_stop_sequence_ends_the_text_before_it(client: openai.OpenAI) -> None:
    assert "".join(texts(client, stop=" wat")) == "\n\nSparkling"
    assert "".join(texts(client, stop=["none of it", "ling"])) == "\n\nSpark"


def test_a_lone_surrogate_is_sent_escaped(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["\ud83c", "\udfa3", "é"])
    body = post(mock_server.url).content
    assert b'"text":"\\ud83c"' in body
    assert '"text":"é"'.encode() in body


def test_varied_text_is_the_same_for_the_same_seed() -> None:
    assert varied(50, seed=1) == varied(50, seed=1)
    assert varied(50, seed=1) != varied(50, seed=2)
    assert len("".join(varied(200)).encode()) > len("".join(varied(200)))


def test_split_text_joins_to_itself() -> None:
    text = " two  words\nand more \n"
    assert "".join(split(text)) == text
    assert split("a b") == ("a", " b")


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/nowhere", {}, 404, "no such route"),
        ("/completions", [], 400, "must be a JSON object"),
        ("/completions", {"prompt": 3}, 400, "prompt must be"),
        ("/completions", {"prompt": "p", "n": 0}, 400, "n must be"),
        ("/chat/completions", {"messages": "p"}, 400, "messages must be"),
    ],
)
def test_an_invalid_request_gets_an_error_response(
    mock_server: MockServer, path: str, body: Any, status: int, words: str
) -> None:
    response = httpx2.post(mock_server.url + path, json=body)
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_a_deployment_of_azure_answers_under_its_own_path(mock_server: MockServer) -> None:
    arguments: dict[str, Any] = {"azure_endpoint": mock_server.origin, "api_key": "k", "max_retries": 0}
    with openai.AzureOpenAI(**arguments, api_version="2024-10-21", azure_deployment="d") as client:
        completion = client.chat.completions.create(model="", messages=[{"role": "user", "content": "p"}])
        assert completion.model == "d"
        assert "".join(texts(client)) == completion.choices[0].message.content


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["mock"]
