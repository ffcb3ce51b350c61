"""Messages, tool calls and configurations as fields of pydantic models, and in FastAPI's endpoints."""

import copy
import json
import pickle
import subprocess
import sys
import warnings
from typing import Annotated, Any, TypedDict

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi import Body, FastAPI
    from langchain_core import messages as theirs
    from langchain_core.runnables import RunnableConfig as TheirConfig
    from pydantic import BaseModel, TypeAdapter, ValidationError
    from starlette.testclient import TestClient

from millstream import messages as ours
from millstream._typed_dicts import with_pydantic_schema
from millstream.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage, HumanMessage
from millstream.messages.content import ContentBlock
from millstream.outputs import ChatGeneration, ChatResult, Generation, GenerationChunk, LLMResult
from millstream.prompt_values import ChatPromptValue, StringPromptValue
from millstream.runnables import RunnableConfig
from schema_shapes import without_descriptions

CALL: Any = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "input_token_details": {"flex": 1}}
FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("AIMessage", {"content": "a", "tool_calls": [CALL], "usage_metadata": USAGE, "id": "x"}),
    ("AIMessageChunk", {"content": "c", "response_metadata": {"finish_reason": "stop"}}),
    ("HumanMessage", {"content": [{"type": "text", "text": "x"}, "y"], "name": "n"}),
    ("SystemMessage", {"content": "s", "additional_kwargs": {"k": None}}),
    ("ToolMessage", {"content": "t", "tool_call_id": "1", "artifact": {"x": [1]}, "status": "error"}),
    ("ChatMessage", {"content": "c", "role": "r"}),
    ("FunctionMessage", {"content": "f", "name": "n"}),
    ("HumanMessageChunk", {"content": "x"}),
]
CLASSES = [*(name for name, _ in FIELDS), "SystemMessageChunk", "ToolMessageChunk", "ChatMessageChunk"]
MESSAGES: list[Any] = [getattr(ours, name)(**fields) for name, fields in FIELDS]


class Conversation(BaseModel):
    messages: list[AnyMessage]


class Holder(BaseModel):
    anything: Any = None
    one: AIMessage | HumanMessage | str = ""


@pytest.mark.parametrize("cls", [list[BaseMessage], list[AnyMessage]], ids=["BaseMessage", "AnyMessage"])
def test_messages_survive_a_round_trip_through_pydantic(cls: Any) -> None:
    adapter = TypeAdapter(cls)
    assert adapter.validate_python(MESSAGES) == MESSAGES
    assert adapter.validate_python(MESSAGES)[0] is MESSAGES[0]
    assert adapter.dump_python(MESSAGES) == [message.model_dump() for message in MESSAGES]
    assert adapter.validate_python(adapter.dump_python(MESSAGES)) == MESSAGES
    assert adapter.validate_json(adapter.dump_json(MESSAGES)) == MESSAGES


@pytest.mark.parametrize(("name", "fields"), FIELDS)
def test_a_message_is_validated_and_dumped_as_in_langchain(name: str, fields: dict[str, Any]) -> None:
    own, their = TypeAdapter(getattr(ours, name)), TypeAdapter(getattr(theirs, name))
    one, other = own.validate_python(fields), their.validate_python(fields)
    assert own.dump_python(one) == their.dump_python(other)
    assert json.loads(own.dump_json(one)) == json.loads(their.dump_json(other))
    assert own.dump_python(one, exclude={"content"}) == their.dump_python(other, exclude={"content"})
    assert own.dump_python(one, include={"content"}) == their.dump_python(other, include={"content"})
    assert own.dump_python(one, exclude_none=True) == their.dump_python(other, exclude_none=True)


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_schema_of_a_message_is_as_in_langchain(name: str, mode: Any) -> None:
    own = TypeAdapter(getattr(ours, name)).json_schema(mode=mode)
    their = TypeAdapter(getattr(theirs, name)).json_schema(mode=mode)
    assert without_descriptions(own) == without_descriptions(their)


