"""Pydantic classes of both versions in tools, parsers and structured output."""

import json
import pickle
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pydantic
    from langchain_core.output_parsers import JsonOutputParser as TheirJson
    from langchain_core.output_parsers import PydanticOutputParser as TheirParser
    from langchain_core.output_parsers.openai_tools import PydanticToolsParser as TheirTools
    from langchain_core.utils.function_calling import convert_to_openai_tool as their_tool
    from pydantic import v1

from endings import read_all
from langchain_peer import KEY, chat_peer
from millstream import ChatOpenAI
from millstream.exceptions import OutputParserException
from millstream.function_calling import convert_to_openai_tool
from millstream.language_models.schemas import SchemaMethod
from millstream.messages import AIMessage
from millstream.output_parsers import JsonOutputParser
from millstream.output_parsers.openai_tools import PydanticToolsParser
from millstream.output_parsers.pydantic import PydanticOutputParser
from millstream.testing import MockServer, Reply


class First(v1.BaseModel):
    """A joke."""

    setup: str
    rating: int = v1.Field(0, description="how funny it is")


class Titled(v1.BaseModel):
    setup: str

    class Config:
        title = "Joke"


class Second(pydantic.BaseModel):
    """A joke."""

    setup: str
    rating: int = 0


MODELS: list[Any] = [First, Second]
TEXT = '{"setup": "why not", "rating": 7}'
models = pytest.mark.parametrize("model", MODELS)


@models
def test_a_parser_makes_objects_as_in_langchain(model: Any) -> None:
    parser: Any = PydanticOutputParser(pydantic_object=model)
    assert parser.parse(TEXT) == TheirParser(pydantic_object=model).parse(TEXT) == model(setup="why not", rating=7)
    assert list(parser.transform(iter(['{"setup": "why', ' not", "rating": 7}'])))[-1] == parser.invoke(AIMessage(TEXT))
    with pytest.raises(OutputParserException, match=f"Failed to parse {model.__name__} from completion"):
        parser.parse('{"rating": "many"}')
    assert parser._type == TheirParser(pydantic_object=model)._type


@models
def test_a_parser_is_generic(model: Any) -> None:
    parser = PydanticOutputParser[model](pydantic_object=model)
    assert isinstance(parser, PydanticOutputParser)
    assert parser.parse(TEXT) == model(setup="why not", rating=7)
    assert "__orig_class__" not in repr(parser)
    assert pickle.loads(pickle.dumps(parser)).parse(TEXT) == parser.parse(TEXT)


@models
def test_the_instructions_contain_the_schema_in_a_block(model: Any) -> None:
    for ours, their in ((JsonOutputParser, TheirJson), (PydanticOutputParser, TheirParser)):
        instructions = ours(pydantic_object=model).get_format_instructions()
        expected = their(pydantic_object=model).get_format_instructions()
        blocks = [text.rpartition("\n```\n")[2].removesuffix("\n```") for text in (instructions, expected)]
        assert instructions.endswith("\n```")
        assert json.loads(blocks[0]) == json.loads(blocks[1])


@pytest.mark.parametrize("model", [*MODELS, Titled])
def test_a_class_is_a_tool_as_in_langchain(model: Any) -> None:
    described = convert_to_openai_tool(model)
    assert described == their_tool(model)
    name = described["function"]["name"]
    call: Any = {"name": name, "args": {"setup": "x"}, "id": "1"}
    parser = PydanticToolsParser(tools=[model], first_tool_only=True)
    assert parser.invoke(AIMessage("", tool_calls=[call])) == model(setup="x")
    if model is not Titled:
        assert TheirTools(tools=[model], first_tool_only=True).first_tool_only
    with pytest.raises(ValueError, match="setup"):
        parser.invoke(AIMessage("", tool_calls=[call | {"args": {}}]))


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@models
def test_structured_output_is_an_object_of_the_class(model: Any, method: SchemaMethod) -> None:
    by_tool = method == "function_calling" or (method == "json_schema" and model is First)
    reply = Reply(tool_calls=[{"name": model.__name__, "args": TEXT, "id": "c"}]) if by_tool else Reply(pieces=[TEXT])
    with MockServer(reply) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = ChatOpenAI(base_url=server.url, api_key=KEY, model="gpt-4o")
        structured = ours.with_structured_output(model, method=method)
        warned = [str(one.message) for one in caught if "pydantic.v1" in str(one.message)]
        assert structured.invoke("p") == model(setup="why not", rating=7)
        objects, error = read_all(structured.stream("p"))
        assert (objects[-1], error) == (model(setup="why not", rating=7), None)
        with chat_peer(server.url, model="gpt-4o") as theirs:
            assert theirs.with_structured_output(model, method=method).invoke("p") == objects[-1]
    assert len(warned) == (model is First and method == "json_schema")


def test_a_pydantic_1_class_is_sent_as_its_schema() -> None:
    with MockServer(Reply(pieces=[TEXT])) as server:
        model = ChatOpenAI(base_url=server.url, api_key=KEY, model="gpt-4o")
        model.bind(response_format=First).invoke("p")
        assert server.requests[-1].body["response_format"]["json_schema"]["name"] == "First"
