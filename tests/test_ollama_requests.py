"""``ChatOllama``: the bodies of its requests, compared with those of LangChain's class over Ollama's SDK."""

import warnings
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel, Field

from millstream.messages import HumanMessage, RemoveMessage
from millstream.providers.ollama import ChatOllama
from millstream.testing import MockServer
from ollama_peers import ask, end, ollama_of, peer, served

ANSWER = served(end("x"))
IMAGE = "aGk="


def conversation(library: Any) -> list[Any]:
    calls = [{"name": "f", "args": {"x": 1}, "id": "1"}, {"name": "g", "args": {}, "id": "2"}]
    return [
        library.SystemMessage("s"),
        library.HumanMessage("h", name="someone"),
        library.HumanMessage(
            [
                {"type": "text", "text": "a"},
                "b",
                {"type": "image_url", "image_url": f"data:image/png;base64,{IMAGE}"},
                {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
                {"type": "image", "base64": IMAGE, "mime_type": "image/png"},
                {"type": "image", "source_type": "base64", "data": IMAGE, "mime_type": "image/png"},
            ]
        ),
        library.AIMessage("", tool_calls=calls, additional_kwargs={"reasoning_content": "R"}),
        library.ToolMessage("res", tool_call_id="1", name="f"),
        library.ToolMessage([{"type": "text", "text": "z"}], tool_call_id="2"),
        library.AIMessage([{"type": "text", "text": "q"}, {"type": "tool_use", "id": "1", "name": "z", "input": {}}]),
        library.AIMessage(
            [
                {"type": "reasoning", "reasoning": "r"},
                {"type": "text", "text": "t"},
                {"type": "non_standard", "value": {"a": 1}},
                {"type": "tool_call", "id": "1", "name": "f", "args": {}},
            ],
            response_metadata={"output_version": "v1"},
        ),
        library.ChatMessage("thinking", role="control"),
        library.AIMessageChunk("c"),
        library.HumanMessage(""),
    ]


ALL = {
    **{"mirostat": 1, "mirostat_eta": 1, "mirostat_tau": 0.5, "num_ctx": 5, "num_gpu": 1, "num_thread": 2},
    **{"num_predict": 3, "repeat_last_n": 4, "repeat_penalty": 1.5, "temperature": 0, "seed": 6, "stop": ["x"]},
    **{"tfs_z": 1, "top_k": 4, "top_p": 1},
}
SCHEMA = {"title": "A", "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
OF_OPENAI = {"type": "json_schema", "json_schema": {"name": "A", "schema": SCHEMA}}
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    (ALL, {}),
    ({"temperature": "0.5", "seed": "1"}, {}),
    ({}, {"stop": ["y"]}),
    ({"temperature": 0.5}, {"options": {"seed": 1, "other": None}}),
    *(({"reasoning": value}, {}) for value in (True, False, None, "low", "medium", "high")),
    *(({"reasoning": True}, {"reasoning": value}) for value in (False, None, "low")),
    *(({"keep_alive": value}, {}) for value in (0, -1, 300, "5m", "0")),
    ({"keep_alive": "5m"}, {"keep_alive": "1h"}),
    *(({"format": value}, {}) for value in ("", "json", SCHEMA, None)),
    ({"format": "json"}, {"format": SCHEMA}),
    ({}, {"response_format": {"type": "json_object"}}),
    ({}, {"response_format": OF_OPENAI}),
    ({"logprobs": True}, {}),
    ({"logprobs": True, "top_logprobs": 2}, {}),
    ({"logprobs": False}, {"logprobs": True, "top_logprobs": 1}),
    ({}, {"model": "other", "strict": True}),
    ({}, {"stream": False}),
]


@pytest.mark.parametrize(("fields", "arguments"), CASES)
def test_bodies_are_langchains_to_the_order_of_keys(fields: dict[str, Any], arguments: dict[str, Any]) -> None:
    _, _, (mine, theirs) = ask(ANSWER, "invoke", fields=fields, input=conversation, **arguments)
    assert list(mine.items()) == list(theirs.items())


@pytest.mark.parametrize("how", ["stream", "ainvoke", "astream", "batch", "abatch"])
def test_every_way_to_ask_sends_the_same_body(how: str) -> None:
    _, _, (mine, theirs) = ask(ANSWER, how, fields=ALL, input=conversation)
    assert mine == theirs
    assert mine["stream"] is True


WRONG_FORMATS: list[tuple[dict[str, Any], Any]] = [
    ({"format": "json"}, {"type": "json_object"}),
    ({}, {"type": "x"}),
    ({}, 1),
    ({}, {"type": "json_schema"}),
    ({}, {"type": "json_schema", "json_schema": {}}),
]


@pytest.mark.parametrize(("fields", "response_format"), WRONG_FORMATS)
def test_a_response_format_without_an_equivalent_is_ignored_with_langchains_warning(
    fields: dict[str, Any], response_format: Any
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, _, (mine, theirs) = ask(ANSWER, "invoke", fields=fields, response_format=response_format)
    assert mine == theirs
    messages = [str(one.message) for one in caught if "format" in str(one.message)]
    assert len(messages) == 2
    assert messages[0] == messages[1]


# Tools.


def weather(city: str, unit: str = "c") -> str:
    """Get the weather.

    Args:
        city: The city's name.
        unit: Its unit.
    """
    return f"{city} {unit}"


class Weather(TypedDict):
    """Get the weather."""

    city: Annotated[str, ..., "The city's name."]
    days: list[int]


class Place(BaseModel):
    """A place."""

    name: str = Field(description="its name")
    tags: list[str]


OPENAI_TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}, "strict": True},
}


