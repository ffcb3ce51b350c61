"""An end mark without a choice is not an answer: the same typed error in every method of a model."""

import asyncio
from typing import Any

import pytest

from endings import exhaust
from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from millstream.errors import StreamTruncatedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.testing import MockServer, Reply


class Failing(BaseCallbackHandler):
    def __init__(self) -> None:
        self.errors: list[Any] = []

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


class AsyncFailing(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.errors: list[Any] = []

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


def list_calls(model: Any, config: Any) -> list[Any]:
    chain = PromptTemplate.from_template("{p}") | model | StrOutputParser()
    prompts = ["p"] if isinstance(model, OpenAI) else [[("user", "p")]]
    return [
        lambda: model.invoke("p", config),
        lambda: asyncio.run(model.ainvoke("p", config)),
        lambda: list(model.stream("p", config)),
        lambda: asyncio.run(exhaust(model.astream("p", config))),
        lambda: list(model.stream_events("p", config, version="v2")),
        lambda: asyncio.run(exhaust(model.astream_events("p", config, version="v2"))),
        lambda: asyncio.run(exhaust(model.astream_events("p", config, version="v1"))),
        lambda: asyncio.run(exhaust(model.astream_records("p", config))),
        lambda: model.batch(["p", "q"], config),
        lambda: asyncio.run(model.abatch(["p", "q"], config)),
        lambda: model.generate(prompts, callbacks=config["callbacks"]),
        lambda: asyncio.run(model.agenerate(prompts, callbacks=config["callbacks"])),
        lambda: list(chain.stream({"p": "p"}, config)),
        lambda: asyncio.run(exhaust(chain.astream_events({"p": "p"}, config, version="v2"))),
    ]


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("handler", [None, Failing, AsyncFailing], ids=["no_listeners", "handler", "async handler"])
def test_an_end_mark_alone_is_the_same_error_in_every_method(cls: type[Any], streaming: bool, handler: Any) -> None:
    with MockServer(Reply(body=b"data: [DONE]\n\n")) as server:
        fields = {"streaming": True} if streaming else {}
        model = cls(base_url=server.url, api_key="k", **fields)
        for place, _ in enumerate(list_calls(model, {"callbacks": []})):
            recorder = handler() if handler else None
            way = list_calls(model, {"callbacks": [recorder] if recorder else []})[place]
            if streaming and cls is OpenAI and place in (8, 9):
                continue
            before = len(server.requests)
            with pytest.raises(StreamTruncatedError, match="^the server sent no choices$"):
                way()
            assert len(server.requests) - before in (1, 2)
            if recorder is not None:
                assert "the server sent no choices" in {str(error) for error in recorder.errors}
