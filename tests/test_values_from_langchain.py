"""Values of LangChain's classes become ours, and are what they were after a conversion back."""

import pickle
from copy import copy, deepcopy
from typing import Any

import langchain_core.agents as their_agents
import langchain_core.documents as their_documents
import langchain_core.documents.base as their_media
import langchain_core.messages as their_messages
import langchain_core.outputs as their_outputs
import langchain_core.prompt_values as their_prompts
import pytest

import millstream.agents as our_agents
import millstream.documents.base as our_documents
import millstream.messages as our_messages
import millstream.outputs as our_outputs
import millstream.prompt_values as our_prompts
from both_libraries import assert_alike
from millstream._uuid7 import uuid7
from millstream.callbacks.values_from_langchain import from_langchain
from millstream.callbacks.values_to_langchain import to_langchain

USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
CALL: Any = {"name": "f", "args": {"a": 1}, "id": "i", "type": "tool_call"}
PIECE: Any = {"name": "f", "args": '{"a', "id": "i", "index": 0, "type": "tool_call_chunk"}
BLOCKS: Any = ["a", {"type": "text", "text": "b"}]
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("HumanMessage", {"content": "x", "id": "1", "name": "n", "extra": 1}),
    ("HumanMessage", {"content": BLOCKS}),
    ("SystemMessage", {"content": ["x"], "additional_kwargs": {"a": 1}}),
    ("AIMessage", {"content": "", "tool_calls": [CALL], "usage_metadata": USAGE, "response_metadata": {"m": 1}}),
    ("AIMessage", {"content": "", "invalid_tool_calls": [{"name": "f", "args": "{", "id": "i", "error": "e"}]}),
    ("AIMessageChunk", {"content": "z", "id": "i", "response_metadata": {"model_provider": "openai"}}),
    ("AIMessageChunk", {"content": "", "tool_call_chunks": [PIECE], "chunk_position": "last"}),
    ("AIMessageChunk", {"content": "", "usage_metadata": USAGE, "extra": [1]}),
    ("HumanMessageChunk", {"content": "z"}),
    ("ToolMessage", {"content": "r", "tool_call_id": "i", "artifact": "a", "status": "error"}),
    ("ChatMessage", {"content": "c", "role": "r"}),
    ("FunctionMessage", {"content": "f", "name": "n"}),
    ("RemoveMessage", {"id": "i"}),
]


@pytest.mark.parametrize(("name", "fields"), MESSAGES)
def test_a_message_of_langchains_becomes_ours(name: str, fields: dict[str, Any]) -> None:
    made = from_langchain(getattr(their_messages, name)(**fields))
    expected = getattr(our_messages, name)(**fields)
    assert_alike(made, expected)
    assert made.model_dump() == expected.model_dump()