@pytest.mark.parametrize("tool", [weather, Weather, Place, OPENAI_TOOL, {"name": "f", "description": "d"}, SCHEMA])
def test_tools_are_sent_as_langchains(tool: Any) -> None:
    with MockServer(ANSWER) as server, peer(server) as theirs:
        for model in (ollama_of(server), theirs):
            model.bind_tools([tool], tool_choice="any").invoke("p")
        mine, expected = (request.body for request in server.requests)
    assert mine == expected
    assert len(mine["tools"]) == 1


class Trip(BaseModel):
    """A trip."""

    start: Place
    ends: list[Place]
    note: str | None = None
    length: int | float


def test_nested_parameters_and_choices_of_types_are_sent() -> None:
    # The SDK's `Tool` drops them (ollama/ollama-python, issues 429 and 724); the server reads `anyOf`, `properties`
    # and `required` of a parameter (`ToolProperty` in its api/types.go).
    with MockServer(ANSWER) as server, peer(server) as theirs:
        for model in (ollama_of(server), theirs):
            model.bind_tools([Trip]).invoke("p")
        mine, expected = (
            request.body["tools"][0]["function"]["parameters"]["properties"] for request in server.requests
        )
    place = {
        "type": "object",
        "description": "A place.",
        "properties": {
            "name": {"type": "string", "description": "its name"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "tags"],
    }
    assert expected["start"] == {"type": "object", "description": "A place."}
    assert expected["note"] == expected["length"] == {}
    assert mine["start"] == place
    assert mine["ends"] == expected["ends"] | {"items": mine["ends"]["items"]}
    assert mine["ends"]["items"] == place
    assert mine["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert mine["length"] == {"anyOf": [{"type": "integer"}, {"type": "number"}]}


def test_one_tool_in_place_of_a_list_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"tools must be a list, not weather alone: write bind_tools\(\[…\]\)"):
        ChatOllama(model="m").bind_tools(weather)  # type: ignore[arg-type]


# Input that is refused.


def test_stop_texts_of_the_model_and_of_the_call_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="`stop` found in both the input and default params"):
        ChatOllama(model="m", stop=["a"]).invoke("p", stop=["b"])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"type": "image_url", "image_url": {"no": "url"}}, "Only string image_url or dict with string 'url'"),
        ({"type": "image_url", "image_url": "https://example.com/a.png"}, "in-line base64"),
        ({"type": "image", "url": "https://example.com/a.png"}, "in-line base64"),
        ({"type": "audio", "base64": IMAGE, "mime_type": "audio/wav"}, "Blocks of type audio not supported"),
        ({"type": "video_url"}, "Unsupported message content type"),
    ],
)
def test_content_that_ollama_does_not_accept_is_an_error(block: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatOllama(model="m").invoke([HumanMessage([block])])


def test_a_path_is_not_an_image(tmp_path: Any) -> None:
    # The SDK reads the file at any path, so a message's author could have files of the machine sent.
    path = tmp_path / "secret"
    path.write_text("secret")
    with MockServer(ANSWER) as server, peer(server) as theirs:
        theirs.invoke([("human", [{"type": "image_url", "image_url": str(path)}])])
        assert server.requests[-1].body["messages"][0]["images"] == ["c2VjcmV0"]
        with pytest.raises(ValueError, match="in-line base64"):
            ollama_of(server).invoke([HumanMessage([{"type": "image_url", "image_url": str(path)}])])
        assert len(server.requests) == 1


def test_a_message_of_another_kind_is_an_error() -> None:
    with pytest.raises(TypeError, match="unsupported message type for Ollama: RemoveMessage"):
        ChatOllama(model="m").invoke([RemoveMessage(id="1")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0}, "'temperature'; it is an argument of ChatOllama"),
        ({"num_predit": 1}, "'num_predit'"),
    ],
)
def test_an_unknown_argument_of_a_call_is_an_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ChatOllama(model="m").invoke("p", **arguments)
