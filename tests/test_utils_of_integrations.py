"""The functions of ``millstream.utils`` that integrations call, compared with LangChain's."""

import copy
import datetime
import warnings
from importlib.metadata import version
from typing import Any

import pydantic
import pydantic.v1
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from langchain_core import utils as theirs
from langchain_core.utils import json_schema as their_schema
from langchain_core.utils import pydantic as their_pydantic
from langchain_core.utils import utils as their_utils

from millstream import LLM, utils
from millstream.utils import json_schema
from millstream.utils import pydantic as pydantic_utils
from millstream.utils import utils as own_utils


def outcome(call: Any) -> tuple[Any, list[str]]:
    """Return what ``call`` returns or the error that it raises, and the texts of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            result = type(error), str(error)
    # LangChain's texts contain line breaks.
    return result, [" ".join(str(one.message).split()) for one in caught]


@pytest.mark.parametrize(
    "kwargs", [{"a": 1}, {}, {"a": 1, "b": 2}, {"a": None, "b": 0}, {"a": 1, "c": 1}, {"a": 1, "c": 1, "d": 1}]
)
def test_exactly_one_argument_of_each_group_is_required(kwargs: dict[str, Any]) -> None:
    def call(module: Any) -> Any:
        return outcome(lambda: module.xor_args(("a", "b"), ("c", "d"))(dict)(**kwargs))

    assert call(utils) == call(theirs)


@pytest.mark.parametrize("limit", ["lt", "lte", "gt", "gte"])
@pytest.mark.parametrize("other", ["0.0.1", "9999", version("pytest")])
def test_the_version_of_a_package_is_checked(limit: str, other: str) -> None:
    def call(module: Any) -> Any:
        return outcome(lambda: module.check_package_version("pytest", **{f"{limit}_version": other}))

    assert call(utils) == call(theirs)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_error_response_raises_its_text(status: int) -> None:
    response = requests.Response()
    response.status_code, response._content = status, b"the reason"
    expected = outcome(lambda: theirs.raise_for_status_with_text(response))
    assert outcome(lambda: utils.raise_for_status_with_text(response)) == expected


def test_now_is_a_given_time_within_the_block() -> None:
    moment = datetime.datetime(2011, 2, 3, 10, 11)
    with utils.mock_now(moment) as kind:
        assert datetime.datetime.now() == moment
        assert datetime.datetime is kind
    assert datetime.datetime.now() > moment


@pytest.mark.parametrize("name", ["build_extra_kwargs", "_build_model_kwargs"])
@pytest.mark.parametrize(
    ("values", "extra"),
    [
        ({"a": 1}, {}),
        ({"a": 1, "x": 2}, {"y": 3}),
        ({"a": 1}, {"a": 2}),
        ({"x": 1}, {"x": 2}),
        ({}, {"a": 1, "x": 2}),
    ],
)
def test_unknown_arguments_are_moved_with_a_warning(name: str, values: Any, extra: Any) -> None:
    def call(module: Any) -> Any:
        kept, more = dict(values), dict(extra)
        if name == "build_extra_kwargs":
            return outcome(lambda: (module.build_extra_kwargs(more, kept, {"a"}), kept))
        return outcome(lambda: module._build_model_kwargs({**kept, "model_kwargs": more}, {"a", "model_kwargs"}))

    assert call(own_utils) == call(their_utils)


class Second(pydantic.BaseModel):
    a: int = pydantic.Field(default=1, alias="A")
    b: int


class First(pydantic.v1.BaseModel):
    a: int = pydantic.v1.Field(default=1, alias="A")
    b: int


@pytest.mark.parametrize("kind", [Second, First])
def test_the_names_of_fields_include_aliases(kind: Any) -> None:
    assert utils.get_pydantic_field_names(kind) == theirs.get_pydantic_field_names(kind) == {"a", "A", "b"}


def test_a_validator_before_all_others_receives_defaults() -> None:
    def check(cls: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "seen": sorted(map(str, values.items()))}

    for config in ({}, {"populate_by_name": True}):
        for arguments in ({"A": 2}, {"a": 2, "c": None}, {}):
            kinds = [
                pydantic.create_model(
                    "Kind",
                    __config__=pydantic.ConfigDict(**config),  # type: ignore[typeddict-item]
                    __validators__={"check": module.pre_init(check)},
                    a=(int, pydantic.Field(default=1, alias="A")),
                    c=(list[int], pydantic.Field(default_factory=list)),
                    seen=(list[str], ...),
                )
                for module in (utils, theirs)
            ]
            own, their = (kind(**arguments).model_dump() for kind in kinds)
            assert own == their


def test_models_of_ours_take_such_validators() -> None:
    class Model(LLM):
        key: str = pydantic.Field("default", alias="api_key")
        seen: Any = None

        @utils.pre_init
        def check(cls: Any, values: dict[str, Any]) -> dict[str, Any]:
            return {**values, "seen": (cls.__name__, values["key"])}

        @property
        def _llm_type(self) -> str:
            return "mine"

        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return self.key

    make: Any = Model
    assert make().seen == ("Model", "default")
    assert make(key="given").seen == make(api_key="given").seen == ("Model", "given")
    assert {"key", "api_key", "seen", "cache"} <= utils.get_pydantic_field_names(Model)


def test_removed_functions_are_explained() -> None:
    for module in (utils, theirs):
        with pytest.raises(ValueError, match="has been removed for security reasons"):
            module.image.encode_image  # noqa: B018
    with pytest.raises(AttributeError):
        utils.image.other  # noqa: B018


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schema whose parts refer to each other, to lists and to what does not exist."""
    paths = [
        "#/$defs/a",
        "#/$defs/b",
        "#/$defs/a/anyOf/0",
        "#/$defs/a/anyOf/x",
        "#/$defs/none",
        "elsewhere",
        "#/number/1",
    ]
    leaf = st.fixed_dictionaries(
        {"$ref": st.sampled_from(paths)}, optional={"title": st.just("t"), "items": st.just({})}
    )
    part = st.recursive(
        leaf | st.just({"type": "string"}),
        lambda inner: st.fixed_dictionaries(
            {}, optional={"properties": st.fixed_dictionaries({"p": inner}), "anyOf": st.lists(inner, max_size=2)}
        ),
        max_leaves=4,
    )
    definitions = draw(st.fixed_dictionaries({"a": part, "b": part}))
    return {"properties": {"x": draw(part)}, "$defs": definitions, "number": {1: {"type": "number"}}}


