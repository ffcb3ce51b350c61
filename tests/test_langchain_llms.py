"""``OpenAI`` of ``integrations.langchain`` beside langchain-openai's: equal texts, chunks, results and errors."""

import asyncio
import copy
import json
import pickle
from types import ModuleType
from typing import Any

import httpx2
import langchain_openai as theirs
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.outputs import GenerationChunk
from pydantic import SecretStr

import millstream.integrations.langchain as ours
import millstream.providers.stream_decoding
from langchain_llms import apair, both, clients_over, collect, completion, describe, events, over, pair
from langchain_peer import KEY
from millstream.errors import ProviderError, StreamTruncatedError
from millstream.integrations.langchain.completion_stream import build_chunk
from millstream.testing import Cut, ErrorStatus, MockServer, Redirect, Reply, Stall

METHODS = pytest.mark.parametrize("method", ["stream", "astream", "_stream", "_astream"])
LOGPROBS = {"tokens": ["a"], "token_logprobs": [-1], "text_offset": [0]}
PAYLOADS: list[Any] = [
    completion(text="a"),
    completion(text=" é\n"),
    completion(text=""),
    completion(finish_reason="stop"),
    completion(text="b", finish_reason="length"),
    completion(text="d", logprobs=LOGPROBS),
    completion(text="e", logprobs={**LOGPROBS, "top_logprobs": [{"a": -0.5}], "content": 1}),
    completion(text="f", matched_stop=7),
    completion(text=None),
    {**completion(text="g"), "id": "cmpl-1", "model": "x", "system_fingerprint": "fp"},
    {**completion(text="h"), "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
    {"choices": [], "prompt_filter_results": []},
]
END = completion(finish_reason="stop")


@pytest.fixture
def decoder(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let streams be decoded by each half of the core in turn."""
    monkeypatch.setattr(millstream.providers.stream_decoding, "StreamDecoder", impl.StreamDecoder)


def of_both(*reads: bytes, method: str, **given: Any) -> tuple[list[Any], list[Any]]:
    """Return what a stream of ours yields, and what one of langchain-openai's does, over the same bytes."""
    found = [collect(over(library, *reads, **given), method, "p") for library in (ours, theirs)]
    return found[0], found[1]


@METHODS
@pytest.mark.usefixtures("decoder")
@given(payloads=st.lists(st.sampled_from(PAYLOADS), max_size=6), size=st.integers(1, 200))
def test_any_stream_yields_what_langchain_openais_yields(method: str, payloads: list[Any], size: int) -> None:
    finished = [place for place, payload in enumerate(payloads) if _reason(payload)]
    payloads = [*(payload for place, payload in enumerate(payloads) if place not in finished), END]
    body = events(*payloads)
    reads = [body[at : at + size] for at in range(0, len(body), size)]
    mine, peers = of_both(*reads, method=method)
    assert list(map(describe, mine)) == list(map(describe, peers))
    assert pickle.dumps(mine) == pickle.dumps(copy.deepcopy(mine))
    assert pickle.loads(pickle.dumps(mine)) == mine


def _reason(payload: Any) -> Any:
    return payload["choices"] and payload["choices"][0]["finish_reason"]


@pytest.mark.parametrize("info", [None, {"finish_reason": None, "logprobs": None}, {"finish_reason": "stop"}])
def test_a_chunk_that_was_not_validated_is_as_one_that_was(info: Any) -> None:
    chunk = build_chunk("a", info)
    peer = GenerationChunk(text="a") if info is None else GenerationChunk(text="a", generation_info=info)
    assert describe(chunk) == describe(peer)
    assert list(vars(chunk)) == list(vars(peer))
    assert describe(chunk + chunk) == describe(peer + peer)
    assert describe(pickle.loads(pickle.dumps(chunk))) == describe(copy.deepcopy(chunk)) == describe(peer)


# Repairs.


@METHODS
def test_a_finish_reason_that_comes_twice_counts_once(method: str) -> None:
    payloads = completion(text="a", finish_reason="stop"), completion(finish_reason="stop")
    mine, peers = of_both(events(*payloads), method=method)
    assert [str(getattr(chunk, "text", chunk)) for chunk in mine] == ["a", ""]
    if method.startswith("_"):
        assert (mine[0] + mine[1]).generation_info["finish_reason"] == "stop"
        assert (peers[0] + peers[1]).generation_info["finish_reason"] == "stopstop"


@METHODS
@pytest.mark.usefixtures("decoder")
def test_the_halves_of_a_character_are_joined(method: str) -> None:
    reads = events('{"choices":[{"text":"a\\ud83d"}]}', '{"choices":[{"text":"\\ude00"}]}', END)
    mine, peers = of_both(reads, method=method)
    assert "".join(str(getattr(chunk, "text", chunk)) for chunk in mine) == "a😀"
    assert "".join(str(getattr(chunk, "text", chunk)) for chunk in peers) == "a\ud83d\ude00"


@METHODS
@pytest.mark.parametrize("library", [theirs, ours])
def test_a_stream_of_several_choices_is_choice_0(method: str, library: Any) -> None:
    payloads = [completion(text=f"{index}", index=index) for index in (0, 1, 0, 1)]
    ends = [completion(index=index, finish_reason="stop") for index in (1, 0)]
    mine = collect(over(library, events(*payloads, *ends), n=2), method, "p")
    text = "".join(str(getattr(chunk, "text", chunk)) for chunk in mine)
    assert text == ("00" if library is ours else "0101")


@METHODS
def test_a_stream_that_ends_early_raises_a_connection_error(method: str) -> None:
    mine, peers = of_both(events(completion(text="a"), done=False), method=method)
    assert len(mine) == len(peers) + 1
    assert type(mine[-1]) is openai.APIConnectionError
    assert isinstance(mine[-1].__cause__, StreamTruncatedError)
    assert mine[-1].__cause__.text == "a"


# Errors.


@METHODS
def test_an_end_mark_alone_raises_what_langchain_raises(method: str) -> None:
    mine, peers = of_both(events(), method=method)
    assert list(map(describe, mine)) == list(map(describe, peers))
    assert bool(mine) is not method.startswith("_")


@METHODS
@pytest.mark.parametrize("error", [{"message": "no", "code": 5}, {"type": "t"}], ids=str)
def test_an_error_in_a_stream_is_the_sdks(method: str, error: dict[str, Any]) -> None:
    mine, peers = of_both(events(completion(text="a"), {"error": error}), method=method)
    assert [type(output) for output in mine] == [type(output) for output in peers]
    assert describe(mine[-1]) == describe(peers[-1])
    assert isinstance(mine[-1].__cause__, ProviderError)


@METHODS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_an_error_status_is_the_sdks_exception(method: str, status: int) -> None:
    body = json.dumps({"error": {"message": "no", "type": "t", "param": None, "code": "c"}}).encode()
    mine, peers = of_both(body, method=method, status=status, content_type="application/json")
    assert list(map(describe, mine)) == list(map(describe, peers))
    assert isinstance(mine[-1], openai.APIStatusError)
    assert mine[-1].response.text == body.decode()


def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    with MockServer() as server:
        url = server.url

    async def astream() -> list[Any]:
        async with apair(url, max_retries=0) as models:
            return [await abroken(model) for model in models]

    async def abroken(model: Any) -> Any:
        with pytest.raises(openai.OpenAIError) as raised:
            await anext(aiter(model.astream("p")))
        return describe(raised.value)

    with pair(url, max_retries=0) as models:
        peer, mine = both(lambda model: list(model.stream("p")), *models)
        assert mine == peer == both(lambda model: model.invoke("p"), models[1])[0]
        assert mine[0] is openai.APIConnectionError
    assert asyncio.run(astream()) == [peer, peer]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *[(Stall(after=2), openai.APITimeoutError), (Stall("request"), openai.APITimeoutError)],
        *[(Cut(place, how), openai.APIConnectionError) for place in ("request", "head", 2) for how in ("reset", "fin")],
    ],
    ids=repr,
)
def test_a_connection_that_stalls_or_breaks_is_the_sdks_exception(fault: Any, kind: type) -> None:
    with MockServer(Reply(fault=fault)) as server, pair(server.url, timeout=0.3, max_retries=0) as models:
        peer, mine = (collect(model, "stream", "p") for model in models)
    assert mine[:-1] == peer[:-1]
    assert (type(mine[-1]), type(peer[-1])) == (kind, kind)


