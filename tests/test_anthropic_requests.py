"""The parameters of requests to Anthropic, beside langchain-anthropic's."""

import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.messages import AIMessage, HumanMessage

from anthropic_peer import both_models, both_payloads

ASK = HumanMessage("p")
MCP = [{"type": "url", "url": "https://mcp.host/sse", "name": "m"}]
SCHEMA = {"title": "S", "type": "object", "properties": {"a": {"type": "integer"}}}

# Constructor arguments, then those of the call.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "an unknown model": ({"model": "m"}, {}),
    "a limit": ({"max_tokens": 5}, {}),
    "a limit by its older name": ({"max_tokens_to_sample": 5}, {}),
    "a limit of the call": ({"max_tokens": 5}, {"max_tokens": 7}),
    "sampling": ({"temperature": 1, "top_p": 0.5, "top_k": 3}, {}),
    "sampling of the call": ({"temperature": 0.5}, {"temperature": 0.1, "top_k": 2}),
    "stop": ({"stop": ["a"]}, {}),
    "stop sequences": ({"stop_sequences": ["a"]}, {"stop": ["b"]}),
    "model_kwargs": ({"model_kwargs": {"service_tier": "auto"}}, {}),
    "metadata of the request": ({}, {"metadata": {"user_id": "u"}}),
    "cache control": ({}, {"cache_control": {"type": "ephemeral"}}),
    "thinking": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, {}),
    "thinking of the call": ({}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    "thinking with updates": ({"thinking": {"type": "adaptive", "display": "updates"}}, {}),
    "an effort": ({"effort": "low"}, {}),
    "an effort by its other name": ({"reasoning_effort": "high", "output_config": {"format": {}}}, {}),
    "an effort of a newer model": ({"model": "claude-opus-5", "effort": "xhigh"}, {}),
    "an effort of the call": ({"model": "claude-opus-5", "effort": "xhigh"}, {"effort": "low"}),
    "an effort of the call by its other name": ({"model": "claude-opus-5"}, {"reasoning_effort": "low"}),
    "an effort and thinking": ({"model": "claude-opus-5", "effort": "low", "thinking": {"type": "disabled"}}, {}),
    "an effort in the output's configuration": ({"output_config": {"effort": "low"}}, {"output_config": {"x": 1}}),
    "a budget": ({"output_config": {"task_budget": {"type": "tokens", "total": 5}}}, {}),
    "betas": ({"betas": ["a", "b"]}, {}),
    "betas of the call": ({"betas": ["a"]}, {"betas": ["c"]}),
    "an MCP server": ({"mcp_servers": MCP}, {}),
    "an MCP server and betas": ({"mcp_servers": MCP, "betas": ["a", "mcp-client-2025-11-20"]}, {}),
    "context management": ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, {}),
    "a container": ({"container": "c1"}, {}),
    "a container with skills": ({"container": {"skills": [{"skill_id": "xlsx", "type": "anthropic"}]}}, {}),
    "a region": ({"inference_geo": "us"}, {}),
    "a profile of the user": ({"user_profile_id": "u"}, {}),
    "tools of the provider": (
        {},
        {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}, {"type": "memory_20250818", "name": "m"}]},
    ),
    "examples of inputs": ({"betas": ["a"]}, {"tools": [{"name": "f", "input_schema": {}, "input_examples": [{}]}]}),
    "a format of the answer": ({}, {"response_format": SCHEMA}),
    "a format in OpenAI's form": (
        {"effort": "low"},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
    ),
    "a format by its older name": ({}, {"output_format": {"type": "json_schema", "schema": {}}}),
    "extra headers": ({}, {"extra_headers": {"x": "y"}, "extra_query": {"q": "1"}, "timeout": 3}),
    "an extra body": ({"temperature": 0.5}, {"extra_body": {"min_p": 0.1}}),
    "a model without sampling": ({"model": "claude-fable-5", "temperature": 1.0}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_has_the_parameters_of_langchains(name: str) -> None:
    arguments, call = CASES[name]
    mine, theirs = both_payloads([ASK], call, **arguments)
    # The same in other words: the version in which LangChain removes a parameter.
    warned = {text.replace(" and will be removed in langchain-anthropic 2.0.0", "") for text in theirs[1]}
    assert mine == (theirs[0], warned)
    assert isinstance(mine[0], dict), mine


@pytest.mark.parametrize("name", ["claude-fable-5", "claude-sonnet-5-5", "claude-opus-5", "claude-sonnet-4-5"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"top_k": 1},
        {"top_p": 0.5},
        {"top_p": 1},
        {"temperature": 0.5},
        {"temperature": 1},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "disabled"}, "effort": "max"},
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "xhigh"}},
        {"thinking": {"type": "disabled"}, "effort": "high"},
    ],
)
def test_parameters_that_a_model_does_not_support_raise_as_in_langchain(name: str, arguments: dict[str, Any]) -> None:
    assert len(set(map(repr, both_payloads([ASK], {}, model=name, **arguments)))) == 1
    assert len(set(map(repr, both_payloads([ASK], arguments, model=name)))) == 1


