"""Pydantic's rules in classes of users: aliases, inheritance, old decorators, types. Compared with LangChain's."""

import enum
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest
from langchain_core.runnables import RunnableSerializable as TheirSerializable
from pydantic import (
    AliasChoices,
    AliasPath,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    conint,
    field_validator,
    model_validator,
    root_validator,
    validator,
)

from millstream.runnables import RunnableSerializable


class Echoes:
    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return input


class Color(enum.Enum):
    RED = "r"


def generated_aliases(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        model_config = ConfigDict(alias_generator=str.upper, str_strip_whitespace=True)
        size: int = 1
        text: str = "x"

    return Tool


def chosen_aliases(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        size: int = Field(1, validation_alias=AliasChoices("s", "sz"))
        deep: int = Field(0, validation_alias=AliasPath("d", 0))

    return Tool


def old_decorators(base: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        class Tool(Echoes, base):  # type: ignore[misc]
            size: int = 1

            @validator("size")
            def add_one(cls, value: int) -> int:
                return value + 1

            @root_validator(pre=True)
            def fill(cls, values: Any) -> Any:
                return {**values, "size": values.get("size", 5)}

            @root_validator(skip_on_failure=True)
            def add_ten(cls, values: Any) -> Any:
                values["size"] += 10
                return values

    return Tool


def overridden(base: Any) -> Any:
    class Parent(Echoes, base):  # type: ignore[misc]
        size: int = 1

        @field_validator("*")
        def change(cls, value: Any) -> Any:
            return value * 2 if isinstance(value, int) else value

        @model_validator(mode="after")
        def check(self) -> Any:
            self.__dict__["log"] = "parent"
            return self

    class Tool(Parent):
        other: Color = Color.RED
        size: float = 2.5  # type: ignore[assignment]

        @field_validator("size")
        def change(cls, value: float) -> float:
            return value + 100

        @model_validator(mode="after")
        def check(self) -> Any:
            self.__dict__["log"] = "child"
            return self

    return Tool


def several_types(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        model_config = ConfigDict(use_enum_values=True, populate_by_name=True)
        color: Color = Field(Color.RED, alias="c")
        letter: Literal["a", "b"] = "a"
        maybe: int | None = None
        called: Callable[[int], int] | None = None
        either: int | str = 1
        bounded: conint(gt=3) = 4  # type: ignore[valid-type]
        counts: dict[str, int] = Field({"a": 1})
        secret: SecretStr = Field(default=SecretStr("k"), alias="api_key")

    return Tool


def two_parents(base: Any) -> Any:
    class First(Echoes, base):  # type: ignore[misc]
        a: int = Field(1, ge=0)

        @field_validator("a")
        def add_one(cls, value: int) -> int:
            return value + 1

    class Second(Echoes, base):  # type: ignore[misc]
        b: int = Field(2, ge=0)

        @field_validator("b")
        def add_two(cls, value: int) -> int:
            return value + 2

    class Tool(First, Second):
        c: int

    return Tool


def own_constructor(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        a: int = Field(1)
        b: ClassVar[int] = 3

        def __init__(self, first: Any = None, **kwargs: Any) -> None:
            super().__init__(**({} if first is None else {"a": first}), **kwargs)

    return Tool


def recursive(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        items: "list[Tool]" = Field(default_factory=list)
        n: int = Field(0)

    return Tool


CASES: dict[Callable[[Any], Any], list[dict[str, Any]]] = {
    generated_aliases: [{}, {"SIZE": "3", "TEXT": " a "}],
    chosen_aliases: [{"s": 3}, {"sz": 4, "d": [7]}, {"s": "x"}],
    old_decorators: [{}, {"size": 2}, {"size": "x"}],
    overridden: [{}, {"size": 3, "other": "r"}, {"other": "z"}],
    several_types: [
        {},
        {"c": "r", "letter": "b", "either": "q", "called": len, "bounded": "7", "counts": {"b": "2"}},
        {"color": "r", "letter": "z", "called": 3, "bounded": 3, "counts": {"b": "x"}, "api_key": 3},
        {"api_key": "z"},
    ],
    two_parents: [{"c": 1}, {"a": 5, "b": 6, "c": 7}, {"a": -1, "b": -1}],
    own_constructor: [{}, {"first": 4}, {"a": "5"}, {"first": "x"}],
    recursive: [{}, {"items": [], "n": 2}],
}


# The fields of all cases.
NAMES = (
    *("a", "b", "bounded", "c", "called", "color", "counts", "deep", "either", "items", "letter", "log", "maybe", "n"),
    *("other", "secret", "size", "text"),
)


def outcome(cls: Any, arguments: dict[str, Any]) -> Any:
    try:
        made = cls(**arguments)
    except ValidationError as error:
        return [(found["type"], found["loc"], found["msg"]) for found in error.errors()]
    return {name: repr(getattr(made, name, None)) for name in NAMES}


@pytest.mark.parametrize(("define", "arguments"), [(define, one) for define, cases in CASES.items() for one in cases])
def test_a_rule_of_pydantic_holds_as_in_langchain(define: Any, arguments: dict[str, Any]) -> None:
    ours, theirs = (outcome(define(base), arguments) for base in (RunnableSerializable, TheirSerializable))
    assert ours == theirs


def test_a_field_of_the_class_itself_takes_objects_of_the_class() -> None:
    cls = recursive(RunnableSerializable)
    inner = cls(n=1)
    assert cls(items=[inner]).items == [inner]
    with pytest.raises(ValidationError, match="instance of"):
        cls(items=[3])


def test_a_validator_may_ask_for_the_fields_of_the_class() -> None:
    def define(base: Any) -> Any:
        class Tool(Echoes, base):  # type: ignore[misc]
            size: int = Field(1, alias="n")
            rest: dict[str, Any] = Field(default_factory=dict)

            @model_validator(mode="before")
            @classmethod
            def keep_the_rest(cls, data: Any) -> Any:
                known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values())}
                rest = {name: value for name, value in data.items() if name not in known}
                return {**{name: value for name, value in data.items() if name in known}, "rest": rest}

        return Tool

    for base in (RunnableSerializable, TheirSerializable):
        made = define(base)(n=2, other=3)
        assert (made.size, made.rest, type(made).model_fields["size"].alias) == (2, {"other": 3}, "n")