@pytest.mark.parametrize(
    "fault", [ErrorStatus(429, headers={"retry-after-ms": "1"}), Redirect(307, "/v1/completions")], ids=["429", "307"]
)
def test_a_request_is_sent_again_as_by_the_sdk(fault: Any) -> None:
    for call in (lambda model: list(model.stream("p")), lambda model: model.invoke("p")):
        counts = []
        for library in (theirs, ours):
            with MockServer(script=[Reply(fault=fault)]) as server:
                model: Any = library.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
                call(model)
                model.client._client.close()
                counts.append([request.headers.get("x-stainless-retry-count") for request in server.requests])
        assert counts[0] == counts[1]
        assert len(counts[0]) == 2


# Whole answers.


@pytest.mark.parametrize(
    "fields", [{}, {"n": 2, "best_of": 3}, {"batch_size": 1}, {"logprobs": 1}, {"streaming": True}]
)
def test_results_are_langchain_openais(fields: dict[str, Any]) -> None:
    prompts = ["a"] if "streaming" in fields else ["a", "b", "c"]

    async def generate(url: str) -> list[Any]:
        async with apair(url, **fields) as models:
            return [(await model.agenerate(prompts)).model_dump(exclude={"run"}) for model in models]

    with MockServer() as server, pair(server.url, **fields) as models:
        peer, mine = both(lambda model: model.generate(prompts, stop=["x"]).model_dump(exclude={"run"}), *models)
        assert mine == peer
        assert models[1].invoke("a") == models[0].invoke("a")
        peer, mine = asyncio.run(generate(server.url))
        assert mine == peer


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"error": {"message": "no"}, "choices": None}, "application/json"),
        ({"choices": None}, "application/json"),
        ({"choices": []}, "application/json"),
        ({**completion(text="a"), "usage": {"total_tokens": 1}, "system_fingerprint": "f"}, "application/json"),
        ("<html>", "text/html"),
        ("{", "application/json"),
    ],
    ids=str,
)
def test_odd_answers_return_and_raise_what_langchain_does(body: Any, content_type: str) -> None:
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()

    def generate(model: Any) -> Any:
        return model.generate(["a"]).model_dump(exclude={"run"})

    def agenerate(model: Any) -> Any:
        return asyncio.run(model.agenerate(["a"])).model_dump(exclude={"run"})

    models = [over(library, raw, content_type=content_type) for library in (theirs, ours)]
    for call in (generate, agenerate):
        peer, mine = both(call, *models)
        assert mine == peer


