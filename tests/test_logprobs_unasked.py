"""Log probabilities that a completions server sends, asked for or not: a run ends with their sum, as LangChain."""

import asyncio
from typing import Any

import pytest

from endings import aread
from langchain_peer import apeer, normalize_events
from millstream import OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.testing import MockServer, Reply


def logprobs_of(token: str, logprob: float) -> str:
    return f'"logprobs":{{"text_offset":null,"token_logprobs":[{logprob}],"tokens":["{token}"],"top_logprobs":null}}'


FRAMES = [
    f'data: {{"choices":[{{"index":0,"text":"a",{logprobs_of("a", -0.5)}}}]}}\n\n',
    'data: {"choices":[{"index":0,"text":"plain"}]}\n\n',
    f'data: {{"choices":[{{"index":0,"text":"b",{logprobs_of("b", -0.25)},"finish_reason":"stop"}}]}}\n\n',
    "data: [DONE]\n\n",
]
SUM = {"text_offset": None, "token_logprobs": [-0.5, -0.25], "tokens": ["a", "b"], "top_logprobs": None}


class Ends(BaseCallbackHandler):
    def __init__(self) -> None:
        self.results: list[Any] = []

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.results.append(response)


@pytest.mark.parametrize("asked", [{}, {"logprobs": 1}], ids=repr)
@pytest.mark.parametrize("transport", ["native", "httpx2"])
def test_a_run_ends_with_the_sum_of_the_log_probabilities(asked: dict[str, Any], transport: str) -> None:
    with MockServer(Reply(body=[frame.encode() for frame in FRAMES])) as server:
        model = OpenAI(base_url=server.url, api_key="k", transport=transport, **asked)
        for events in (
            list(model.stream_events("p", version="v2")),
            asyncio.run(aread(model.astream_events("p", version="v2"))),
        ):
            generation = events[-1]["data"]["output"]["generations"][0][0]
            assert generation["text"] == "aplainb"
            assert generation["generation_info"] == {"finish_reason": "stop", "logprobs": SUM}
        ends = Ends()
        list(model.stream("p", {"callbacks": [ends]}))
        streaming = OpenAI(base_url=server.url, api_key="k", streaming=True, **asked)
        ends.results += [streaming.generate(["p"]), asyncio.run(streaming.agenerate(["p"]))]
        for result in ends.results:
            assert result.generations[0][0].generation_info == {"finish_reason": "stop", "logprobs": SUM}


def test_the_events_are_langchains() -> None:
    async def both(server: MockServer) -> tuple[list[Any], list[Any]]:
        async with apeer(server.url) as theirs:
            expected = await aread(theirs.astream_events("p", version="v2"))
        return await aread(OpenAI(base_url=server.url, api_key="k").astream_events("p", version="v2")), expected

    with MockServer(Reply(body=[frame.encode() for frame in FRAMES])) as server:
        own, expected = asyncio.run(both(server))
    assert normalize_events(own)[-1] == normalize_events(expected)[-1]
