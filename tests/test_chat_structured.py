"""Structured output of ``ChatOpenAI``: the output, its growth in a stream, and unsupported calls."""

import asyncio
import builtins
import json
import subprocess
import sys
import warnings
from typing import Annotated, Any, TypedDict

import pytest

from endings import read_all
from langchain_peer import KEY, chat_peer
from recording import chat_handlers

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel

from millstream import ChatOpenAI
from millstream.errors import RefusalError
from millstream.exceptions import OutputParserException
from millstream.language_models import FakeListChatModel
from millstream.language_models.schemas import SchemaMethod
from millstream.testing import MockServer, Reply
from millstream.testing.memory import MemoryTransport


def add(a: int, b: int = 0) -> int:
    """Add."""
    return a + b


class Joke(BaseModel):
    """A joke."""

    setup: str
    rating: int = 0


class JokeDict(TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "The setup."]


SCHEMA = {"title": "JokeDict", "type": "object", "properties": {"setup": {"type": "string"}}}
ANSWER = ['{"set', 'up": "why', " not", '", "rat', 'ing": 7}']
BY_TEXT = Reply(pieces=ANSWER)
BY_TOOL = Reply(tool_calls=[{"name": "Joke", "args": "".join(ANSWER), "id": "c"}])
BY_DICT = Reply(tool_calls=[{"name": "JokeDict", "args": "".join(ANSWER), "id": "c"}])
CASES: list[tuple[str, Any, str, Reply]] = [
    ("class", Joke, "json_schema", BY_TEXT),
    ("class by tool", Joke, "function_calling", BY_TOOL),
    ("class by json", Joke, "json_mode", BY_TEXT),
    ("typed dict", JokeDict, "json_schema", BY_TEXT),
    ("typed dict by tool", JokeDict, "function_calling", BY_DICT),
    ("schema", SCHEMA, "json_schema", BY_TEXT),
    ("schema by tool", SCHEMA, "function_calling", BY_DICT),
    ("no schema", None, "json_mode", BY_TEXT),
]
cases = pytest.mark.parametrize(("name", "schema", "method", "reply"), CASES, ids=[case[0] for case in CASES])


def build_model(server: MockServer) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key=KEY, model="gpt-4o")


@cases
def test_the_output_is_langchains(name: str, schema: Any, method: SchemaMethod, reply: Reply) -> None:
    with MockServer(reply) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with chat_peer(server.url, model="gpt-4o") as theirs:
            expected = theirs.with_structured_output(schema, method=method).invoke("p")
        structured = build_model(server).with_structured_output(schema, method=method)
        assert structured.invoke("p") == expected
        assert asyncio.run(structured.ainvoke("p")) == expected
        assert structured.batch(["p", "q"]) == [expected] * 2


@pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])
@cases
def test_the_object_grows_in_a_stream(
    name: str, schema: Any, method: SchemaMethod, reply: Reply, asynchronous: bool
) -> None:
    with MockServer(reply) as server:
        structured = build_model(server).with_structured_output(schema, method=method)
        objects, error = read_all(structured.astream("p") if asynchronous else structured.stream("p"))
    assert error is None
    if schema is Joke:
        assert [one.setup for one in objects][0].startswith("why")  # noqa: RUF015
        assert objects[-1] == Joke(setup="why not", rating=7)
    else:
        assert objects[-1] == {"setup": "why not", "rating": 7}
    assert len(objects) >= 3


@cases
def test_include_raw_returns_the_message_too(name: str, schema: Any, method: SchemaMethod, reply: Reply) -> None:
    with MockServer(reply) as server:
        model = build_model(server)
        expected = model.with_structured_output(schema, method=method).invoke("p")
        structured = model.with_structured_output(schema, method=method, include_raw=True)
        output = structured.invoke("p")
        assert (output["parsed"], output["parsing_error"]) == (expected, None)
        assert output["raw"].response_metadata["model_name"] == "gpt-4o"
        pieces = list(structured.stream("p"))
    assert pieces[-1] == {"parsed": expected, "parsing_error": None}
    assert {tuple(piece) for piece in pieces[:-1]} == {("raw",)}


def test_an_unparsable_answer_raises_or_is_reported_in_the_output() -> None:
    with MockServer(Reply(pieces=["no JSON"])) as server:
        model = build_model(server)
        for schema in (Joke, SCHEMA):
            with pytest.raises(OutputParserException):
                model.with_structured_output(schema).invoke("p")
        output = model.with_structured_output(Joke, include_raw=True).invoke("p")
        assert output["parsed"] is None
        assert isinstance(output["parsing_error"], OutputParserException)
        assert output["raw"].content == "no JSON"
    with MockServer(Reply(pieces=['{"rating": 1}'])) as server, pytest.raises(OutputParserException, match="setup"):
        build_model(server).with_structured_output(Joke).invoke("p")


