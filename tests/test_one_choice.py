"""A model that requests one choice accepts it at any index."""

import asyncio
from typing import Any

import pytest

from endings import aread
from millstream import ChatOpenAI, OpenAI
from millstream.testing import MockServer, Reply

DONE = b"data: [DONE]\n\n"
CHAT = '{"index":%d,"delta":{"content":"%s"},"finish_reason":%s}'
COMPLETIONS = '{"index":%d,"text":"%s","finish_reason":%s}'
MODELS = [(ChatOpenAI, CHAT), (OpenAI, COMPLETIONS)]
ONE: list[dict[str, Any]] = [{}, {"n": 1}, {"extra_body": {"n": 1}}, {"extra_body": {"top_k": 1}}]
MORE: list[dict[str, Any]] = [{"n": 2}, {"extra_body": {"n": 2}}, {"n": 2, "extra_body": {"top_k": 1}}]


def build_body(choice: str, indices: list[int]) -> bytes:
    choices = [choice % (index, word, "null") for index, word in zip(indices, ("a", "b", "c"), strict=True)]
    choices.append(choice % (indices[-1], "", '"stop"'))
    return b"".join(b'data: {"choices":[%s]}\n\n' % text.encode() for text in choices) + DONE


def model_on(server: MockServer, cls: Any, **options: Any) -> Any:
    return cls(base_url=server.url, api_key="k", model="m", max_retries=0, **options)


def text_of(chunk: Any) -> str:
    return chunk if isinstance(chunk, str) else chunk.text


@pytest.mark.parametrize("options", ONE, ids=str)
@pytest.mark.parametrize("indices", [[1, 1, 1], [0, 1, 2], [7, 7, 7]], ids=str)
@pytest.mark.parametrize(("cls", "choice"), MODELS)
def test_one_choice_is_read_whatever_its_index(
    cls: Any, choice: str, indices: list[int], options: dict[str, Any]
) -> None:
    with MockServer(Reply(body=build_body(choice, indices))) as server:
        model = model_on(server, cls, **options)
        assert "".join(map(text_of, model.stream("p"))) == "abc"
        assert "".join(map(text_of, asyncio.run(aread(model.astream("p"))))) == "abc"
        assert text_of(model_on(server, cls, streaming=True, **options).invoke("p")) == "abc"


@pytest.mark.parametrize("options", MORE, ids=str)
@pytest.mark.parametrize(("cls", "choice"), MODELS)
def test_of_several_choices_the_first_is_streamed(cls: Any, choice: str, options: dict[str, Any]) -> None:
    with MockServer(Reply(body=build_body(choice, [1, 0, 1]))) as server:
        assert "".join(map(text_of, model_on(server, cls, **options).stream("p"))) == "b"


@pytest.mark.parametrize(("cls", "choice"), MODELS)
def test_the_n_of_a_call_overrides_the_models(cls: Any, choice: str) -> None:
    with MockServer(Reply(body=build_body(choice, [1, 0, 1]))) as server:
        assert "".join(map(text_of, model_on(server, cls).bind(n=2).stream("p"))) == "b"
        assert "".join(map(text_of, model_on(server, cls, n=2).bind(n=1).stream("p"))) == "abc"
