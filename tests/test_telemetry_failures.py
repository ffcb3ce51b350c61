"""``millstream.telemetry``: what raises beside a run neither leaves its span open nor stops the application."""

import gc
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode

from millstream import ChatOpenAI, telemetry
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import APIConnectionError
from millstream.language_models import BaseChatModel
from millstream.messages import AIMessage
from millstream.outputs import ChatGeneration, ChatResult
from millstream.testing import MockServer
from millstream.tools import tool
from traced import MODELS, Traced, traced

__all__ = ("traced",)


class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Model(BaseChatModel):
    """A model that answers with ``content``, or raises ``error``."""

    content: Any = "a"
    error: Any = None

    @property
    def _llm_type(self) -> str:
        return "model"

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if self.error is not None:
            raise self.error
        return ChatResult([ChatGeneration(AIMessage(self.content))])


class Refusing(BaseCallbackHandler):
    raise_error = True

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        raise LookupError("refused")


class Raising(SpanProcessor):
    def __init__(self, method: str) -> None:
        self._method = method

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._raise("on_start")

    def on_end(self, span: Any) -> None:
        self._raise("on_end")

    def _raise(self, method: str) -> None:
        if method == self._method:
            raise RuntimeError(method)


def test_an_error_without_a_text_ends_the_span(traced: Traced) -> None:
    with pytest.raises(NoText):
        Model(error=NoText()).invoke("p")
    assert traced.span.status.status_code is StatusCode.ERROR
    assert dict(traced.span.attributes or {})["error.type"] == "NoText"


def test_content_that_json_cannot_have_is_a_text(traced: Traced) -> None:
    traced.instrument(capture_content=True)
    Model(content=[{"type": "x", (1, 2): 3}]).invoke("p")
    assert "(1, 2): 3" in str(dict(traced.span.attributes or {})["gen_ai.output.messages"])


def test_a_result_without_a_text_ends_the_span_of_its_tool(traced: Traced) -> None:
    class Result:
        def __repr__(self) -> str:
            raise RuntimeError("no text")

    @tool
    def look_up(word: str) -> Any:
        """Look a word up."""
        return Result()

    traced.instrument(capture_content=True)
    look_up.invoke({"word": "w"})
    assert traced.span.name == "execute_tool look_up"


@pytest.mark.parametrize("way", ["stream", "invoke"])
def test_a_run_that_another_handler_refuses_is_forgotten(way: str, traced: Traced) -> None:
    with MockServer() as server:
        model = MODELS["chat"](server)
        with pytest.raises(LookupError):
            list(getattr(model, way)("p", {"callbacks": [Refusing()]}))
        gc.collect()
        handler = telemetry._handler
        assert (handler._models, handler._timers, handler._open) == ({}, {}, {})


def test_a_request_to_a_url_that_is_not_valid_has_a_span(traced: Traced) -> None:
    with pytest.raises(APIConnectionError):
        ChatOpenAI(model="m", api_key="k", base_url="http://127.0.0.1:99999/v1", max_retries=0).invoke("p")
    assert "server.address" not in dict(traced.span.attributes or {})


@pytest.mark.parametrize("method", ["on_start", "on_end"])
def test_what_processors_raise_is_logged(method: str, caplog: pytest.LogCaptureFixture, traced: Traced) -> None:
    provider = TracerProvider()
    provider.add_span_processor(Raising(method))
    telemetry.instrument(tracer_provider=provider)
    with MockServer() as server, caplog.at_level(logging.WARNING, "millstream"), telemetry.agent("a"):
        assert list(MODELS["chat"](server).stream("p"))
    assert telemetry._handler._timers == {}
    assert caplog.text.count(method) >= 2
