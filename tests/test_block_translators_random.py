"""Random answers of every provider as standard blocks, whole and in chunks, compared with LangChain's."""

import copy
import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from langchain_core import messages as theirs

from millstream import messages as ours
from provider_blocks import (
    ANTHROPIC,
    CALLS,
    CONVERSE,
    GEMINI,
    INPUTS,
    METADATA,
    PIECES,
    RESPONSES,
    TOOLS,
    without_ids,
)

BLOCKS: dict[str, list[Any]] = {
    "": INPUTS,
    "anthropic": ANTHROPIC,
    "bedrock": ANTHROPIC,
    "bedrock_converse": CONVERSE,
    "google_genai": GEMINI,
    "google_vertexai": GEMINI,
    "groq": [],
    "openai": RESPONSES,
}
KWARGS: list[dict[str, Any]] = [
    {},
    {"reasoning_content": "r"},
    {"refusal": "no"},
    {"reasoning": {"id": "r", "summary": [{"text": "a"}]}},
    {"audio": b"wave"},
    {"executed_tools": TOOLS},
]
ADDED: list[tuple[str, Any]] = [("index", 1), ("index", 2), ("id", "x"), ("more", 1), ("status", "x"), ("name", "n")]
ADDED += [("extras", {"e": 1}), ("summary", None), ("outputs", None)]


@st.composite
def changed(draw: st.DrawFn, blocks: list[Any]) -> Any:
    """Draw one of the blocks, and add, empty or leave out some of its entries."""
    block = copy.deepcopy(draw(st.sampled_from(blocks)))
    for _ in range(draw(st.integers(0, 2)) if isinstance(block, dict) else 0):
        key = draw(st.sampled_from([*block, ""]))
        if not key:
            block.update([draw(st.sampled_from(ADDED))])
        elif key != "type" and draw(st.booleans()):
            del block[key]
        elif isinstance(block[key], str | list | dict) and key != "type":
            block[key] = type(block[key])()
    return block


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw the fields of one message or of several chunks."""
    provider = draw(st.sampled_from(sorted(BLOCKS)))
    blocks, plain = BLOCKS[provider], st.sampled_from(["", "text"])
    contents = st.one_of(st.lists(changed(blocks), max_size=3), plain) if blocks else plain
    metadata: dict[str, Any] = {"model_name": draw(st.sampled_from(["claude", "titan"]))}
    metadata |= draw(st.sampled_from([{}, *(one for name, one in METADATA if name == provider)]))
    metadata |= {"model_provider": provider} if provider else {}
    # Reasoning beside the content of a chat completion is dropped by LangChain alone.
    kwargs = draw(st.sampled_from([one for one in KWARGS if provider != "openai" or "reasoning_content" not in one]))
    first: dict[str, Any] = {"content": draw(contents), "response_metadata": metadata, "additional_kwargs": kwargs}
    number = draw(st.integers(0, 2))
    if draw(st.booleans()):
        return [{**first, "tool_calls": CALLS[:number]}]
    more = [{"content": one} for one in draw(st.lists(contents, max_size=2))]
    further: list[Any] = [{"name": None, "args": ": 1}", "id": None, "index": index} for index in range(number)]
    parts = [{**first, "tool_call_chunks": draw(st.sampled_from([[], PIECES[:number]]))}]
    parts += [{**part, "tool_call_chunks": draw(st.sampled_from([[], further]))} for part in more]
    return [*parts[:-1], {**parts[-1], "chunk_position": draw(st.sampled_from([None, "last"]))}]


def build(module: Any, parts: list[dict[str, Any]]) -> Any:
    """Return the message, or the sum of the chunks."""
    kind = module.AIMessage if "tool_calls" in parts[0] else module.AIMessageChunk
    message, *more = (kind(**copy.deepcopy(part)) for part in parts)
    for one in more:
        message += one
    return message


def as_merged(message: Any) -> str:
    """Return all that blocks are made of, as text."""
    values = [message.content, message.tool_calls, message.response_metadata, message.additional_kwargs]
    return json.dumps(values, sort_keys=True, default=str)


@given(answers())
@settings(max_examples=400, deadline=None)
def test_answers_of_any_provider_become_the_blocks_of_langchain(parts: list[dict[str, Any]]) -> None:
    own = build(ours, parts)
    try:
        their = build(theirs, parts)
        expected = their.content_blocks
    except (KeyError, TypeError, ValueError):
        # LangChain does not read such a block, or merge such chunks.
        assert isinstance(own.content_blocks, list)
        return
    # How chunks are merged is compared elsewhere. LangChain drops most texts beside blocks.
    assume(as_merged(own) == as_merged(their))
    assume(isinstance(own.content, str) or not any(isinstance(item, str) for item in own.content))
    assert json.dumps(without_ids(own.content_blocks), default=str) == json.dumps(without_ids(expected), default=str)
    assert as_merged(own) == as_merged(their)