ANSWER = AIMessage("a", response_metadata={"container": {"id": "c9", "expires_at": "x"}})


@pytest.mark.parametrize("container", [None, "c1", {"skills": []}, {"id": "c2"}])
@pytest.mark.parametrize("messages", [[ASK, ANSWER, ASK], [ASK]])
def test_the_container_of_the_last_answer_is_used_again(container: Any, messages: list[Any]) -> None:
    mine, theirs = both_payloads(messages, {}, container=container, reuse_last_container=True)
    assert mine == theirs


STANDARD: list[Any] = [
    {"type": "reasoning", "reasoning": "r", "extras": {"signature": "s"}},
    {"type": "reasoning", "extras": {}},
    {"type": "text", "text": "t"},
    {
        "type": "text",
        "text": "t",
        "annotations": [
            {
                "type": "citation",
                "cited_text": "c",
                "title": "T",
                "url": "https://x",
                "extras": {"encrypted_index": "e"},
            },
            {"type": "citation", "cited_text": "c", "title": "T", "extras": {"start_char_index": 1}},
            {"type": "citation", "cited_text": "c", "title": "T", "extras": {"search_result_index": 1, "source": "s"}},
            {"type": "citation", "title": None, "extras": {"start_block_index": 1, "document_index": 2}},
            {"type": "citation", "cited_text": "c", "title": "", "extras": {"start_page_number": 1}},
            {"type": "citation", "cited_text": "c"},
            {"type": "non_standard_annotation", "value": {"type": "v"}},
        ],
    },
    {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "t1", "extras": {"caller": {"type": "direct"}}},
    {"type": "tool_call_chunk", "name": "f", "args": '{"a": 2}', "id": "t2"},
    {"type": "tool_call_chunk", "name": "f", "args": '{"a"', "id": "t3", "extras": {"toolset_name": "x"}},
    {"type": "invalid_tool_call", "name": "f", "args": "x", "id": "t4"},
    {"type": "invalid_tool_call", "name": None, "args": "x", "id": "t5"},
    {"type": "server_tool_call", "name": "code_interpreter", "args": {"code": "1"}, "id": "s1"},
    {"type": "server_tool_call", "name": "web_search", "args": {}, "id": "s2", "extras": {"partial_json": '{"q": 1}'}},
    {
        "type": "server_tool_call",
        "name": "remote_mcp",
        "args": {},
        "id": "s3",
        "extras": {"tool_name": "n", "server_name": "v"},
    },
    {"type": "server_tool_result", "tool_call_id": "s1", "output": {}, "extras": {"block_type": "x_tool_result"}},
    {
        "type": "server_tool_result",
        "tool_call_id": "s3",
        "status": "error",
        "extras": {"block_type": "mcp_tool_result"},
    },
    {"type": "non_standard", "value": {"type": "compaction", "content": "c"}},
    {"type": "refusal", "refusal": "no"},
]


@pytest.mark.parametrize("provider", ["anthropic", "openai", None])
def test_an_answer_of_standard_blocks_is_sent_as_langchain_sends_it(provider: str | None) -> None:
    metadata = {"output_version": "v1", **({"model_provider": provider} if provider else {})}
    calls: list[Any] = [{"name": "f", "args": {"a": 1}, "id": "t1"}]
    for blocks in (STANDARD, *([block] for block in STANDARD)):
        answer = AIMessage(blocks, response_metadata=metadata, tool_calls=calls)
        mine, theirs = both_payloads([ASK, answer, ASK], {})
        assert mine == theirs, blocks


def test_profiles_limits_and_metadata_of_runs_are_langchains() -> None:
    from langchain_anthropic.data._profiles import _PROFILES

    for name in (*_PROFILES, "m"):
        mine, theirs = both_models(model=name, betas=["context-1m-2025-08-07"], stop=["x"], effort="low")
        assert mine.profile == theirs.profile
        assert mine.max_tokens == theirs.max_tokens
        assert mine._get_ls_params(["s"], max_tokens=3) == dict(theirs._get_ls_params(["s"], max_tokens=3))
        assert mine._identifying_params == theirs._identifying_params
        assert mine._llm_type == theirs._llm_type