@pytest.mark.parametrize(("name", "fields"), MESSAGES)
def test_a_message_of_langchains_is_equal_after_a_conversion_there_and_back(name: str, fields: dict[str, Any]) -> None:
    expected = getattr(their_messages, name)(**fields)
    made = to_langchain(from_langchain(expected))
    assert_alike(made, expected)
    assert made.model_dump() == expected.model_dump()
    assert made.model_dump_json() == expected.model_dump_json()
    for again in (copy(made), deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert_alike(again, expected)


@pytest.mark.parametrize(("name", "fields"), MESSAGES)
def test_a_message_of_ours_is_equal_after_a_conversion_there_and_back(name: str, fields: dict[str, Any]) -> None:
    ours = getattr(our_messages, name)(**fields)
    assert_alike(from_langchain(to_langchain(getattr(our_messages, name)(**fields))), ours)


def test_a_chunk_of_text_has_the_fields_of_one_that_pydantic_made() -> None:
    expected = their_messages.AIMessageChunk(content="a", id="i", response_metadata={"m": 1})
    made = to_langchain(our_messages.AIMessageChunk("a", id="i", response_metadata={"m": 1}))
    assert vars(made) == vars(expected)
    assert list(vars(made)) == list(vars(expected))
    for name in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
        assert getattr(made, name) == getattr(expected, name)
    assert made + expected == expected + made
    assert made.model_dump(exclude_unset=True) == expected.model_dump(exclude_unset=True)


def test_results_of_langchains_become_ours() -> None:
    ours, theirs = our_outputs, their_outputs
    their_chat = theirs.ChatGenerationChunk(
        message=their_messages.AIMessageChunk(content="a"), generation_info={"x": 1}
    )
    chat = ours.ChatGenerationChunk(our_messages.AIMessageChunk("a"), {"x": 1})
    assert_alike(from_langchain(their_chat), chat)
    assert_alike(from_langchain(theirs.GenerationChunk(text="b")), ours.GenerationChunk("b"))
    run_id = uuid7()
    their_result = theirs.LLMResult(
        generations=[[their_chat]], llm_output={"u": 1}, run=[theirs.RunInfo(run_id=run_id)]
    )
    result = ours.LLMResult([[chat]], {"u": 1}, [ours.RunInfo(run_id)])
    assert_alike(from_langchain(their_result), result)
    assert_alike(to_langchain(result), their_result)
    their_answer = theirs.ChatResult(generations=[their_chat], llm_output={"u": 1})
    answer = ours.ChatResult([chat], {"u": 1})
    assert_alike(from_langchain(their_answer), answer)
    assert_alike(to_langchain(answer), their_answer)


def test_documents_and_prompt_values_of_langchains_become_ours() -> None:
    fields: Any = {"page_content": "a", "metadata": {"b": 1}, "id": "c"}
    assert_alike(from_langchain(their_documents.Document(**fields)), our_documents.Document(**fields))
    blob: Any = {"data": b"a", "mimetype": "text/plain", "metadata": {"b": 1}}
    assert from_langchain(their_media.Blob(**blob)) == our_documents.Blob(**blob)
    their_human, human = their_messages.HumanMessage("a"), our_messages.HumanMessage("a")
    prompt = from_langchain(their_prompts.ChatPromptValue(messages=[their_human]))
    assert_alike(prompt, our_prompts.ChatPromptValue([human]))
    assert_alike(from_langchain(their_prompts.StringPromptValue(text="a")), our_prompts.StringPromptValue("a"))
    found = from_langchain({"a": [their_human, 1], "b": (their_human,)})
    assert found == {"a": [human, 1], "b": (human,)}


def test_actions_of_agents_of_langchains_become_ours() -> None:
    their_action = their_agents.AgentAction("f", {"a": 1}, "log")
    action = our_agents.AgentAction("f", {"a": 1}, "log")
    assert_alike(from_langchain(their_action), action)
    their_log = their_agents.AgentActionMessageLog(
        tool="f", tool_input="in", log="log", message_log=[their_messages.AIMessage("a")]
    )
    log = our_agents.AgentActionMessageLog("f", "in", "log", message_log=[our_messages.AIMessage("a")])
    assert_alike(from_langchain(their_log), log)
    their_step = their_agents.AgentStep(action=their_action, observation="seen")
    assert_alike(from_langchain(their_step), our_agents.AgentStep(action, "seen"))
    assert_alike(
        from_langchain(their_agents.AgentFinish({"output": 1}, "log")), our_agents.AgentFinish({"output": 1}, "log")
    )


def test_a_subclass_of_langchains_becomes_our_class_of_its_base() -> None:
    class Mine(their_messages.HumanMessage):
        mark: str = "!"

    made = from_langchain(Mine(content="a"))
    assert type(made) is our_messages.HumanMessage
    assert (made.content, made.__dict__) == ("a", {"mark": "!"})


@pytest.mark.parametrize("value", [1, "a", None, [1], {"a": (1, [2])}, object(), our_messages.HumanMessage("a")])
def test_other_values_are_returned_as_they_are(value: Any) -> None:
    assert from_langchain(value) is value


@pytest.mark.parametrize("info", [None, {"finish_reason": "stop"}])
def test_generations_have_the_fields_of_those_that_pydantic_made(info: Any) -> None:
    their_message, message = their_messages.AIMessageChunk(content="a"), our_messages.AIMessageChunk("a")
    given: Any = {} if info is None else {"generation_info": info}
    pairs: list[tuple[Any, Any]] = [
        (their_outputs.GenerationChunk(text="a", **given), our_outputs.GenerationChunk("a", info)),
        (their_outputs.Generation(text="a", **given), our_outputs.Generation("a", info)),
        (
            their_outputs.ChatGenerationChunk(message=their_message, **given),
            our_outputs.ChatGenerationChunk(message, info),
        ),
    ]
    for expected, generation in pairs:
        made = to_langchain(generation)
        assert_alike(made, expected)
        assert list(vars(made)) == list(vars(expected))
        assert made.model_dump() == expected.model_dump()
        for name in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
            assert getattr(made, name) == getattr(expected, name)