def test_a_broken_answer_is_a_connection_error() -> None:
    with MockServer(Reply(fault=Cut(after=0))) as server, pair(server.url, max_retries=0) as models:
        peer, mine = both(lambda model: model.invoke("p"), *models)
        assert mine == peer
        assert mine[0] is openai.APIConnectionError


# Requests.

REQUESTS: list[dict[str, Any]] = [
    {},
    {"temperature": 0, "max_tokens": 5, "seed": 3, "logit_bias": {"1": 2}, "logprobs": 2, "best_of": 1},
    {"extra_body": {"min_p": 0.1}, "model_kwargs": {"suffix": "x"}, "default_headers": {"X-A": "b"}},
    {"default_query": {"q": "1"}, "organization": "org", "timeout": 20, "n": 2, "model": "other"},
]


@pytest.mark.parametrize("fields", REQUESTS, ids=str)
@pytest.mark.parametrize("method", ["stream", "astream", "invoke", "ainvoke"])
def test_requests_are_langchain_openais(fields: dict[str, Any], method: str) -> None:
    async def call(model: Any) -> None:
        kwargs: Any = {"stop": ["y"], "presence_penalty": 1}
        if method == "astream":
            _ = [text async for text in model.astream("p", **kwargs)]
        elif method == "stream":
            _ = list(model.stream("p", **kwargs))
        elif method == "ainvoke":
            await model.ainvoke("p", **kwargs)
        else:
            model.invoke("p", **kwargs)

    async def main(url: str) -> None:
        async with apair(url, **fields) as models:
            for model in models:
                await call(model)

    with MockServer() as server:
        asyncio.run(main(server.url))
        first, second = server.requests
    assert second.data == first.data
    assert second.path == first.path
    ignored = ("accept-encoding", "host", "x-stainless-read-timeout")
    assert {name: first.headers.get(name) for name in second.headers if name not in ignored} == {
        name: value for name, value in second.headers.items() if name not in ignored
    }


def test_an_unknown_argument_raises_what_langchain_raises() -> None:
    models = [over(library, events(END)) for library in (theirs, ours)]
    for call in (lambda model: list(model.stream("p", nothing=1)), lambda model: model.invoke("p", nothing=1)):
        peer, mine = both(call, *models)
        assert mine == peer
        assert mine[0] is TypeError


def test_azure_requests_and_answers_are_langchain_openais() -> None:
    requests: list[Any] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        requests.append((request.url, request.content, request.headers["api-key"]))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=events(*PAYLOADS))

    fields: Any = {"azure_endpoint": "http://memory", "azure_deployment": "d", "api_version": "2024-02-01"}
    peer, model = (
        library.AzureOpenAI(api_key=SecretStr(KEY), **fields, **clients_over(respond)) for library in (theirs, ours)
    )
    assert list(model.stream("p")) == list(peer.stream("p"))
    assert requests[1] == requests[0]
    assert dumps(model.lc_id()) == dumps(peer.lc_id())


# The same classes to an app.


def test_models_are_langchains_in_all_that_apps_look_at() -> None:
    peer, model = (
        library.OpenAI(api_key=SecretStr(KEY), temperature=0, base_url="http://h/v1") for library in (theirs, ours)
    )
    assert isinstance(model, theirs.OpenAI)
    assert dumps(model) == dumps(peer)
    assert (model.lc_id(), model.get_name(), model.asdict()) == (peer.lc_id(), peer.get_name(), peer.asdict())
    assert model.model_dump() == peer.model_dump()
    assert model._get_ls_params() == peer._get_ls_params()
    assert str(type(model).model_fields) == str(type(peer).model_fields)


@pytest.mark.parametrize("fields", [{"n": 0}, {"n": 2, "streaming": True}, {"best_of": 2, "streaming": True}])
def test_arguments_are_refused_as_by_langchain(fields: dict[str, Any]) -> None:
    found = [str(both(lambda library: over(library, **fields), library)[0]) for library in (theirs, ours)]
    assert found[0] == found[1]