def test_dicts_are_converted_to_messages_by_type_or_role() -> None:
    adapter = TypeAdapter(list[BaseMessage])
    values = [{"type": "ai", "content": "a"}, {"role": "user", "content": "u"}, theirs.HumanMessage("t")]
    assert adapter.validate_python(values) == [AIMessage("a"), HumanMessage("u"), HumanMessage("t")]
    assert adapter.validate_python([{"type": "odd", "content": "x"}]) == [BaseMessage("x", type="odd")]
    assert Holder(one={"type": "human", "content": "k"}).one == HumanMessage("k")  # type: ignore[arg-type]
    assert Holder(one="text").one == "text"


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "ai"},
        {"type": "ai", "content": 5},
        5,
        {"type": "tool", "content": "x"},
        {"type": "ai", "content": "x", "tool_calls": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("cls", [AIMessage, BaseMessage, AnyMessage], ids=["AIMessage", "BaseMessage", "AnyMessage"])
def test_an_invalid_message_is_a_validation_error(cls: Any, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(cls).validate_python(wrong)


def test_messages_in_undeclared_fields_are_dumped() -> None:
    for value in (AIMessage("q"), [AIMessage("q")], {"k": AIMessageChunk("q")}):
        dumped = Holder(anything=value).model_dump()["anything"]
        assert dumped == TypeAdapter(type(value)).dump_python(value) or dumped == {
            "k": AIMessageChunk("q").model_dump()
        }
        assert json.loads(Holder(anything=value).model_dump_json())["anything"] == dumped


def test_models_with_messages_are_copied_and_pickled() -> None:
    made = Conversation(messages=MESSAGES)
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made)), made.model_copy(deep=True)):
        assert other == made
        assert other.messages[0] is not made.messages[0]
    assert Conversation.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("name", ["ToolCall", "ToolCallChunk", "InvalidToolCall", "UsageMetadata", "RunnableConfig"])
def test_typed_dicts_are_fields_as_in_langchain(name: str) -> None:
    own, their = (
        (RunnableConfig, TheirConfig) if name == "RunnableConfig" else (getattr(ours, name), getattr(theirs, name))
    )

    class Own(BaseModel):
        one: own  # type: ignore[valid-type]
        more: list[own] = []  # type: ignore[valid-type]

    class Their(BaseModel):
        one: their  # type: ignore[valid-type]
        more: list[their] = []  # type: ignore[valid-type]

    def shape(model: Any) -> Any:
        schema = model.model_json_schema()["$defs"][name]
        properties = {key: value for key, value in schema["properties"].items() if key != "callbacks"}
        return properties, schema.get("required")

    assert shape(Own) == shape(Their)
    for value in (CALL, USAGE, {}, {"tags": ["a"], "callbacks": [1], "x": 1}, {"recursion_limit": "5"}, {"name": 5}):
        results: list[Any] = []
        for model in (Own, Their):
            try:
                results.append(model(one=value).model_dump())
            except ValidationError as error:
                results.append([(one["loc"], one["type"]) for one in error.errors()])
        assert results[0] == results[1]


def test_content_blocks_are_fields_too() -> None:
    blocks = [{"type": "text", "text": "x"}, {"type": "image", "url": "u"}, {"type": "reasoning", "reasoning": "r"}]
    assert TypeAdapter(list[ContentBlock]).validate_python(blocks) == blocks


def app_with_endpoints() -> FastAPI:
    app = FastAPI()

    @app.post("/all")
    def all_of_them(messages: list[AnyMessage]) -> list[BaseMessage]:
        return [*messages, AIMessage("done")]

    @app.post("/one")
    def one(message: Annotated[HumanMessage, Body()]) -> AIMessage:
        return AIMessage(f"{message.text}!", usage_metadata=USAGE)

    @app.post("/either", response_model_exclude_none=True)
    def either(message: Annotated[HumanMessage | AIMessage, Body()]) -> HumanMessage | AIMessage:
        return message

    @app.post("/held")
    def held(conversation: Conversation) -> Conversation:
        return conversation

    @app.post("/undeclared")
    def undeclared(messages: list[BaseMessage]) -> Any:
        return {"messages": messages}

    @app.post("/config")
    def config(config: RunnableConfig) -> RunnableConfig:
        return config

    return app


