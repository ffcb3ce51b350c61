"""Messages as text for completion models, compared with LangChain's."""

import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models.llms import LLM as TheirLLM
    from langchain_core.messages import (
        AIMessage,
        ChatMessage,
        FunctionMessage,
        HumanMessage,
        SystemMessage,
        ToolMessage,
    )
    from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from millstream.language_models.prompt_text import to_prompt

MESSAGES: list[Any] = [
    [("system", "s"), ("human", "h"), ("user", "u"), ("ai", "a"), ("assistant", "b"), ("developer", "d")],
    [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}, {"type": "human", "content": None}],
    ["text", HumanMessage("h"), AIMessage("a"), SystemMessage("s"), ChatMessage(content="x", role="boss")],
    [ToolMessage("t", tool_call_id="1"), FunctionMessage(content="f", name="n")],
    [HumanMessage([{"type": "text", "text": "a"}, "b", {"type": "image_url", "image_url": "x"}])],
    [AIMessage("a", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1", "type": "tool_call"}])],
    [{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}],
    ChatPromptValue(messages=[HumanMessage("h"), AIMessage("a")]),
    StringPromptValue(text="t"),
    (("human", "in a tuple"),),
    [],
]


@pytest.mark.parametrize("input", MESSAGES, ids=range(len(MESSAGES)))
def test_messages_are_formatted_as_in_langchain(input: Any) -> None:
    class Theirs(TheirLLM):
        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return prompt

        @property
        def _llm_type(self) -> str:
            return "echo"

    assert to_prompt(input) == Theirs().invoke(input)


@pytest.mark.parametrize(
    ("input", "message"),
    [
        (5, "Invalid input type"),
        (b"bytes", "Invalid input type"),
        ([("boss", "x")], "boss"),
        ([{"role": "user"}], "content"),
    ],
)
def test_an_invalid_prompt_raises_with_an_explanation(input: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_prompt(input)
