"""Misused models: the error shows the right call."""

import copy
import pickle
from typing import Any

import pytest

from millstream import LLM, AzureChatOpenAI, ChatOpenAI, OpenAI, StreamDecoder
from millstream._pure import StreamDecoder as PureDecoder


@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI, AzureChatOpenAI])
def test_a_positional_argument_raises_and_is_not_shown(cls: type[Any]) -> None:
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\(\) takes keyword .*write {cls.__name__}\(model=") as caught:
        cls("sk-secret")
    assert "sk-secret" not in str(caught.value)


def test_the_error_of_a_users_model_names_its_first_field() -> None:
    class Echo(LLM):
        size: int

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return prompt[: self.size]

        @property
        def _llm_type(self) -> str:
            return "echo"

    with pytest.raises(TypeError, match=r"^Echo\(\) takes keyword arguments only: write Echo\(size=\.\.\.\)$"):
        Echo(5)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("name", ["chat", "completions", "responses", "embeddings", "models"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_attributes_of_the_sdks_client_raise_with_a_hint(cls: type[Any], name: str) -> None:
    model = cls(api_key="k")
    with pytest.raises(AttributeError, match=rf"'{name}': .*not the client of the OpenAI SDK; write .*invoke"):
        getattr(model, name)
    assert not hasattr(model, name)
    assert not hasattr(cls, name)
    assert name not in dir(model)


def test_other_missing_attributes_raise_as_usual() -> None:
    model = ChatOpenAI(api_key="k")
    with pytest.raises(AttributeError, match=r"^'ChatOpenAI' object has no attribute 'nothing'$"):
        _ = model.nothing  # type: ignore[attr-defined]
    assert repr(copy.copy(model)) == repr(model) == repr(pickle.loads(pickle.dumps(model)))


@pytest.mark.parametrize("name", ["feed", "feed_text"])
def test_a_decoder_accepts_bytes_and_rejects_text_with_a_hint(name: str) -> None:
    for half in (StreamDecoder, PureDecoder):
        with pytest.raises(TypeError, match=rf"^{name}\(\) takes bytes, not str$"):
            getattr(half("openai.chat"), name)("s")