def test_endpoints_accept_and_return_messages() -> None:
    dumped = [message.model_dump() for message in MESSAGES]
    with TestClient(app_with_endpoints()) as client:
        assert client.post("/all", json=dumped).json() == [*dumped, AIMessage("done").model_dump()]
        answer = client.post("/one", json={"content": "hi"})
        assert answer.json() == AIMessage("hi!", usage_metadata=USAGE).model_dump()
        assert client.post("/one", json={"type": "ai", "content": "hi"}).status_code == 422
        either = client.post("/either", json={"type": "ai", "content": "hi"}).json()
        assert either == AIMessage("hi").model_dump(exclude_none=True)
        assert client.post("/held", json={"messages": dumped}).json() == {"messages": dumped}
        assert client.post("/undeclared", json=dumped).json() == {"messages": dumped}
        assert client.post("/config", json={"tags": ["a"]}).json() == {"tags": ["a"]}
        described = client.get("/openapi.json").json()
    assert {"AIMessage", "HumanMessage", "ToolCall", "RunnableConfig"} <= described["components"]["schemas"].keys()


def test_declaring_messages_imports_no_pydantic() -> None:
    code = (
        "import sys; from millstream.messages import AIMessage, ToolCall\n"
        "from millstream.runnables import RunnableConfig\n"
        "AIMessage('x').model_dump_json()\n"
        "print(sorted({'pydantic', 'pydantic_core', 'typing_extensions'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_messages_validate_without_pydantic_as_with_it() -> None:
    for message in MESSAGES:
        assert type(message).model_validate_json(message.model_dump_json()) == message
        assert BaseMessage.model_validate(message.model_dump()) == message
        assert type(message).model_validate(message) is message
    for wrong in (5, {"type": "ai"}, {"type": "human", "content": "x"}, ["ai", "x"]):
        with pytest.raises(ValueError, match="AIMessage"):
            AIMessage.model_validate(wrong)
    with pytest.raises(ValueError):
        AIMessage.model_validate_json("{")


RESULTS: list[Any] = [
    Generation("a", {"finish_reason": "stop"}),
    ChatGeneration(AIMessage("a")),
    ChatResult([ChatGeneration(AIMessage("a"))], {"k": 1}),
    LLMResult([[GenerationChunk("a")]]),
    StringPromptValue("a"),
    ChatPromptValue([HumanMessage("a")]),
]


@pytest.mark.parametrize("value", RESULTS, ids=lambda value: type(value).__name__)
def test_results_and_prompt_values_are_fields_and_dump_themselves(value: Any) -> None:
    cls = type(value)

    class Made(BaseModel):
        one: cls  # type: ignore[valid-type]
        either: cls | str = ""  # type: ignore[valid-type]
        anything: Any = None

    made = Made(one=value, either=value, anything=[value])
    assert made.one is made.either is value
    dumped = value.model_dump()
    assert made.model_dump() == {"one": dumped, "either": dumped, "anything": [dumped]}
    assert json.loads(made.model_dump_json())["anything"] == [dumped]
    assert Made.model_json_schema()["properties"]["one"] in (
        *({"title": title, "type": "object"} for title in (cls.__name__, "One")),
        {"$ref": f"#/$defs/{cls.__name__}"},
    )
    assert Made(one=value, either="text").model_dump()["either"] == "text"
    with pytest.raises(ValidationError):
        Made(one="text")


def test_a_typed_dict_with_names_that_cannot_be_resolved_is_a_field_too() -> None:
    cls: Any = TypedDict("cls", {"known": "int", "unknown": "Nowhere"})  # type: ignore[name-defined]  # noqa: F821
    adapter = TypeAdapter(with_pydantic_schema(cls))
    assert adapter.validate_python({"known": "1", "unknown": object}) == {"known": 1, "unknown": object}
    with pytest.raises(ValidationError):
        adapter.validate_python({"known": "x", "unknown": 1})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (StringPromptValue, {"text": {"a": 1}}),
        (StringPromptValue, {"text": None}),
        (StringPromptValue, {}),
        (ChatPromptValue, {"messages": 1}),
        (ChatPromptValue, {"messages": [1]}),
        (ChatPromptValue, {"messages": [{"content": "a"}]}),
    ],
)
def test_a_prompt_value_of_the_wrong_type_is_a_validation_error(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)