@given(schemas(), st.sampled_from([None, [], ["anyOf"]]), st.booleans())
def test_references_are_replaced_as_in_langchain(schema: Any, skipped: Any, is_part: bool) -> None:
    def call(module: Any) -> Any:
        part, full = (schema["properties"]["x"], schema) if is_part else (schema, None)
        return outcome(lambda: module.dereference_refs(part, full_schema=full, skip_keys=skipped))[0]

    before = copy.deepcopy(schema)
    (own, their) = call(json_schema), call(their_schema)
    if isinstance(their, tuple):
        # The texts of the errors begin in the same way.
        assert own[0] is their[0]
        assert own[1][:40] == their[1][:40]
    else:
        assert own == their
    assert schema == before


@pytest.mark.parametrize("kind", [Second, First, dict, list[int], "text", None, LLM, pydantic.BaseModel])
def test_pydantic_classes_are_recognized_and_read(kind: Any) -> None:
    def call(module: Any) -> Any:
        fields = outcome(lambda: module.get_fields(kind))
        if not isinstance(kind, type):
            return fields, module.is_basemodel_subclass(kind), module.is_basemodel_instance(kind)
        asked = [getattr(module, name) for name in dir(their_pydantic) if name.startswith(("is_base", "is_pydantic"))]
        schema = outcome(lambda: module.model_json_schema(kind))
        made = outcome(lambda: module.model_validate(kind, {"a": 1, "b": 2}))
        return [one(kind) for one in asked], fields, schema, made

    assert call(pydantic_utils) == call(their_pydantic)


def test_objects_of_pydantic_classes_have_fields() -> None:
    for value in (Second(A=1, b=2), First(A=1, b=2)):
        assert pydantic_utils.is_basemodel_instance(value)
        assert pydantic_utils.get_fields(value) == their_pydantic.get_fields(value)
