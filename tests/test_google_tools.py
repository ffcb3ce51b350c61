"""Tools and schemas of ``ChatGoogleGenerativeAI``'s requests, beside langchain-google-genai's."""

import json
import random
import warnings
from typing import Annotated, Any, Literal

import pytest
from google.genai import types
from langchain_google_genai._function_utils import _dict_to_genai_schema
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from google_peer import ask, bodies, quiet
from millstream import ChatGoogleGenerativeAI
from millstream.errors import UnsupportedError
from millstream.providers.google.schemas import convert_schema

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.tools import tool


def weather(city: str) -> str:
    """Return the weather."""
    return city


def optional(city: str, unit: str | None = None, kind: Literal["a", "b"] = "a", days: list[int] | None = None) -> str:
    """Return something.

    Args:
        city: The city.
        unit: The unit.
    """
    return f"{city}{unit}{kind}{days}"


@tool
def their_tool(q: Literal["a", "b"], n: int = 3) -> str:
    """Return two."""
    return q * n


class Typed(TypedDict):
    """A typed dict."""

    a: Annotated[int, ..., "an a"]
    b: list[dict[str, Any]]


class Inner(BaseModel):
    """The inner one."""

    s: str
    o: int | None = None


class Outer(BaseModel):
    """The outer one."""

    a: int = Field(description="A a")
    b: dict[str, int] = {}
    i: Inner
    many: list[Inner] = []
    u: Inner | str | None = None
    both: int | str = 1


OPENAI = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    },
}
SCHEMA = {
    "title": "J",
    "description": "jj",
    "type": "object",
    "properties": {"x": {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}}},
    "required": ["x"],
}
SEARCH: dict[str, Any] = {"google_search": {}}
BOUND: list[Any] = [
    *({"tools": [one]} for one in (weather, optional, their_tool, Typed, Outer, OPENAI, SCHEMA)),
    *({"tools": [weather, their_tool], "tool_choice": choice} for choice in ("any", "required", "auto", "none", True)),
    *({"tools": [weather, their_tool], "tool_choice": choice} for choice in ("weather", ["weather"])),
    {"tools": [weather], "tool_choice": {"mode": "any", "allowed_function_names": ["weather"]}},
    {"tools": [weather], "tool_choice": {"function_calling_config": {"mode": "VALIDATED"}}},
    {"tools": [weather], "tool_config": {"function_calling_config": {"mode": "ANY"}}},
    {"tools": [weather], "tool_config": {"retrieval_config": {"language_code": "de"}}, "tool_choice": "any"},
    {"tools": [SEARCH], "tool_choice": "any"},
    {"tools": [weather, SEARCH]},
    {"tools": [their_tool, {"code_execution": {}}], "tool_choice": "any"},
    {"tools": [OPENAI, SEARCH]},
    {"tools": [types.Tool(url_context=types.UrlContext())]},
    {"tools": [{"name": "n", "description": "d"}]},
    {"tools": [{"name": "n", "description": "d", "parameters": {"type": "object", "properties": {}}}]},
]
CALLED: list[Any] = [
    [weather, their_tool, Outer, OPENAI],
    [{"function_declarations": [{"name": "f", "description": "d"}]}],
    [types.Tool(google_search=types.GoogleSearch())],
    [SEARCH],
    [{"google_search_retrieval": {"dynamic_retrieval_config": {"mode": "MODE_DYNAMIC", "dynamic_threshold": 0.3}}}],
    [{"code_execution": {}}],
    [{"url_context": {}}, SEARCH],
    [{"computer_use": {"environment": "ENVIRONMENT_BROWSER"}}],
    [{"file_search": {"file_search_store_names": ["a"], "top_k": 2}}],
    [{"google_maps": {"enable_widget": True}}],
    [{"mcp_servers": [{"name": "a", "streamable_http_transport": {"url": "u"}}]}],
    [{"google_search": {}, "url_context": {}}],
    [{"google_search_retrieval": {}}, {"google_search_retrieval": {}}],
]
SCHEMAS: list[Any] = [
    *({"schema": one} for one in (Outer, Typed, SCHEMA, {"type": "object", "properties": {"a": {"type": "string"}}})),
    *({"schema": one, "method": "function_calling"} for one in (Outer, Typed, SCHEMA)),
    {"schema": Inner, "method": "json_mode"},
]


