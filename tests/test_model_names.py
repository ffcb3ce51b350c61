"""LangChain's names of models: profiles, tokens, kinds of blocks."""

import asyncio
import sys
import warnings
from collections.abc import AsyncIterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pydantic
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.language_models as their_models
    import langchain_core.language_models.base as their_base

import millstream.language_models as our_models
import millstream.language_models.base as our_base
from millstream.language_models import FakeListChatModel, FakeListLLM, ModelProfile, is_openai_data_block
from millstream.language_models.tokens import _warn_once, get_tokenizer
from millstream.messages import AIMessage, HumanMessage

LIBRARIES = pytest.mark.parametrize("models", [their_models, our_models], ids=["theirs", "ours"])


@pytest.mark.parametrize("name", their_models.__all__)
def test_every_name_of_the_package_is_there(name: str) -> None:
    assert getattr(our_models, name) is not None
    assert name in our_models.__all__


@pytest.mark.parametrize(
    "name", ["LangSmithParams", "LanguageModelInput", "LanguageModelLike", "LanguageModelOutput", "get_tokenizer"]
)
def test_names_stand_at_langchains_path(name: str) -> None:
    assert getattr(our_base, name) is getattr(our_models, name)
    assert hasattr(their_base, name)


def test_names_that_models_of_users_import_stand_at_langchains_path() -> None:
    from langchain_core.language_models import chat_models as theirs

    from millstream.language_models import chat_models as ours

    for name in (
        *("BaseChatModel", "LangSmithParams", "LanguageModelInput", "ModelProfile", "SimpleChatModel"),
        *("agenerate_from_stream", "generate_from_stream"),
    ):
        assert getattr(ours, name) is not None
        assert hasattr(theirs, name)


def chunks_of(outputs: Any, messages: Any) -> list[Any]:
    call = {"name": "f", "args": '{"a": 1}', "id": "i", "index": 0}
    parts: list[dict[str, Any]] = [{"content": "a", "id": "1"}, {"content": "b", "tool_call_chunks": [call]}]
    return [
        outputs.ChatGenerationChunk(message=messages.AIMessageChunk(**part), generation_info={"seen": [1]})
        for part in parts
    ]


def test_chunks_become_a_whole_result_as_in_langchain() -> None:
    import langchain_core.messages as their_messages
    import langchain_core.outputs as their_outputs
    from langchain_core.language_models import chat_models as theirs

    import millstream.messages as our_messages
    import millstream.outputs as our_outputs
    from millstream.language_models import chat_models as ours

    async def iterate(chunks: list[Any]) -> AsyncIterator[Any]:
        for chunk in chunks:
            yield chunk

    results: list[Any] = []
    for models, messages, outputs in (
        (theirs, their_messages, their_outputs),
        (ours, our_messages, our_outputs),
    ):
        module: Any = models
        chunks = chunks_of(outputs, messages)
        result = module.generate_from_stream(iter(chunks))
        assert asyncio.run(module.agenerate_from_stream(iterate(chunks))) == result
        (generation,) = result.generations
        results.append((generation.message.model_dump(), generation.generation_info, generation.text))
        with pytest.raises(ValueError, match=r"^No generations found in stream\.$"):
            module.generate_from_stream(iter(()))
    assert results[1] == results[0]


def test_a_completion_model_has_no_structured_output() -> None:
    with pytest.raises(NotImplementedError):
        FakeListLLM(responses=[]).with_structured_output({})


# Profiles.


def test_a_profile_has_langchains_keys() -> None:
    assert our_models.ModelProfile.__annotations__.keys() == their_models.ModelProfile.__annotations__.keys()
    assert our_models.LangSmithParams.__annotations__.keys() == their_models.LangSmithParams.__annotations__.keys()


def test_a_profile_in_a_pydantic_model_keeps_keys_that_are_not_known() -> None:
    class Strict(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="forbid")
        profile: ModelProfile | None = None

    profile: Any = {"max_input_tokens": 100, "of_the_future": True}
    assert Strict(profile=profile).profile == profile
    with pytest.raises(pydantic.ValidationError):
        Strict(profile={"max_input_tokens": "many"})  # type: ignore[arg-type]