def test_a_refusal_is_an_error_with_its_text() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I won't."}
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    with (
        MockServer(Reply(body=body, content_type="application/json")) as server,
        pytest.raises(RefusalError, match=r"I won't\."),
    ):
        build_model(server).with_structured_output(Joke).invoke("p")
    frames = [b'data: {"choices":[{"index":0,"delta":{"refusal":"I "}}]}\n\n',
              b'data: {"choices":[{"index":0,"delta":{"refusal":"won\'t."},"finish_reason":"stop"}]}\n\n',
              b"data: [DONE]\n\n"]  # fmt: skip
    model = ChatOpenAI(api_key=KEY, http_client=MemoryTransport(frames), model="gpt-4o")
    for stream in (model.with_structured_output(Joke).stream("p"), model.with_structured_output(Joke).astream("p")):
        objects, error = read_all(stream)
        assert (objects, type(error), str(error)) == ([], RefusalError, "I won't.")


def test_a_call_of_another_tool_beside_a_schema_is_parsed_as_none() -> None:
    with MockServer(Reply(tool_calls=[{"name": "add", "args": {}}])) as server:
        structured = build_model(server).with_structured_output(Joke, tools=[add], strict=True)
        assert structured.invoke("p") is None


def test_a_class_of_executed_code_is_a_schema() -> None:
    names: dict[str, Any] = {"__builtins__": builtins}
    exec("import pydantic\nclass Person(pydantic.BaseModel):\n    name: str", names)
    assert names["Person"].__module__ == "builtins"
    with MockServer(Reply(pieces=['{"name": "Ada"}'])) as server:
        model = build_model(server).with_structured_output(names["Person"])
        assert model.invoke("Who?") == names["Person"](name="Ada")


def test_models_without_schema_support_are_called_with_a_tool() -> None:
    with MockServer(BY_TOOL) as server:
        model = ChatOpenAI(base_url=server.url, api_key=KEY, model="gpt-4")
        with pytest.warns(UserWarning, match="function_calling") as caught:
            structured = model.with_structured_output(Joke)
        assert structured.invoke("p") == Joke(setup="why not", rating=7)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schema": Joke, "method": "other"}, "method must be one of"),
        ({"schema": None}, "schema must be specified"),
        ({"schema": Joke, "method": "json_mode", "strict": True}, "not supported"),
    ],
)
def test_contradicting_arguments_of_structured_output_are_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatOpenAI(api_key="k", model="gpt-4o").with_structured_output(**options)


def test_structured_output_of_models_without_tools_raises() -> None:
    with pytest.raises(NotImplementedError):
        FakeListChatModel(responses=["a"]).bind_tools([])
    with pytest.raises(NotImplementedError, match="with_structured_output"):
        FakeListChatModel(responses=["a"]).with_structured_output(Joke)


def test_a_users_model_with_tools_has_structured_output() -> None:
    class Calling(FakeListChatModel):
        def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
            with MockServer(BY_TOOL) as server:
                return build_model(server).bind_tools(tools, tool_choice=tool_choice, **kwargs)

    structured = Calling(responses=[]).with_structured_output(Joke)
    assert structured.steps[-1].tools == [Joke]  # type: ignore[attr-defined]


@cases
def test_handlers_receive_the_schema_as_in_langchain(
    name: str, schema: Any, method: SchemaMethod, reply: Reply
) -> None:
    logs: list[list[Any]] = [[], []]
    with MockServer(reply) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with chat_peer(server.url, model="gpt-4o") as theirs:
            structured = theirs.with_structured_output(schema, method=method)
            structured.invoke("p", {"callbacks": [chat_handlers(logs[0])[0]]})
        mine = build_model(server).with_structured_output(schema, method=method)
        mine.invoke("p", {"callbacks": [chat_handlers(logs[1])[1]]})
    starts = [[kwargs for _, event, _, kwargs in log if event == "on_chat_model_start"] for log in logs]
    ((expected,), (found,)) = starts
    assert found["options"] == expected["options"]
    assert found["invocation_params"] == expected["invocation_params"]


def test_use_responses_api_false_uses_chat_completions(mock_server: MockServer) -> None:
    model = ChatOpenAI(
        base_url=mock_server.url, api_key=KEY, model="codex-mini", use_responses_api=False, reasoning={"effort": "low"}
    )
    model.invoke("p")
    assert mock_server.requests[-1].body["reasoning"] == {"effort": "low"}


def test_tools_and_schemas_import_no_pydantic() -> None:
    code = (
        "import sys; from millstream import ChatOpenAI\n"
        "def f(a: int) -> int:\n    'f'\n    return a\n"
        "model = ChatOpenAI(api_key='k', model='gpt-4o')\n"
        "model.bind_tools([f]); model.with_structured_output({'title': 't', 'properties': {}})\n"
        "print(sorted({'pydantic', 'openai', 'langchain_core', 'httpx', 'httpx2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
