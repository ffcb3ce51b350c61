"""The mock server's embeddings, read by the clients of OpenAI and Ollama."""

import contextlib
import math

import httpx2
import ollama
import openai
import pytest

from millstream.testing import ErrorStatus, MockServer, Reply


def product(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_the_sdk_reads_vectors_of_length_1(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one text", "another", "one text"])
    assert [item.index for item in answer.data] == [0, 1, 2]
    vectors = [item.embedding for item in answer.data]
    assert [len(vector) for vector in vectors] == [1536] * 3
    assert vectors[0] == vectors[2] != vectors[1]
    assert [product(vector, vector) for vector in vectors] == pytest.approx([1.0] * 3)
    assert (answer.model, answer.usage.prompt_tokens) == ("text-embedding-3-small", 5)


def test_base64_and_floats_are_the_same_vectors(client: openai.OpenAI, mock_server: MockServer) -> None:
    floats = client.embeddings.create(model="m", input="text", encoding_format="float").data[0].embedding
    # What the SDK asks for where its user names no encoding.
    default = client.embeddings.create(model="m", input="text").data[0].embedding
    assert [request.body["encoding_format"] for request in mock_server.requests] == ["float", "base64"]
    assert default == pytest.approx(floats)


def test_texts_with_common_words_are_nearer(client: openai.OpenAI) -> None:
    texts = ["The cat sat on the mat.", "A cat sat on a mat", "Interest rates rose"]
    first, near, far = (item.embedding for item in client.embeddings.create(model="m", input=texts).data)
    assert product(first, near) > 0.4 > abs(product(first, far))


@pytest.mark.parametrize("text", ["", " ", "\U0001f642", "日本", "a" * 100_000])
def test_every_text_has_a_vector(text: str, client: openai.OpenAI) -> None:
    vector = client.embeddings.create(model="m", input=text, dimensions=3).data[0].embedding
    assert product(vector, vector) == pytest.approx(1.0)


def test_token_numbers_and_dimensions_are_accepted(client: openai.OpenAI) -> None:
    one = client.embeddings.create(model="m", input=[1, 2, 3], dimensions=8)
    assert [len(item.embedding) for item in one.data] == [8]
    two = client.embeddings.create(model="m", input=[[1, 2, 3], [4]], dimensions=8)
    assert two.data[0].embedding == one.data[0].embedding


def test_azure_has_them_under_its_own_path(mock_server: MockServer) -> None:
    azure = openai.AzureOpenAI(azure_endpoint=mock_server.origin, api_version="2024-10-21", api_key="k")
    with azure as client:
        assert len(client.embeddings.create(model="m", input="text").data[0].embedding) == 1536


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": "a"}, "model: Field required"),
        ({"model": "m"}, "input must be a string, or a list"),
        ({"model": "m", "input": []}, "input must be a string, or a list"),
        ({"model": "m", "input": ["a", 1]}, "input must be a string, or a list"),
        ({"model": "m", "input": "a", "dimensions": 0}, "dimensions must be an integer from 1 to 4096"),
        ({"model": "m", "input": "a", "encoding_format": "hex"}, "encoding_format must be "),
    ],
)
def test_an_invalid_request_is_refused(body: dict[str, object], message: str, mock_server: MockServer) -> None:
    answer = httpx2.post(f"{mock_server.url}/embeddings", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_they_have_the_faults_of_all_answers(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(429))
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="m", input="text")


def test_ollamas_client_reads_them(mock_server: MockServer) -> None:
    client = ollama.Client(host=mock_server.origin)
    with contextlib.closing(client._client):
        answer = client.embed(model="nomic-embed-text", input=["one", "two"])
        older = client.embeddings(model="nomic-embed-text", prompt="one")
    assert [len(vector) for vector in answer.embeddings] == [768, 768]
    assert list(older.embedding) == list(answer.embeddings[0])
