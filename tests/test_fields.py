"""Annotated fields as constructor arguments."""

import dataclasses
import subprocess
import sys
from typing import Any, ClassVar

import pydantic
import pytest

from millstream._fields import Fields, is_secret_name
from millstream.language_models import LLM, SecretStr, field


class Base(LLM):
    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt

    @property
    def _llm_type(self) -> str:
        return "test"


class Model(Base):
    required: int
    """A docstring under a field, as in LangChain's documentation."""
    suffix: str = "default"
    listed: list[int] = []  # noqa: RUF012
    made: dict[str, int] = field(default_factory=dict, alias="other_name")
    shared: ClassVar[list[int]] = []
    _private: list[int] = []  # noqa: RUF012


def test_annotated_fields_are_keyword_arguments() -> None:
    model = Model(required=1, suffix="x", listed=[2], other_name={"a": 1})
    assert (model.required, model.suffix, model.listed, model.made) == (1, "x", [2], {"a": 1})
    assert Model(required=1, made={"b": 2}).made == {"b": 2}  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Model(1)  # type: ignore[call-arg, arg-type]


def test_mutable_defaults_are_copied() -> None:
    first, second = Model(required=1), Model(required=1)
    first.listed.append(1)
    first.made["a"] = 1
    first._private.append(1)
    assert (second.listed, second.made, second._private, Model.listed) == ([], {}, [], [])
    assert first.shared is second.shared


def test_a_missing_argument_and_an_unknown_one_are_named_in_the_error() -> None:
    with pytest.raises(TypeError, match="'required'"):
        Model()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"'requird'; it knows .*required.*suffix") as caught:
        Model(requird=1)  # type: ignore[call-arg]
    assert "_private" not in str(caught.value)
    assert "shared" not in str(caught.value)


def test_fields_are_inherited_and_can_get_new_defaults() -> None:
    class Child(Model):
        required: int = 5
        suffix = "another"
        extra: float = 0.5

    model = Child()
    assert (model.required, model.suffix, model.extra, model.listed) == (5, "another", 0.5, [])
    assert Child(tags=["t"], suffix="x").suffix == "x"
    assert Model(required=1).suffix == "default"


def test_a_field_that_is_declared_again_keeps_its_default_factory() -> None:
    class Described(Fields):
        key: str = field(default="a", alias="k")

    class Anew(Described):
        key: str = field(default_factory=lambda: "b")

    assert (Anew().key, Anew(**{"k": "c"}).key) == ("b", "c")


def test_a_custom_constructor_calls_super() -> None:
    class Own(Model):
        def __init__(self, size: int, **kwargs: Any) -> None:
            super().__init__(required=size, **kwargs)
            self.size = size

    assert (Own(3).required, Own(3, suffix="x").suffix) == (3, "x")


def test_post_init_checks() -> None:
    class Checked(Model):
        def __post_init__(self) -> None:
            super().__post_init__()
            if self.required < 0:
                raise ValueError("required must not be negative")

    with pytest.raises(ValueError, match="negative"):
        Checked(required=-1)


def test_fields_of_dataclasses_are_read_too() -> None:
    class Listed(Base):
        items: list[int] = dataclasses.field(default_factory=lambda: [1])
        hidden: str = dataclasses.field(default="x", repr=False)

    assert Listed().items == [1]
    assert Listed().items is not Listed().items
    assert "hidden" not in repr(Listed(hidden="y"))


def test_annotations_may_be_strings() -> None:
    space: dict[str, Any] = {"Base": Base}
    exec(
        "from __future__ import annotations\n"
        "import typing\n"
        "class Late(Base):\n"
        "    size: NotDefinedAnywhere = 3\n"
        "    kept: typing.ClassVar[int] = 1\n",
        space,
    )
    late = space["Late"]
    assert late(size=4).size == 4
    with pytest.raises(TypeError, match="kept"):
        late(kept=2)


# Secrets.


class Keyed(Base):
    api_key: str = ""
    holder: SecretStr = SecretStr("")
    optional: "SecretStr | None" = None
    pydantic_key: Any = None
    options: dict[str, Any] = {}  # noqa: RUF012
    url: str = ""
    max_tokens: int = 1


def test_secrets_are_never_in_repr() -> None:
    canary = "sk-canary"
    model = Keyed(
        api_key=canary,
        holder=SecretStr(canary),
        optional=SecretStr(canary),
        pydantic_key=pydantic.SecretStr(canary),
        options={"Authorization": canary, "nested": [{"password": canary}], "open": 1},
        url=f"https://user:{canary}@host/path",
        max_tokens=7,
    )
    assert canary not in repr(model)
    assert canary not in str(model)
    assert "max_tokens=7" in repr(model)
    assert "'open': 1" in repr(model)
    assert "host/path" in repr(model)


def test_a_secret_is_returned_only_by_get_secret_value() -> None:
    secret = SecretStr("value")
    assert (repr(secret), str(secret), secret.get_secret_value()) == ("SecretStr('**********')", "**********", "value")
    assert secret == SecretStr("value")
    assert secret != "value"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("api_key", True),
        ("openai_api_key", True),
        ("X-Api-Key", True),
        ("access_token", True),
        ("password", True),
        ("client_secret", True),
        ("max_tokens", False),
        ("prompt_tokens", False),
        ("custom_get_token_ids", False),
        ("key", False),
    ],
)
def test_a_secret_is_recognized_by_its_name(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


# pydantic.


def test_values_and_types_of_pydantic_are_plain_values() -> None:
    class Schema(pydantic.BaseModel):
        x: int = 1

    class Holding(Base):
        schema_type: type[pydantic.BaseModel] = Schema
        schema_value: Any = Schema()
        secret: pydantic.SecretStr | None = None

    assert Holding().schema_value == Schema()
    assert "canary" not in repr(Holding(secret=pydantic.SecretStr("canary")))


def test_a_custom_model_loads_no_pydantic() -> None:
    code = (
        "import sys\n"
        "from millstream import LLM\n"
        "class Echo(LLM):\n"
        "    size: int = 3\n"
        "    def _call(self, prompt, stop=None, run_manager=None, **kwargs): return prompt[: self.size]\n"
        "    @property\n"
        "    def _llm_type(self): return 'echo'\n"
        "print(list(Echo(size=2).stream('abc')), 'pydantic' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("['ab'] False\n", "")


def test_a_method_of_pydantic_or_of_langchains_files_is_absent_with_a_reason() -> None:
    model = Model(required=1)
    for name in ("model_dump", "model_copy", "to_json", "is_lc_serializable"):
        assert not hasattr(model, name)
        assert not hasattr(Model, name)
        assert name not in dir(model)
    with pytest.raises(AttributeError, match=r"^'Model' object has no attribute 'model_dump': its fields are plain"):
        model.model_dump()  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"'to_json': it is not written as JSON; pickle it$"):
        model.to_json()  # type: ignore[attr-defined]


def test_a_class_may_write_such_a_method() -> None:
    class Dumped(Model):
        def model_dump(self) -> dict[str, int]:
            return {"required": self.required}

    assert Dumped(required=3).model_dump() == {"required": 3}
