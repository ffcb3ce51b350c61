"""Messages as Anthropic's requests have them, beside langchain-anthropic's."""

import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage

from anthropic_peer import both_payloads
from millstream.providers.anthropic.data_blocks import format_data

ASK = HumanMessage("what is it?")
CALL = {"name": "add", "args": {"a": 1}, "id": "toolu_1", "type": "tool_call"}
ODD = {**CALL, "id": "functions.add:0"}
OWN = {"model_provider": "anthropic"}
MARK = {"type": "ephemeral"}
CITATION = {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": None, "file_id": None}

CONVERSATIONS: dict[str, list[Any]] = {
    "a text": [ASK],
    "a system prompt": [SystemMessage("be brief"), ASK],
    "a system prompt of blocks": [
        SystemMessage(["a", {"type": "text", "text": "b", "cache_control": MARK, "id": "x"}]),
        ASK,
    ],
    "two system prompts in a row": [SystemMessage("a"), SystemMessage([{"type": "text", "text": "b"}]), ASK],
    "an unknown block in the system prompt": [SystemMessage([{"type": "image", "url": "https://x/y"}]), ASK],
    "a change of tools in the system prompt": [
        SystemMessage([{"type": "non_standard", "value": {"type": "tool_removal", "tool": {"name": "f"}}}]),
        ASK,
    ],
    "neighbours": [ASK, HumanMessage(["and", {"type": "text", "text": "that?"}]), HumanMessage("x")],
    "an answer between": [ASK, AIMessage("a "), HumanMessage("u")],
    "a prefilled answer": [ASK, AIMessage("The answer is ")],
    "a prefilled answer of blocks": [ASK, AIMessage([{"type": "text", "text": "The answer is \n"}])],
    "an empty answer between": [ASK, AIMessage(""), HumanMessage("u")],
    "an empty answer at the end": [ASK, AIMessage("")],
    "a call": [ASK, AIMessage("I add", tool_calls=[CALL]), ToolMessage("2", tool_call_id="toolu_1")],
    "a call without a text": [ASK, AIMessage("", tool_calls=[CALL]), ToolMessage("2", tool_call_id="toolu_1")],
    "an id of another provider": [
        ASK,
        AIMessage("", tool_calls=[ODD]),
        ToolMessage("2", tool_call_id="functions.add:0", status="error"),
        ToolMessage([{"type": "tool_result", "tool_use_id": "a.b", "content": "x"}], tool_call_id="a.b"),
    ],
    "a call as a block": [
        ASK,
        AIMessage(
            [{"type": "text", "text": "t"}, {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2}}],
            tool_calls=[CALL],
        ),
        ToolMessage("2", tool_call_id="toolu_1"),
    ],
    "blocks of calls that are not calls": [
        ASK,
        AIMessage(
            [
                {"type": "tool_use", "id": "a", "name": "f", "input": {"a": 2}, "index": 1},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}, "partial_json": '{"x": 1}'},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}, "partial_json": '{"x"'},
                {"type": "tool_use", "id": "d", "name": "f", "input": {}, "partial_json": ""},
                {"type": "tool_use", "id": "e", "name": "f", "input": {"q": 1}, "caller": {"type": "direct"}},
                {"type": "tool_use", "id": "g", "name": "f", "input": {}},
            ]
        ),
        HumanMessage("u"),
    ],
    "a toolset": [
        ASK,
        AIMessage(
            [{"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}, "toolset_name": "browser"}],
            tool_calls=[CALL],
        ),
        ToolMessage("2", tool_call_id="toolu_1"),
    ],
    "invalid calls": [
        ASK,
        AIMessage(
            "",
            invalid_tool_calls=[
                {"name": "f", "args": '{"a"', "id": "x.y", "error": None},
                {"name": "f", "args": "[1]", "id": "z", "error": None},
                {"name": "f", "args": '{"a": 1}', "id": "z", "error": None},
                {"name": None, "args": "", "id": "q", "error": None},
            ],
        ),
        HumanMessage("u"),
    ],
    "results of tools": [
        ASK,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage(
            [
                {"type": "text", "text": "t", "cache_control": MARK},
                {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
            ],
            tool_call_id="toolu_1",
        ),
        HumanMessage("so?"),
    ],
    "results as blocks": [
        ASK,
        AIMessage("", tool_calls=[CALL]),
        HumanMessage(
            [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "t", "id": "i"}],
                },
                {"type": "tool_result", "tool_use_id": "b", "content": "t", "is_error": True},
                {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "tool_reference", "name": "n"}]},
            ]
        ),
    ],
    "thinking": [
        ASK,
        AIMessage(
            [
                {"type": "thinking", "thinking": "Hm", "signature": "c2ln", "index": 0},
                {"type": "thinking", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "x", "index": 1},
                {"type": "text", "text": "t", "citations": [CITATION], "index": 2},
                {"type": "text", "text": "  "},
            ]
        ),
        HumanMessage("u"),
    ],
    "other blocks of answers": [
        ASK,
        AIMessage(
            [
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}, "partial_json": '{"q": "x"}'},
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}, "partial_json": "{", "x": 1},
                {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "sv", "input": {"a": 1}, "index": 3},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "x"}], "caller": None},
                {"type": "mcp_tool_result", "tool_use_id": "m.n", "content": [], "is_error": False, "index": 1},
                {"type": "tool_search_tool_result", "tool_use_id": "m.n", "content": [], "is_error": False},
                {"type": "code_execution_tool_result", "tool_use_id": "m", "content": {"stdout": "x"}},
                {"type": "advisor_tool_result", "tool_use_id": "m", "content": {}, "index": 1},
                {"type": "compaction", "content": "c", "index": 1},
                {"type": "container_upload", "file_id": "f"},
                {"type": "refusal", "refusal": "no"},
            ]
        ),
        HumanMessage("u"),
    ],
    "another provider's reasoning": [
        ASK,
        AIMessage([{"type": "reasoning", "reasoning": "r"}, {"type": "function_call"}, {"type": "text", "text": "t"}]),
        HumanMessage("u"),
    ],
    "own reasoning": [
        ASK,
        AIMessage([{"type": "reasoning", "x": 1}, {"type": "text", "text": "t"}], response_metadata=OWN),
        HumanMessage("u"),
    ],
    "images": [
        HumanMessage(
            [
                {"type": "image_url", "image_url": {"url": "https://host/i.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                {"type": "image", "url": "https://host/i.png", "cache_control": MARK},
                {"type": "image", "url": "data:image/jpeg;base64,aGk=", "extras": {"cache_control": MARK}},
                {"type": "image", "base64": "aGk=", "mime_type": "image/png", "metadata": {"title": "t"}},
                {"type": "image", "source_type": "base64", "data": "aGk=", "mime_type": "image/png"},
                {"type": "image", "source_type": "url", "url": "https://host/i.png"},
                {"type": "image", "source_type": "id", "id": "file_1"},
                {"type": "image", "file_id": "file_1"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            ]
        )
    ],
    "documents": [
        HumanMessage(
            [
                {"type": "file", "url": "https://host/f.pdf", "title": "t", "citations": {"enabled": True}},
                {"type": "file", "base64": "aGk=", "mime_type": "application/pdf", "context": "c"},
                {"type": "file", "source_type": "base64", "data": "aGk="},
                {"type": "file", "source_type": "text", "text": "t"},
                {"type": "file", "source_type": "id", "id": "file_1"},
                {"type": "file", "file_id": "file_1"},
                {"type": "text-plain", "text": "t", "mime_type": "text/plain", "extras": {"title": "u"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
                {"type": "search_result", "source": "s", "title": "t", "content": []},
            ]
        )
    ],
    "the chunks of an answer": [
        ASK,
        AIMessageChunk(
            content=[
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "add",
                    "input": {},
                    "partial_json": '{"a": 1}',
                    "index": 0,
                }
            ],
            tool_call_chunks=[{"name": "add", "args": '{"a": 1}', "id": "toolu_1", "index": 0}],
        ),
        ToolMessage("2", tool_call_id="toolu_1"),
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_sent_as_langchain_sends_it(name: str) -> None:
    mine, theirs = both_payloads(CONVERSATIONS[name])
    assert mine == theirs
    assert isinstance(mine[0], dict), mine


def test_a_conversation_is_not_changed() -> None:
    for conversation in CONVERSATIONS.values():
        before = [message.model_dump() for message in conversation]
        both_payloads(conversation)
        assert [message.model_dump() for message in conversation] == before


LATER = SystemMessage("from now on, rhyme")
TOOLS = SystemMessage(
    [{"type": "tool_addition", "tool": {"type": "tool_definition", "name": "f"}}, {"type": "text", "text": "new"}]
)
SEARCHED = AIMessage([{"type": "web_search_tool_result", "tool_use_id": "s", "content": []}])


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-5"])
@pytest.mark.parametrize(
    "messages",
    [
        [ASK, LATER],
        [ASK, LATER, AIMessage("a"), HumanMessage("u")],
        [SystemMessage("s"), ASK, LATER, TOOLS, AIMessage("a"), HumanMessage("u")],
        [ASK, AIMessage("a"), LATER, HumanMessage("u")],
        [ASK, SEARCHED, LATER, AIMessage("a")],
        [ASK, LATER, AIMessage("a"), HumanMessage("u"), TOOLS],
        [ASK, TOOLS],
        [ASK, SystemMessage([{"type": "image"}])],
        [SystemMessage("s"), ASK, LATER, HumanMessage("u")],
    ],
)
def test_a_system_message_in_a_conversation_stays_where_the_model_accepts_it(messages: list[Any], model: str) -> None:
    mine, theirs = both_payloads(messages, model=model)
    assert mine == theirs


def test_an_image_without_its_type_raises() -> None:
    with pytest.raises(ValueError, match="needs its mime_type"):
        format_data({"type": "image", "base64": "aGk="})


@pytest.mark.parametrize(
    "content",
    [
        [{"text": "no type"}],
        [{"type": "image_url", "image_url": {"url": "ftp://x"}}],
        [{"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}],
        [{"type": "video", "url": "https://x/y"}],
        [{"type": "image", "text": "t"}],
        [{"type": "file", "text": "t"}],
    ],
)
def test_a_block_that_anthropic_does_not_take_raises_as_in_langchain(content: Any) -> None:
    mine, theirs = both_payloads([HumanMessage(content)])
    assert isinstance(mine[0], str)
    assert mine == theirs
