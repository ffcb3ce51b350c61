"""What was bound to a model before its tools or its schema is kept."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from millstream import ChatOpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.language_models import BaseChatModel
from millstream.messages import AIMessage
from millstream.outputs.chat_generation import ChatGeneration, ChatResult
from millstream.runnables import RunnableLambda
from millstream.testing import MockServer, Reply


def look(place: str) -> str:
    """Look at a place."""
    return place


class Order(BaseModel):
    """An order."""

    item: str


class Noting(BaseCallbackHandler):
    def __init__(self) -> None:
        self.starts: list[tuple[Any, Any]] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.starts.append((kwargs["tags"], kwargs["metadata"].get("who")))


def test_arguments_are_kept_beside_tools(mock_server: MockServer) -> None:
    model: Any = ChatOpenAI(base_url=mock_server.url, api_key="k")
    for bound in (
        model.bind(stop=["END"]).bind_tools([look]),
        model.bind_tools([look]).bind(stop=["END"]),
        model.bind(stop=["END"]).with_config({"tags": ["t"]}).bind_tools([look]),
        model.bind(stop=["no"], seed=1).bind(stop=["END"]).bind_tools([look], stop=["END"]),
    ):
        bound.invoke("p")
        list(bound.stream("p"))
        asyncio.run(bound.ainvoke("p"))
        for request in mock_server.requests[-3:]:
            assert request.body["stop"] == ["END"]
            assert request.body["tools"][0]["function"]["name"] == "look"
    twice = model.bind_tools([look]).bind(seed=3).bind_tools([Order])
    twice.invoke("p")
    assert mock_server.requests[-1].body["seed"] == 3
    assert [tool["function"]["name"] for tool in mock_server.requests[-1].body["tools"]] == ["Order"]


def test_a_configuration_is_kept_beside_tools(mock_server: MockServer) -> None:
    handler = Noting()
    model: Any = ChatOpenAI(base_url=mock_server.url, api_key="k")
    model.with_config({"tags": ["a"], "metadata": {"who": "w"}, "callbacks": [handler]}).bind_tools([look]).invoke("p")
    assert handler.starts == [(["a"], "w")]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("include_raw", [False, True])
def test_arguments_and_a_configuration_are_kept_beside_a_schema(method: str, include_raw: bool) -> None:
    calls = [{"name": "Order", "args": {"item": "nuts"}}] if method == "function_calling" else []
    handler = Noting()
    with MockServer(Reply(pieces=[] if calls else ['{"item": "nuts"}'], tool_calls=calls)) as server:
        model: Any = ChatOpenAI(base_url=server.url, api_key="k", model="gpt-4o")
        for bound in (
            model.bind(stop=["END"]).with_config({"tags": ["a"], "metadata": {"who": "w"}, "callbacks": [handler]}),
            model.with_config({"tags": ["a"], "metadata": {"who": "w"}, "callbacks": [handler]}).bind(stop=["END"]),
        ):
            chain = bound.with_structured_output(Order, method=method, include_raw=include_raw)
            output = chain.invoke("p")
            assert (output["parsed"] if include_raw else output) == Order(item="nuts")
            assert server.requests[-1].body["stop"] == ["END"]
            assert "a" in handler.starts[-1][0]
            assert handler.starts[-1][1] == "w"


def test_a_model_of_ones_own_keeps_its_arguments_where_it_can() -> None:
    class Parrot(BaseChatModel):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            return ChatResult([ChatGeneration(AIMessage(f"{stop} {sorted(kwargs)}"))])

        def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
            return self if tools == ["self"] else RunnableLambda(lambda messages: "made")

        @property
        def _llm_type(self) -> str:
            return "parrot"

    parrot: Any = Parrot()
    assert parrot.bind(stop=["x"], a=1).bind_tools(["self"]).invoke("p").content == "['x'] ['a']"
    assert parrot.bind(stop=["x"], a=1).bind_tools(["other"]).invoke("p") == "made"
    step: Any = RunnableLambda(look)
    with pytest.raises(AttributeError):
        step.bind(a=1).bind_tools([look])
