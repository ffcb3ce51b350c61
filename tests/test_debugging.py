"""After ``set_debug(True)`` all runs are printed, in the format of LangChain's console handler."""

import asyncio
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models import FakeListChatModel as TheirChatModel
    from langchain_core.language_models import FakeListLLM as TheirLLM
    from langchain_core.runnables import RunnableLambda as TheirLambda
    from langchain_core.tracers.stdout import ConsoleCallbackHandler

from millstream import OpenAI
from millstream.callbacks import CallbackManager
from millstream.callbacks.console import ConsoleHandler, console_handler
from millstream.globals import set_debug
from millstream.language_models import FakeListChatModel, FakeListLLM
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, MockServer
from test_retrievers import LIBRARIES, make_retrievers


@pytest.fixture
def debugging() -> Iterator[None]:
    set_debug(True)
    try:
        yield
    finally:
        set_debug(False)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the standard output without times and ids."""
    text = re.sub(r"\[[\d.]+m?s\]", "[time]", capsys.readouterr().out)
    return re.sub(r"[\da-f]{8}-[\da-f-]{27}", "id", text)


def fail(value: str) -> str:
    raise KeyError(value)


def use(llm: Any, lambda_class: Any, config: Any) -> None:
    outer = lambda_class(lambda value, config: {"text": llm.invoke(value, config)})
    outer.invoke("é", {**config, "run_name": "outer"})
    with pytest.raises(KeyError):
        lambda_class(fail).invoke("x", config)


def test_runs_are_printed_as_langchains_handler_prints_them(
    capsys: pytest.CaptureFixture[str], debugging: None
) -> None:
    use(TheirLLM(responses=["ö"]), TheirLambda, {"callbacks": [ConsoleCallbackHandler()]})
    theirs = printed(capsys)
    use(FakeListLLM(responses=["ö"]), RunnableLambda, {})
    ours = printed(capsys)
    # LangChain prints tracebacks, and nulls of results.
    shorten = [
        r"KeyError\(\'x\'\).*",
        r',\n  "llm_output": null,\n  "run": null,\n  "type": "LLMResult"',
        r',\n  "llm_output": null',
    ]
    for pattern in shorten:
        theirs, ours = (re.sub(pattern, "", text) for text in (theirs, ours))
    assert ours == theirs
    assert theirs.count("/start]") == theirs.count("/end]") + theirs.count("/error]") == 3


def test_every_kind_of_run_is_printed(capsys: pytest.CaptureFixture[str], debugging: None) -> None:
    chain = ChatPromptTemplate.from_template("{x}") | FakeListChatModel(responses=["ab"])

    async def main() -> None:
        assert [chunk.content async for chunk in chain.astream({"x": 1})] == ["a", "b"]
        await make_retrievers(*LIBRARIES[1])["plain"].ainvoke("q")

    list(chain.stream({"x": 1}))
    asyncio.run(main())
    run = CallbackManager.configure().on_tool_start({"name": "t"}, " in ")
    run.on_tool_end(" out ")
    CallbackManager.configure().on_tool_start({"name": "t"}, "in").on_tool_error(ValueError("v"))
    with pytest.raises(KeyError):
        make_retrievers(*LIBRARIES[1])["failing"].invoke("q")
    text = printed(capsys)
    for title in (
        *("[chain:RunnableSequence > prompt:ChatPromptTemplate] Entering Prompt run", "[time] Exiting LLM run"),
        *("[chain:RunnableSequence > llm:FakeListChatModel] Entering LLM run", "Human: 1", "Exiting Chain run"),
        *("[retriever:PlainRetriever] Entering Retriever run", '"query": "q"', '"page_content": "q"'),
        *("[tool:t] Entering Tool run with input:", '"in"', '"out"', "Tool run errored with error:", "ValueError('v')"),
        *("[retriever:Failing] [time] Retriever run errored", "KeyError('q')"),
    ):
        assert title in text
    assert not console_handler._runs


def test_a_stream_over_a_connection_is_printed_too(capsys: pytest.CaptureFixture[str], debugging: None) -> None:
    with MockServer() as server:
        assert "".join(OpenAI(base_url=server.url, api_key="k", model="m").stream("p")) == "".join(VERSE)
    text = printed(capsys)
    assert text.count("[llm:OpenAI]") == 2
    assert "Bubbles dancing" in text


def test_nothing_is_printed_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    RunnableLambda(str).invoke(1)
    assert capsys.readouterr().out == ""


def test_an_end_without_a_start_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run = CallbackManager([ConsoleHandler()]).on_chain_start({"name": "c"}, {})
    capsys.readouterr()
    run.on_chain_end({})
    run.on_chain_end({})
    run.on_chain_error(KeyError("k"))
    assert capsys.readouterr().out.count("/end]") == 1


def test_a_chat_model_prints_its_messages_as_text(capsys: pytest.CaptureFixture[str], debugging: None) -> None:
    FakeListChatModel(responses=["a"]).invoke([("system", "s"), ("user", "u")])
    assert '"System: s\\nHuman: u"' in printed(capsys)
    assert TheirChatModel(responses=["a"]).invoke("p").content == "a"
