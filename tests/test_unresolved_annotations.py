"""Annotations of users' code with names that are not defined: as texts, and as Python 3.14 leaves them."""

import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from millstream.function_calling import convert_to_openai_tool
from millstream.messages import HumanMessage, trim_messages
from millstream.runnables import ConfigurableField, RunnableGenerator, RunnableLambda

AS_TEXTS = "from __future__ import annotations\n"
CODE = '''
from typing import TYPE_CHECKING, TypedDict

from pydantic import BaseModel, field_validator

from millstream.language_models.llms import LLM
from millstream.messages import HumanMessage
from millstream.retrievers import BaseRetriever
from millstream.runnables import RunnableSerializable
from millstream.tools import BaseTool

if TYPE_CHECKING:
    from unknown import BaseMessage, RunnableUnknown, Unknown


def double(x: Unknown, config: Unknown) -> Unknown:
    return x * 2, config["tags"]


def each(chunks: list[Unknown]) -> list[Unknown]:
    yield from chunks


def listen(run: Unknown, config: Unknown) -> Unknown:
    heard.append(config["tags"])


heard = []


def count(message: BaseMessage) -> int:
    return 3


class Answers(LLM):
    size: Unknown = 1
    table: dict[str, Unknown] = {}

    @property
    def _llm_type(self) -> Unknown:
        return "answers"

    def _call(self, prompt: Unknown, stop: Unknown = None, run_manager: Unknown = None, **kwargs: Unknown) -> Unknown:
        return f"{prompt} {run_manager is not None}"

    def narrowed(self, by: Unknown) -> RunnableUnknown:
        return self.bind(stop=[by])


class Documents(BaseRetriever):
    def _get_relevant_documents(self, query: Unknown, *, run_manager: Unknown, more: Unknown = None) -> Unknown:
        return []


class Doubling(BaseTool):
    name: str = "doubling"
    description: str = "Doubles."
    unit: Unknown = None

    def _run(self, number: int, run_manager: Unknown = None) -> Unknown:
        return number * 2


def triple(number: int, unit: Unknown = None) -> int:
    """Triples."""


class Place(TypedDict):
    """A place."""

    at: Unknown


def tree():
    class Leaf(BaseModel):
        number: int = 0

    class Node(LLM):
        child: Node | None = None
        leaves: list[Leaf] = []
        size: int = 0

        @field_validator("size")
        @classmethod
        def check(cls, size: Unknown) -> Unknown:
            return size * 2

        _llm_type = "node"

        def _call(self, prompt, stop=None, run_manager=None, **kwargs):
            return "x"

    return Node(size=1, child=Node(size=2))
'''


# Before Python 3.14, code evaluates its annotations where they stand.
@pytest.fixture(params=["texts", "code"] if sys.version_info >= (3, 14) else ["texts"], scope="module")
def users(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A module of a user's."""
    name = f"users_of_{request.param}"
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile((AS_TEXTS if request.param == "texts" else "") + CODE, name, "exec", dont_inherit=True), vars(module))
    yield module
    del sys.modules[name]


def test_functions_take_the_configuration(users: Any) -> None:
    assert RunnableLambda(users.double).invoke(2, {"tags": ["a"]}) == (4, ["a"])
    each: RunnableGenerator[Any, Any] = RunnableGenerator(users.each)
    assert each.invoke(["a"]) == ["a"]
    RunnableLambda(len).with_listeners(on_start=users.listen).invoke("a", {"tags": ["b"]})
    assert users.heard.pop() == ["b"]


def test_classes_have_fields_and_methods(users: Any) -> None:
    assert users.Answers(size=3).invoke("a") == "a True"
    assert users.Documents().invoke("a") == []
    assert users.Doubling().invoke({"number": 2}) == 4


def test_fallbacks_call_a_method_that_is_annotated_as_a_runnable_on_each(users: Any) -> None:
    narrowed = users.Answers().with_fallbacks([users.Answers()]).narrowed("b")
    assert [one.kwargs for one in narrowed.runnables] == [{"stop": ["b"]}, {"stop": ["b"]}]


def test_a_counter_of_one_message_is_told_by_the_name_of_the_annotation(users: Any) -> None:
    messages = [HumanMessage("a"), HumanMessage("b"), HumanMessage("c")]
    assert trim_messages(messages, max_tokens=6, token_counter=users.count) == messages[1:]


def test_an_unknown_type_of_a_configurable_field_is_any(users: Any) -> None:
    fields = {"size": ConfigurableField("size"), "table": ConfigurableField("table")}
    schema = users.Answers().configurable_fields(**fields).get_config_jsonschema()
    assert schema["$defs"]["Configurable"]["properties"] == {
        "size": {"default": 1, "title": "Size"},
        "table": {"default": {}, "title": "Table"},
    }


def test_a_tool_names_the_type_that_it_cannot_describe(users: Any) -> None:
    with pytest.raises(NameError, match="'Unknown'"):
        convert_to_openai_tool(users.triple)
    with pytest.raises(ValueError, match=r"^the type ForwardRef\('Unknown'.* has no JSON schema$"):
        convert_to_openai_tool(users.Place)


def test_classes_in_a_function_with_validators_name_themselves_and_their_neighbours(users: Any) -> None:
    node = users.tree()
    assert (node.size, node.child.size) == (2, 4)
