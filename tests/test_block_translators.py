"""Answers and inputs of other providers as standard blocks, compared with LangChain's."""

import copy
from typing import Any

import pytest
from langchain_core import messages as theirs
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS as THEIR_TRANSLATORS

from millstream import messages as ours
from millstream.messages.block_translators import PROVIDER_TRANSLATORS
from provider_blocks import ANTHROPIC, CALLS, CONVERSE, GEMINI, INPUTS, METADATA, PIECES, TOOLS, without_ids

PLAIN: list[Any] = ["", "text", []]
CONTENTS: list[tuple[str, Any]] = [
    *(("anthropic", [block]) for block in ANTHROPIC),
    *(("bedrock", [block]) for block in ANTHROPIC[:7]),
    *(("bedrock_converse", [block]) for block in CONVERSE),
    *(("google_genai", [block]) for block in GEMINI),
    *(("anthropic", ANTHROPIC), ("bedrock", ANTHROPIC), ("bedrock_converse", CONVERSE), ("google_vertexai", GEMINI)),
    *((provider, content) for provider in PROVIDER_TRANSLATORS for content in PLAIN),
]


def blocks_of(name: str, **fields: Any) -> tuple[list[Any], list[Any]]:
    """Return the blocks of a message in both libraries, without generated ids; the content stays as it is."""
    own, their = (getattr(module, name)(**copy.deepcopy(fields)) for module in (ours, theirs))
    found = own.content_blocks, their.content_blocks
    assert own.content == fields["content"]
    return without_ids(found[0]), without_ids(found[1])


@pytest.mark.parametrize(("provider", "content"), CONTENTS, ids=range(len(CONTENTS)))
@pytest.mark.parametrize("number", [0, 1, 2])
def test_content_becomes_standard_as_in_langchain(provider: str, content: Any, number: int) -> None:
    metadata = {"model_provider": provider, "model_name": "claude"}
    own, their = blocks_of("AIMessage", content=content, tool_calls=CALLS[:number], response_metadata=metadata)
    assert own == their
    for position in (None, "last"):
        fields = {"tool_call_chunks": PIECES[:number], "chunk_position": position, "response_metadata": metadata}
        own, their = blocks_of("AIMessageChunk", content=content, **fields)
        assert own == their


@pytest.mark.parametrize(("provider", "metadata"), METADATA, ids=range(len(METADATA)))
@pytest.mark.parametrize("content", ["text", "", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]])
def test_metadata_of_answers_become_blocks_as_in_langchain(provider: str, metadata: Any, content: Any) -> None:
    own, their = blocks_of("AIMessage", content=content, response_metadata={**metadata, "model_provider": provider})
    assert own == their


def test_tools_of_groq_become_blocks_as_in_langchain() -> None:
    for tools in ([*TOOLS], *([tool] for tool in TOOLS)):
        own, their = blocks_of(
            "AIMessage",
            content="text",
            additional_kwargs={"executed_tools": tools, "reasoning_content": "r"},
            response_metadata={"model_provider": "groq"},
            tool_calls=CALLS,
        )
        assert own == their


def test_audio_of_gemini_becomes_a_block_as_in_langchain() -> None:
    for content in ("", ["a"]):
        own, their = blocks_of(
            "AIMessage",
            content=content,
            additional_kwargs={"audio": b"wave"},
            response_metadata={"model_provider": "google_genai"},
            tool_calls=CALLS,
        )
        assert own == their


@pytest.mark.parametrize("block", INPUTS, ids=range(len(INPUTS)))
def test_inputs_of_other_providers_become_standard_as_in_langchain(block: dict[str, Any]) -> None:
    own, their = blocks_of("HumanMessage", content=["a", block])
    assert own == their


def test_the_same_providers_are_known() -> None:
    assert PROVIDER_TRANSLATORS.keys() == THEIR_TRANSLATORS.keys()


@pytest.mark.parametrize("data", [{}, {"url": ""}, {"url": None}, None, ""])
def test_an_image_without_data_is_kept_as_it_is(data: Any) -> None:
    image = {"type": "image_url", "image_url": data}
    metadata = {"model_provider": "google_genai"}
    blocks = ours.AIMessage([image], response_metadata=metadata).content_blocks
    assert blocks == [{"type": "non_standard", "value": image}]
    with pytest.raises((ValueError, AttributeError), match="not a data URI|has no attribute 'get'"):
        theirs.AIMessage([image], response_metadata=metadata).content_blocks  # noqa: B018


def test_the_pieces_of_calls_beside_a_text_are_calls_as_in_langchain() -> None:
    for content in ("", "text"):
        own, their = blocks_of("AIMessageChunk", content=content, tool_call_chunks=PIECES[:1])
        assert own == their
        assert own[-1]["type"] == ("tool_call" if content else "tool_call_chunk")


@pytest.mark.parametrize("provider", ["anthropic", "bedrock", "bedrock_converse", "google_genai", "groq", "openai"])
def test_texts_beside_blocks_are_kept(provider: str) -> None:
    metadata = {"model_provider": provider, "model_name": "claude"}
    firsts: list[Any] = [[], "a", [{"type": "text", "text": "a"}]]
    for first in firsts:
        message = ours.AIMessageChunk(first, response_metadata=metadata) + ours.AIMessageChunk("b")
        message += ours.AIMessageChunk([{"type": "text", "text": "c", "index": 1}])
        texts = "".join(block["text"] for block in message.content_blocks if block["type"] == "text")
        assert texts == message.text == ("abc" if first else "bc")


@pytest.mark.parametrize("kind", [[], {}, None, 1, ""])
@pytest.mark.parametrize("provider", sorted({*THEIR_TRANSLATORS, ""} - {"groq"}))
def test_the_type_of_a_block_may_be_any_value(provider: str, kind: Any) -> None:
    block = {"type": kind, "more": 1}
    for module in (ours.AIMessage, ours.AIMessageChunk):
        metadata = {"model_provider": provider, "model_name": "claude"} if provider else {}
        message = module([block], response_metadata=metadata)
        assert message.content_blocks == [{"type": "non_standard", "value": block}]
