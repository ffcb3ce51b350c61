"""Classes of users whose body uses pydantic: constructed as LangChain's, which are pydantic models."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import pydantic
import pydantic.v1
import pytest
from langchain_core.runnables import RunnableSerializable as TheirSerializable
from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    computed_field,
    field_validator,
    model_serializer,
    model_validator,
)

from millstream import ChatOpenAI
from millstream.language_models import LLM
from millstream.runnables import RunnableSerializable

T = TypeVar("T")


class Echoes:
    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return input


class Point(BaseModel):
    x: int = 0


def fields(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        size: int = Field(default=3, ge=1, alias="n", exclude=True, description="The size.")
        unit: Annotated[str, Field(max_length=3)] = "cm"
        ids: list[int] = Field(default_factory=list)
        point: Point = Field(default_factory=Point)
        total: int = Field(default_factory=lambda data: len(data["ids"]), validate_default=True)

    return Tool


def validators(base: Any) -> Any:
    class Tool(Echoes, base):  # type: ignore[misc]
        size: int = 1
        text: str = "a"
        seen: list[str] = []  # noqa: RUF012

        @field_validator("size", mode="before")
        @classmethod
        def double(cls, value: Any) -> Any:
            assert cls.__name__ == "Tool"
            return value * 2 if isinstance(value, int) else value

        @field_validator("text")
        def is_short(cls, value: str, info: ValidationInfo) -> str:
            if len(value) > info.data.get("size", 0):
                raise ValueError(f"longer than {info.data['size']}")
            return value

        @model_validator(mode="before")
        @classmethod
        def rename(cls, data: Any) -> Any:
            data = dict(data)
            if "length" in data:
                data["size"] = data.pop("length")
            return data

        @model_validator(mode="wrap")
        @classmethod
        def around(cls, data: Any, handler: Callable[[Any], Any]) -> Any:
            made = handler(data)
            made.seen.append("wrap")
            return made

        @model_validator(mode="after")
        def check(self) -> Any:
            assert self.invoke(self.size) == self.size
            if self.text == "never":
                raise ValueError("never")
            self.seen.append(f"after {sorted(self.model_fields_set)}")
            return self

        def model_post_init(self, context: Any) -> None:
            super().model_post_init(context)
            self.seen.append("post")

    return Tool


def configured(**config: Any) -> Callable[[Any], Any]:
    def define(base: Any) -> Any:
        class Tool(Echoes, base):  # type: ignore[misc]
            model_config = config
            size: int = 1

        return Tool

    return define


def inherited(base: Any) -> Any:
    parent = validators(base)

    class Tool(parent):  # type: ignore[misc, valid-type]
        size: int = 5
        more: float = 0.5

        @model_validator(mode="after")
        def check_more(self) -> Any:
            self.seen.append("child")
            return self

    return Tool


def outcome(cls: Any, arguments: dict[str, Any]) -> Any:
    try:
        made = cls(**arguments)
    except ValidationError as error:
        return [{key: found[key] for key in ("loc", "msg", "type", "input")} for found in error.errors()], str(error)
    names = ("size", "unit", "ids", "point", "total", "text", "seen", "more", "extra")
    return {name: getattr(made, name) for name in names if hasattr(made, name)}


CASES: list[tuple[Callable[[Any], Any], list[dict[str, Any]]]] = [
    (
        fields,
        [
            {},
            {"n": "4", "unit": "mm"},
            {"n": 0, "unit": "kilometre"},
            {"ids": ("1", 2), "point": {"x": "7"}},
            {"ids": "x", "point": 3},
        ],
    ),
    (
        validators,
        [
            {},
            {"size": 4, "text": "abc"},
            {"length": 9},
            {"text": "too long"},
            {"size": "x"},
            {"size": 9, "text": "never"},
        ],
    ),
    (inherited, [{}, {"more": "2"}, {"size": [], "more": "x"}]),
    (configured(extra="forbid"), [{}, {"extra": 1, "size": "2"}]),
    (configured(extra="allow"), [{}, {"extra": 1, "size": "2"}]),
    (configured(extra="ignore"), [{}, {"extra": 1, "size": "2"}]),
    (configured(strict=True), [{"size": 2}, {"size": "2"}]),
]


@pytest.mark.parametrize(
    ("define", "arguments"), [(define, arguments) for define, cases in CASES for arguments in cases]
)
def test_a_class_that_uses_pydantic_is_constructed_as_theirs(define: Any, arguments: dict[str, Any]) -> None:
    assert outcome(define(RunnableSerializable), arguments) == outcome(define(TheirSerializable), arguments)


def test_a_field_with_an_alias_takes_both_names() -> None:
    tool = fields(RunnableSerializable)
    assert (tool(size=5).size, tool(n=5).size) == (5, 5)
    assert {"size", "n", "unit"} <= set(tool.__signature__.parameters)


def test_an_argument_without_a_field_is_an_error_unless_the_configuration_says_otherwise() -> None:
    with pytest.raises(TypeError, match=r"^Tool\(\) got an unexpected argument: 'sise'.*did you mean size\?"):
        validators(RunnableSerializable)(sise=1)


@pytest.mark.parametrize("base", [RunnableSerializable, TheirSerializable])
@pytest.mark.parametrize("config", [{"frozen": True}, {"validate_assignment": True}])
def test_assignments_follow_the_configuration(base: Any, config: Any) -> None:
    class Tool(Echoes, base):  # type: ignore[misc]
        model_config = config
        size: int = 1
        kept: int = Field(default=2, frozen=True)
        _cache: list[int] = PrivateAttr(default_factory=list)

    tool: Any = Tool(size=2)
    tool._cache.append(1)
    with pytest.raises(ValidationError, match=r"frozen|integer"):
        tool.size = "x"
    with pytest.raises(ValidationError, match="frozen"):
        tool.kept = 3
    if "frozen" not in config:
        tool.size = "7"
    assert (tool.size, tool.kept, tool._cache) == (2 if "frozen" in config else 7, 2, [1])


@pytest.mark.parametrize("base", [RunnableSerializable, TheirSerializable])
def test_private_attributes_are_each_objects_own(base: Any) -> None:
    class Tool(Echoes, base):  # type: ignore[misc]
        _cache: dict[str, int] = PrivateAttr(default_factory=dict)
        _count = PrivateAttr(default=1)
        _late: int = PrivateAttr()

        @model_validator(mode="after")
        def fill(self) -> Any:
            self._cache["a"] = self._count
            self._late = 3
            return self

    first, second = Tool(), Tool()
    first._cache["b"] = 2
    assert (second._cache, second._count, second._late) == ({"a": 1}, 1, 3)


@pytest.mark.parametrize("base", [RunnableSerializable, TheirSerializable])
def test_properties_and_serializers_stay_members(base: Any) -> None:
    class Tool(Echoes, base):  # type: ignore[misc]
        size: int = 2

        @computed_field  # type: ignore[prop-decorator]
        @property
        def twice(self) -> int:
            return self.size * 2

        @model_serializer
        def dump(self) -> dict[str, int]:
            return {"twice": self.twice}

        @field_validator("size")
        @classmethod
        def check(cls, value: int) -> int:
            return value + 1

    assert (Tool().twice, Tool(size=4).dump(), Tool.check(1)) == (4, {"twice": 10}, 2)


def test_attributes_are_plain_and_objects_can_be_copied() -> None:
    tool = validators(RunnableSerializable)(size=4)
    tool.other = 1
    copied = copy.copy(tool)
    assert (vars(copied)["size"], copied.other, copied.invoke(3)) == (8, 1, 3)
    assert repr(tool).startswith("Tool(size=8, seen=[")


class Named(RunnableSerializable[str, str]):
    size: int = Field(default=1, ge=0)

    def invoke(self, input: str, config: Any = None, **kwargs: Any) -> str:
        return input * self.size


def test_objects_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Named(size=2))).invoke("a") == "aa"


def test_a_subclass_may_have_a_constructor_of_its_own() -> None:
    class Own(Named):
        def __init__(self, length: int, **kwargs: Any) -> None:
            super().__init__(size=length, **kwargs)

    assert Own(3).invoke("a") == "aaa"
    with pytest.raises(ValidationError):
        Own(-1)


def test_a_mixin_without_fields_and_generics_are_possible() -> None:
    class Holder(RunnableSerializable[str, str], Generic[T]):
        value: T = Field(...)
        size: int = Field(default=1, gt=0)

        def invoke(self, input: str, config: Any = None, **kwargs: Any) -> str:
            return f"{input}{self.value}"

    assert Holder[int](value=3).invoke("a") == "a3"
    with pytest.raises(ValidationError, match="value\n  Field required"):
        Holder[int]()  # type: ignore[call-arg]


def test_a_model_of_pydantic_cannot_be_a_base_too() -> None:
    with pytest.raises(TypeError, match=r"Mixed inherits from pydantic's BaseModel.*leave BaseModel out"):

        class Mixed(RunnableSerializable[str, str], Point):
            pass


def test_the_first_version_of_pydantic_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Old\.size uses pydantic\.v1 \(FieldInfo\).*import Field"):

        class Old(RunnableSerializable[str, str]):
            size: int = pydantic.v1.Field(default=1)

    with pytest.raises(TypeError, match=r"OldCheck\.check uses pydantic\.v1"):

        class OldCheck(RunnableSerializable[str, str]):
            size: int = 1

            @pydantic.v1.validator("size")
            def check(cls, value: int) -> int:
                return value


def test_a_field_with_a_type_of_pydantic_is_converted() -> None:
    class Keyed(LLM):
        service_key: SecretStr = SecretStr("")
        point: Point | None = None

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return f"{prompt}{self.point}"

        @property
        def _llm_type(self) -> str:
            return "keyed"

    made = Keyed(service_key="sk-canary", point={"x": 3})  # type: ignore[arg-type]
    assert (made.service_key.get_secret_value(), made.invoke("a")) == ("sk-canary", "ax=3")
    assert "canary" not in repr(made)
    with pytest.raises(ValidationError) as caught:
        Keyed(service_key="sk-canary", point=3)  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


def test_a_subclass_of_a_provider_takes_fields_and_validators() -> None:
    class Mine(ChatOpenAI):
        region: str = Field(default="eu", pattern="^[a-z]+$")

        @model_validator(mode="after")
        def place(self) -> Any:
            self.metadata = {"region": self.region, "model": self.model_name}
            return self

    made = Mine(model="gpt-5", api_key="sk-a", temperature=0.3, region="us")
    assert made.metadata == {"region": "us", "model": "gpt-5"}
    # As without pydantic: this model accepts no temperature.
    assert made.temperature is None
    with pytest.raises(TypeError, match="did you mean model"):
        Mine(modle="x", api_key="sk-a")  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="pattern"):
        Mine(model="x", api_key="sk-a", region="7")


def test_annotations_that_are_texts_are_read_too() -> None:
    code = (
        "from __future__ import annotations\n"
        "import sys\n"
        "from typing import Annotated\n"
        "from pydantic import Field\n"
        "from millstream.runnables import RunnableSerializable\n"
        "class Tool(RunnableSerializable[str, str]):\n"
        "    size: Annotated[int, Field(ge=1)] = 1\n"
        "    def invoke(self, input, config=None, **kwargs): return input * self.size\n"
        "print(Tool(size='2').invoke('a'))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("aa\n", "")


def test_annotations_that_are_texts_may_name_what_a_function_defines() -> None:
    class Inner(BaseModel):
        x: int

    class Tool(RunnableSerializable[str, str]):
        inner: "Inner"
        point: "Point" = Field(default_factory=Point)
        date: "str | None" = None

        def invoke(self, input: str, config: Any = None, **kwargs: Any) -> str:
            return f"{input}{self.inner}{self.point}"

    assert Tool(inner={"x": "1"}).invoke("a") == "ax=1x=0"  # type: ignore[arg-type]


def test_a_class_without_pydantic_does_not_load_its_support() -> None:
    code = (
        "import sys\n"
        "from millstream import OpenAI\n"
        "class Mine(OpenAI):\n"
        "    size: int = 3\n"
        "print(Mine(api_key='a', size=4).size)\n"
        "print('pydantic' in sys.modules, 'millstream._pydantic_class' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("4\nFalse False\n", "")
