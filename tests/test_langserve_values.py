"""LangServe's JSON: values both ways, as LangServe's own serializer has them, and nothing that data can name."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import langchain_core.agents
import langchain_core.documents
import langchain_core.messages
import langchain_core.outputs
import langchain_core.prompt_values
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langserve.serialization import WellKnownLCSerializer

from millstream import agents, documents, messages, outputs, prompt_values
from millstream.integrations.langchain import to_langchain
from millstream.providers.langserve.values import read_values, write_values

THEIRS = WellKnownLCSerializer()
CALL: Any = {"name": "f", "args": {"a": [1, None]}, "id": "c1", "type": "tool_call"}
USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}

VALUES: dict[str, Any] = {
    "human": messages.HumanMessage([{"type": "text", "text": "a"}], name="ann", id="1"),
    "ai": messages.AIMessage("a", tool_calls=[CALL], usage_metadata=USAGE, response_metadata={"m": 1}),
    "system": messages.SystemMessage("a", additional_kwargs={"k": [1]}),
    "tool": messages.ToolMessage("a", tool_call_id="c", status="error", artifact={"x": 1}),
    "function": messages.FunctionMessage("a", name="f"),
    "chat": messages.ChatMessage("a", role="r"),
    "ai chunk": messages.AIMessageChunk("a", tool_call_chunks=[{"name": "f", "args": "{", "id": "c", "index": 0}]),
    "human chunk": messages.HumanMessageChunk("a"),
    "system chunk": messages.SystemMessageChunk("a"),
    "tool chunk": messages.ToolMessageChunk("a", tool_call_id="c"),
    "function chunk": messages.FunctionMessageChunk("a", name="f"),
    "chat chunk": messages.ChatMessageChunk("a", role="r"),
    "document": documents.Document("a", metadata={"k": 1}, id="d"),
    "text prompt": prompt_values.StringPromptValue("a"),
    "prompt": prompt_values.ChatPromptValueConcrete([messages.HumanMessage("a"), messages.AIMessage("b")]),
    "action": agents.AgentAction("t", {"a": 1}, "l"),
    "action of messages": agents.AgentActionMessageLog("t", "i", "l", message_log=[messages.AIMessage("a")]),
    "finish": agents.AgentFinish({"output": 1}, "l"),
    "generation": outputs.Generation("a", {"k": 1}),
    "chat generation": outputs.ChatGeneration(messages.AIMessage("a"), {"k": 1}),
    "chat generation chunk": outputs.ChatGenerationChunk(messages.AIMessageChunk("a")),
    "result": outputs.LLMResult(
        [[outputs.Generation("a")], [outputs.ChatGeneration(messages.AIMessage("b"))]], {"m": 1}
    ),
    "nested": {"a": [messages.HumanMessage("a"), {"b": documents.Document("c")}], "n": None},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(name: str) -> None:
    value = VALUES[name]
    assert read_values(orjson.loads(write_values(value))) == value


@pytest.mark.parametrize("name", VALUES)
def test_langserve_reads_what_is_written(name: str) -> None:
    assert THEIRS.loads(write_values(VALUES[name])) == to_langchain(VALUES[name])


@pytest.mark.parametrize("name", VALUES)
def test_what_langserve_writes_is_read(name: str) -> None:
    assert read_values(orjson.loads(THEIRS.dumps(to_langchain(VALUES[name])))) == VALUES[name]


def test_langchains_own_values_are_written() -> None:
    value = langchain_core.messages.HumanMessage("a")
    assert read_values(orjson.loads(write_values([value]))) == [messages.HumanMessage("a")]


@pytest.mark.parametrize(
    "data",
    [
        {"type": "human"},
        {"type": "human", "content": 1},
        {"type": "tool", "content": "a"},
        {"type": "chat", "content": "a"},
        {"type": "ai", "content": "a", "tool_calls": [1]},
        {"type": "Document", "metadata": {}},
        {"type": "AgentAction", "tool": 1, "tool_input": "i", "log": "l"},
        {"type": "AgentFinish", "return_values": 1, "log": "l"},
        {"type": "Generation", "text": None},
        {"type": "ChatGeneration", "message": {"type": "unknown"}},
        {"type": "LLMResult", "generations": 1},
        {"type": "StringPromptValue"},
        {"type": "SystemExit", "content": "a"},
        {"type": ["human"], "content": "a"},
        {"type": None},
    ],
)
def test_what_does_not_fit_stays_a_dict(data: Any) -> None:
    assert read_values(data) == data
    assert type(read_values(data)) is dict


@contextmanager
def audited() -> Iterator[list[str]]:
    """Collect what the interpreter reports that code does."""
    seen: list[str] = []
    watching = True

    def hook(event: str, args: Any) -> None:
        if watching and event.partition(".")[0] in ("exec", "import", "open", "os", "socket", "subprocess", "compile"):
            seen.append(f"{event} {args!r}")

    sys.addaudithook(hook)
    try:
        yield seen
    finally:
        watching = False


SECRET = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
NAMED = ["langchain", "chat_models", "openai", "ChatOpenAI"]
HOSTILE: dict[str, Any] = {
    "secret": SECRET,
    "constructor": {"lc": 1, "type": "constructor", "id": NAMED, "kwargs": {"base_url": "http://evil.invalid"}},
    "in a message": {"type": "ai", "content": "a", "additional_kwargs": {"x": SECRET}, "response_metadata": SECRET},
    "in a document": {"type": "Document", "page_content": "a", "metadata": {"x": SECRET}},
    "a module": {"type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}},
    "attributes": {"type": "human", "content": "a", "__class__": "os.system", "__init__": 1, "__dict__": {"a": 1}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_data_names_no_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    read_values({"type": "human", "content": "what is imported once"})
    with audited() as seen:
        value = read_values(HOSTILE[name])
    assert seen == []
    assert "sk-secret" not in repr(value)
    if "lc" in HOSTILE[name]:
        assert value == HOSTILE[name]


def test_deep_json_stays_as_it_is() -> None:
    deep: Any = {"type": "human", "content": "a"}
    for _ in range(5000):
        deep = [deep]
    value = read_values(deep)
    for _ in range(5000):
        (value,) = value
    assert value == {"type": "human", "content": "a"}


KEYS = st.sampled_from(["type", "content", "text", "id", "name", "lc", "metadata"])
KINDS = st.sampled_from(["ai", "tool", "Document", "LLMResult", "AgentAction"])


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    return st.lists(inner, max_size=3) | objects | st.builds(lambda kind, more: {**more, "type": kind}, KINDS, objects)


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
JSON = st.recursive(SCALARS, containers, max_leaves=12)


@given(JSON)
def test_any_json_is_read_without_an_error(data: Any) -> None:
    read_values(data)
