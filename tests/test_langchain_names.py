"""LangChain's names that Millstream itself does not call: they do what LangChain's do."""

import asyncio
import importlib
import json
from pathlib import Path
from typing import Any

import langchain_openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
from langchain_core.callbacks import BaseCallbackManager as TheirManager
from langchain_core.callbacks import CallbackManagerForLLMRun as TheirRunManager
from langchain_core.prompts import PromptTemplate as TheirPromptTemplate

import millstream
from millstream.callbacks import AsyncCallbackManagerForLLMRun, BaseCallbackHandler, CallbackManagerForLLMRun
from millstream.callbacks.base import BaseCallbackManager
from millstream.language_models import FakeListChatModel, FakeListLLM
from millstream.output_parsers import JsonOutputParser, StrOutputParser
from millstream.prompt_values import StringPromptValue
from millstream.prompts import ChatPromptTemplate, PromptTemplate


@pytest.mark.parametrize("model", [FakeListLLM(responses=["a", "b"]), FakeListChatModel(responses=["a", "b"])])
def test_prompt_values_are_answered_one_by_one(model: Any) -> None:
    prompts = [StringPromptValue("x"), ChatPromptTemplate.from_template("{v}").format_prompt(v="y")]
    for result in (model.generate_prompt(prompts), asyncio.run(model.agenerate_prompt(prompts))):
        assert [generations[0].text for generations in result.generations] == ["a", "b"]


@pytest.mark.parametrize("kind", [CallbackManagerForLLMRun, AsyncCallbackManagerForLLMRun])
def test_a_noop_manager_has_no_handlers(kind: Any) -> None:
    ours, theirs = kind.get_noop_manager(), TheirRunManager.get_noop_manager()
    for name in ("handlers", "inheritable_handlers", "tags", "metadata", "parent_run_id"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.run_id != kind.get_noop_manager().run_id


@pytest.mark.parametrize("inherit", [True, False])
def test_a_handler_replaces_all_others(inherit: bool) -> None:
    old, new = BaseCallbackHandler(), BaseCallbackHandler()
    their_old, their_new = TheirHandler(), TheirHandler()
    ours = BaseCallbackManager(handlers=[old], inheritable_handlers=[old])
    theirs = TheirManager(handlers=[their_old], inheritable_handlers=[their_old])
    ours.set_handler(new, inherit=inherit)
    theirs.set_handler(their_new, inherit=inherit)
    assert ours.handlers == [new]
    assert theirs.handlers == [their_new]
    assert len(ours.inheritable_handlers) == len(theirs.inheritable_handlers) == inherit


@pytest.mark.parametrize("name", [name for name in dir(TheirHandler) if name.startswith("ignore_")])
def test_a_handler_ignores_nothing(name: str) -> None:
    assert getattr(BaseCallbackHandler(), name) is getattr(TheirHandler(), name) is False


def test_a_completion_is_parsed_beside_its_prompt() -> None:
    prompt = StringPromptValue("x")
    assert StrOutputParser().parse_with_prompt("a", prompt) == "a"
    assert JsonOutputParser().parse_with_prompt("[1]", prompt) == [1]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_template_is_read_from_a_file(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "template.txt"
    path.write_text("Größe: {x}", encoding=encoding)
    ours = PromptTemplate.from_file(path, encoding=encoding)
    assert ours.format(x=1) == TheirPromptTemplate.from_file(path, encoding=encoding).format(x=1) == "Größe: 1"
    assert PromptTemplate.from_file(str(path), encoding=encoding, name="size").name == "size"


def test_a_model_is_saved_as_json_alone(tmp_path: Path) -> None:
    model = FakeListLLM(responses=["a"])
    path = tmp_path / "folder" / "model.json"
    model.save(path)
    assert json.loads(path.read_text()) == model.asdict()
    with pytest.raises(ValueError, match=r"must be a \.json file"):
        model.save(tmp_path / "model.yaml")


BASES = [
    *("chat_history.BaseChatMessageHistory", "callbacks.BaseCallbackHandler", "language_models.BaseChatModel"),
    *("language_models.LLM", "output_parsers.BaseOutputParser", "prompts.ChatPromptTemplate", "prompts.PromptTemplate"),
    *("retrievers.BaseRetriever", "runnables.Runnable", "runnables.RunnableSerializable", "tools.BaseTool"),
]


def private_words(kind: type) -> set[str]:
    return {name for name in dir(kind) if name[0] == "_" and name[1:].isalnum()}


@pytest.mark.parametrize("name", BASES)
def test_private_names_of_one_word_are_left_to_the_subclasses_of_users(name: str) -> None:
    module, _, kind = name.partition(".")
    ours, theirs = (
        getattr(importlib.import_module(f"{package}.{module}"), kind) for package in ("millstream", "langchain_core")
    )
    assert private_words(ours) - private_words(theirs) <= {"_fields"}


@pytest.mark.parametrize("name", ["OpenAI", "ChatOpenAI", "AzureChatOpenAI"])
def test_private_names_of_one_word_are_left_to_the_subclasses_of_models(name: str) -> None:
    extra = private_words(getattr(millstream, name)) - private_words(getattr(langchain_openai, name))
    assert extra <= {"_fields"}
