"""Handlers that print, write to a file or add up usage do what LangChain's do."""

import asyncio
import contextlib
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.callbacks as their_package
    from langchain_core.messages import AIMessage as TheirMessage
    from langchain_core.outputs import ChatGeneration as TheirGeneration
    from langchain_core.outputs import LLMResult as TheirResult

import millstream.callbacks as our_package
from millstream._context import ambient_handler
from millstream.language_models import GenericFakeChatModel
from millstream.messages import AIMessage
from millstream.outputs import ChatGeneration, Generation, LLMResult
from millstream.runnables import RunnableLambda


def call_all_methods(handler: Any) -> None:
    handler.on_chain_start({"name": "of serialized"}, {})
    handler.on_chain_start({"id": ["a", "b"]}, {})
    handler.on_chain_start({"id": ["a", "b"]}, {}, name="of the run")
    handler.on_agent_action(SimpleNamespace(log="action"))
    handler.on_agent_action(SimpleNamespace(log="action"), color="pink")
    handler.on_tool_end({"out": 1}, observation_prefix="before", llm_prefix="after")
    handler.on_tool_end("out", color="yellow")
    handler.on_text("text")
    handler.on_text("text", color="red", end="!")
    handler.on_agent_finish(SimpleNamespace(log="finish"))
    handler.on_agent_finish(SimpleNamespace(log="finish"), color="blue")
    handler.on_chain_end({})


@pytest.mark.parametrize("color", [None, "green"])
def test_a_handler_prints_what_langchains_does(color: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for package in (their_package, our_package):
        call_all_methods(package.StdOutCallbackHandler(color))
        printed.append(capsys.readouterr().out)
    assert printed[1] == printed[0]


@pytest.mark.parametrize("mode", ["a", "w"])
@pytest.mark.parametrize("color", [None, "green"])
def test_a_handler_writes_to_a_file_what_langchains_does(tmp_path: Path, mode: str, color: str | None) -> None:
    written = []
    for package in (their_package, our_package):
        path = tmp_path / package.__name__
        path.write_text("old\n")
        with package.FileCallbackHandler(str(path), mode=mode, color=color) as handler:
            call_all_methods(handler)
            assert path.read_text().endswith("Finished chain.\n")
        handler.close()
        with pytest.raises(RuntimeError, match=r"^File is not open\."):
            handler.on_text("late")
        written.append(path.read_text())
    assert written[1] == written[0]


def test_a_chain_prints_its_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with our_package.FileCallbackHandler(tmp_path / "log") as to_file:
        RunnableLambda(str).invoke(1, {"callbacks": [our_package.StdOutCallbackHandler(), to_file], "run_name": "mine"})
    assert (
        capsys.readouterr().out == "\n\n\033[1m> Entering new mine chain...\033[0m\n\n\033[1m> Finished chain.\033[0m\n"
    )
    assert (tmp_path / "log").read_text() == "\n\n> Entering new mine chain...\n\n> Finished chain.\n"


def test_chunks_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for package in (their_package, our_package):
        handler = package.StreamingStdOutCallbackHandler()
        handler.on_chat_model_start({}, [[]])
        handler.on_llm_new_token("text", run_id=uuid4())
        handler.on_llm_new_token([{"type": "text", "text": "block"}], run_id=uuid4())
        assert capsys.readouterr().out == "text[{'type': 'text', 'text': 'block'}]"


def test_a_verbose_manager_prints(capsys: pytest.CaptureFixture[str]) -> None:
    for package in (their_package, our_package):
        handler = package.StdOutCallbackHandler()
        for manager_class in (package.CallbackManager, package.AsyncCallbackManager):
            manager = manager_class.configure(verbose=True)
            assert [type(one) for one in manager.handlers] == [package.StdOutCallbackHandler]
            assert manager.inheritable_handlers == []
            assert manager_class.configure([handler], verbose=True).handlers == [handler]
    capsys.readouterr()


def test_a_model_is_verbose_where_the_process_is() -> None:
    from millstream.globals import set_verbose

    assert usage_model().verbose is False
    set_verbose(True)
    try:
        assert usage_model().verbose is True
        assert GenericFakeChatModel(messages=iter(()), verbose=False).verbose is False
    finally:
        set_verbose(False)


# Usage.

USAGES: list[Any] = [
    {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    {"input_tokens": 4, "output_tokens": 5, "total_tokens": 9},
    {
        **{"input_tokens": 10, "output_tokens": 20, "total_tokens": 30},
        **{"input_token_details": {"audio": 5}, "output_token_details": {"reasoning": 10}},
    },
]
MODELS = ["a", "b", "a"]


def test_usage_is_added_up_for_each_model() -> None:
    ours, theirs = our_package.UsageMetadataCallbackHandler(), their_package.UsageMetadataCallbackHandler()
    for usage, model in zip(USAGES, MODELS, strict=True):
        fields: Any = {"content": "", "usage_metadata": usage, "response_metadata": {"model_name": model}}
        theirs.on_llm_end(TheirResult(generations=[[TheirGeneration(message=TheirMessage(**fields))]]))
        ours.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage(**fields))]]))
    assert ours.usage_metadata == theirs.usage_metadata
    assert repr(ours) == repr(ours.usage_metadata)


@pytest.mark.parametrize(
    "result",
    [
        LLMResult(generations=[]),
        LLMResult(generations=[[]]),
        LLMResult(generations=[[Generation(text="t")]]),
        LLMResult(generations=[[ChatGeneration(message=AIMessage("t"))]]),
    ],
)
def test_an_answer_without_usage_adds_nothing(result: LLMResult) -> None:
    handler = our_package.UsageMetadataCallbackHandler()
    handler.on_llm_end(result)
    assert handler.usage_metadata == {}


def usage_model() -> GenericFakeChatModel:
    fields: Any = {"content": "", "usage_metadata": USAGES[0], "response_metadata": {"model_name": "m"}}
    return GenericFakeChatModel(messages=iter([AIMessage(**fields) for _ in range(9)]))


def input_tokens(handler: our_package.UsageMetadataCallbackHandler) -> int:
    return handler.usage_metadata.get("m", {"input_tokens": 0})["input_tokens"]


def test_usage_of_a_block_is_that_of_all_calls_in_it() -> None:
    model = usage_model()
    with our_package.get_usage_metadata_callback() as outer:
        model.invoke("p")
        with contextlib.suppress(KeyError), our_package.get_usage_metadata_callback() as inner:
            RunnableLambda(lambda text: model.invoke(text)).invoke("p")
            model.batch(["p", "q"])
            raise KeyError
        asyncio.run(model.ainvoke("p"))
        model.invoke("p", {"callbacks": [outer]})
    model.invoke("p")
    assert (input_tokens(outer), input_tokens(inner)) == (6, 3)


def test_a_handler_of_a_block_is_not_called_for_the_runs_that_it_starts() -> None:
    model, other = usage_model(), usage_model()

    class Calling(our_package.UsageMetadataCallbackHandler):
        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            super().on_llm_end(response)
            other.invoke("p")

    handler = Calling()
    with ambient_handler(handler):
        model.invoke("p")
    assert input_tokens(handler) == 1