@LIBRARIES
def test_a_class_of_models_knows_its_profile(models: Any) -> None:
    class Known(models.FakeListChatModel):  # type: ignore[misc]
        def _resolve_model_profile(self) -> Any:
            return {"max_input_tokens": 5}

    class Broken(models.FakeListChatModel):  # type: ignore[misc]
        def _resolve_model_profile(self) -> Any:
            raise OSError("no file")

    assert Known(responses=[]).profile == {"max_input_tokens": 5}
    assert Known(responses=[], profile={"max_input_tokens": 6}).profile == {"max_input_tokens": 6}
    assert Broken(responses=[]).profile is None
    assert models.FakeListChatModel(responses=[]).profile is None


@LIBRARIES
def test_keys_of_a_profile_that_are_not_known_are_reported(models: Any) -> None:
    with pytest.warns(UserWarning, match=r"^Unrecognized keys in model profile: \['another', 'of_the_future'\]\."):
        models.FakeListChatModel(responses=[], profile={"of_the_future": 1, "tool_calling": True, "another": 2})


# Tokens.


@LIBRARIES
def test_a_models_own_function_makes_its_tokens(models: Any) -> None:
    model = models.FakeListLLM(responses=[], custom_get_token_ids=lambda text: [len(word) for word in text.split()])
    assert model.get_token_ids("a bcd") == [1, 3]
    assert model.get_num_tokens("a bcd") == 2


def test_messages_count_with_the_names_of_their_roles() -> None:
    model = FakeListChatModel(responses=[], custom_get_token_ids=lambda text: [1] * len(text))
    messages: list[Any] = [HumanMessage("ab"), AIMessage("c")]
    assert model.get_num_tokens_from_messages(messages) == len("Human: ab") + len("AI: c")
    with pytest.warns(UserWarning, match="Ignoring tools"):
        assert model.get_num_tokens_from_messages(messages[:1], tools=[{}]) == len("Human: ab")


def test_tokens_need_a_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    get_tokenizer.cache_clear()
    with pytest.raises(ImportError, match=r"^Could not import transformers python package\."):
        FakeListLLM(responses=[]).get_token_ids("a")


def test_the_default_tokenizer_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tokenizer:
        def encode(self, text: str, *, verbose: bool) -> list[int]:
            assert not verbose
            return list(map(ord, text))

    module: Any = ModuleType("transformers")
    module.GPT2TokenizerFast = SimpleNamespace(from_pretrained=lambda name: Tokenizer())
    monkeypatch.setitem(sys.modules, "transformers", module)
    for function in (get_tokenizer, _warn_once):
        function.cache_clear()
    model = FakeListLLM(responses=[])
    with pytest.warns(UserWarning, match="fallback GPT-2 tokenizer"):
        assert model.get_num_tokens("abc") == 3
    assert model.get_token_ids("a") == [97]
    get_tokenizer.cache_clear()


# Blocks.

BLOCKS: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "u"}},
    {"type": "image_url", "image_url": {"url": "u"}, "detail": "low"},
    {"type": "image_url", "image_url": {"url": "u"}, "other": 1},
    {"type": "image_url", "image_url": "u"},
    {"type": "image_url", "image_url": {"url": 1}},
    {"type": "input_audio", "input_audio": {"data": "d", "format": "wav"}, "more": 1},
    {"type": "input_audio", "input_audio": {"data": "d"}},
    {"type": "file", "file": {"file_id": "i"}},
    {"type": "file", "file": {"file_data": "d"}},
    {"type": "file", "file": {}},
    {"type": "text", "text": "t"},
    {"image_url": {"url": "u"}},
    {},
]


@pytest.mark.parametrize("kind", [None, "image", "audio", "file"])
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_openais_is_recognized_as_in_langchain(block: dict[str, Any], kind: Any) -> None:
    assert is_openai_data_block(block, kind) is their_models.is_openai_data_block(block, kind)