@pytest.mark.parametrize("bind", BOUND)
def test_bound_tools_make_the_request_that_langchain_sends(bind: Any) -> None:
    theirs, ours = bodies(bind=bind)
    assert ours == theirs


@pytest.mark.parametrize("tools", CALLED)
def test_tools_of_a_call_make_the_request_that_langchain_sends(tools: Any) -> None:
    theirs, ours = bodies(call={"tools": tools})
    assert ours == theirs


@pytest.mark.parametrize("schema", SCHEMAS)
def test_structured_output_makes_the_request_that_langchain_sends(schema: Any) -> None:
    theirs, ours = bodies(schema=schema)
    assert ours == theirs


def test_a_function_beside_a_built_in_tool_keeps_its_optional_parameters() -> None:
    theirs, ours = bodies(bind={"tools": [optional, SEARCH]})
    (_, theirs_tool), (_, ours_tool) = theirs["tools"], ours["tools"]
    assert theirs_tool["functionDeclarations"][0]["parameters"]["properties"]["unit"] == {"type": "STRING"}
    properties = ours_tool["functionDeclarations"][0]["parameters"]["properties"]
    assert properties["unit"] == {"type": "STRING", "nullable": True}


def test_a_typed_dict_beside_a_built_in_tool_is_a_function() -> None:
    theirs, ours = ask(bind={"tools": [Typed, SEARCH]})
    assert theirs[0] == "error"
    assert ours[1]["tools"][1]["functionDeclarations"][0]["name"] == "Typed"


@pytest.mark.parametrize("name", ["retrieval", "enterprise_web_search", "parallel_ai_search", "exa_ai_search"])
def test_a_tool_of_vertex_ai_is_refused(name: str) -> None:
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k")
    with pytest.raises(UnsupportedError, match=f"{name} is Vertex AI's"):
        model.invoke("hi", tools=[{name: {}}])


def test_one_tool_without_a_list_is_refused() -> None:
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k")
    with pytest.raises(TypeError, match="tools must be a list"):
        model.bind_tools(Outer)  # type: ignore[arg-type]


def test_a_choice_needs_tools() -> None:
    theirs, ours = ask(call={"tool_choice": "any"})
    assert theirs[0] == ours[0] == "error"
    assert "'tool_choice' can only be specified if 'tools' is specified" in ours[1]


def test_a_list_of_types_is_a_nullable_type() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["integer", "null"]}, "b": {"type": ["string"]}}}
    converted = convert_schema(schema)
    assert converted is not None
    assert converted["properties"] == {"a": {"type": "INTEGER", "nullable": True}, "b": {"type": "STRING"}}


@pytest.mark.parametrize("seed", range(300))
def test_a_random_schema_is_converted_as_langchain_converts_it(seed: int) -> None:
    schema = random_schema(random.Random(seed))
    converted = convert_schema(schema)
    try:
        with quiet():
            expected = _dict_to_genai_schema(json.loads(json.dumps(schema)))
    except IndexError:
        # Theirs cannot convert alternatives of alternatives.
        assert converted is not None
        return
    dumped = expected and json.loads(expected.model_dump_json(exclude_none=True))
    assert converted == dumped


def random_schema(source: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return a schema of an object, an array, alternatives or a value."""
    kind = source.random()
    schema: dict[str, Any] = {}
    if depth == 0 or (depth < 4 and kind < 0.35):
        names = source.sample(["a", "b", "title"], source.randint(0, 3))
        schema = {"type": "object", "properties": {name: random_schema(source, depth + 1) for name in names}}
        if source.random() < 0.5:
            schema["required"] = names[:1]
        if source.random() < 0.2:
            schema["additionalProperties"] = source.choice([True, False, {"type": "string"}])
    elif depth < 4 and kind < 0.5:
        schema = {"type": "array", "items": source.choice([{}, random_schema(source, depth + 1)])}
    elif depth < 4 and kind < 0.65:
        null = [{"type": "null"}] if source.random() < 0.6 else []
        schema = {"anyOf": [random_schema(source, depth + 1) for _ in range(source.randint(1, 2))] + null}
    elif kind < 0.95:
        schema = {"type": source.choice(["string", "integer", "number", "boolean"])}
        if schema["type"] == "string" and source.random() < 0.3:
            schema["enum"] = ["x", "y"]
    for key, value in (("description", f"D{depth}"), ("title", f"T{depth}"), ("default", None)):
        if source.random() < 0.25:
            schema[key] = value
    return schema
