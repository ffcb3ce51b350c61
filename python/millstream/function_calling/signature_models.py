"""Pydantic classes with the parameters of a function as fields, or with some fields of another class."""

from __future__ import annotations

import inspect
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from .._late import guard_import
from .._model_classes import is_first_version, is_model_class
from .._signatures import own_annotations, signature_parameters
from .docstrings import read_docstring
from .injected import is_injected
from .parameters import annotation_owner

if TYPE_CHECKING:
    from pydantic import BaseModel

    ModelClass = type[BaseModel]

__all__ = ("FILTERED_ARGS", "check_described", "create_schema_from_function", "create_subset_model")

FILTERED_ARGS = ("run_manager", "callbacks")
"""The parameters whose arguments the runtime passes, whatever their types."""


def create_schema_from_function(
    model_name: str,
    func: Callable[..., Any],
    *,
    filter_args: Sequence[str] | None = None,
    parse_docstring: bool = False,
    error_on_invalid_docstring: bool = False,
    include_injected: bool = True,
) -> ModelClass:
    """Return a pydantic class ``model_name`` with the parameters of ``func`` as its fields.

    Those of ``filter_args`` (by default the runtime's) are left out, and without ``include_injected`` those that are
    marked as injected. With ``parse_docstring`` a docstring in Google style describes the fields; with
    ``error_on_invalid_docstring`` any other raises :class:`ValueError`.
    """
    parameters = signature_parameters(func)
    hints = _hints(func, parameters)
    is_first = _uses_first_version(func, hints.values())
    left_out = set(filter_args or FILTERED_ARGS)
    if not filter_args and "." in getattr(func, "__qualname__", ""):
        left_out.update([*parameters][:1] if next(iter(parameters), "") in ("self", "cls") else ())
    if not include_injected:
        left_out.update(name for name in parameters if is_injected(hints.get(name)))
    description, descriptions = _describe(
        func, parameters, hints, parse_docstring=parse_docstring, error_on_invalid_docstring=error_on_invalid_docstring
    )
    fields = {
        name: (_field_type(one, hints), _field_default(one))
        for name, one in parameters.items()
        if name not in left_out and not name.startswith("_")
    }
    make = _model_of_first_version if is_first else _model
    return make(model_name, fields, descriptions, description)


def _hints(func: Callable[..., Any], parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the types of the annotated parameters; :class:`NameError` if one cannot be resolved."""
    owner = annotation_owner(func)
    hints = {} if owner is None else get_type_hints(owner, include_extras=True)
    annotated = [one for one in parameters.values() if one.annotation is not one.empty]
    return {one.name: hints.get(one.name, one.annotation) for one in annotated}


def _field_type(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    hint = Any if parameter.annotation is parameter.empty else hints[parameter.name]
    if parameter.kind is parameter.VAR_POSITIONAL:
        return types.GenericAlias(tuple, (hint, ...))
    return types.GenericAlias(dict, (str, hint)) if parameter.kind is parameter.VAR_KEYWORD else hint


def _field_default(parameter: inspect.Parameter) -> Any:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    return ... if parameter.default is parameter.empty else parameter.default


def _uses_first_version(func: Callable[..., Any], hints: Iterable[Any]) -> bool:
    """Return whether the classes among the annotations are of ``pydantic.v1``; raise where there are both."""
    classes = [hint for hint in hints if is_model_class(hint)]
    first = [is_first_version(cls) for cls in classes]
    if any(first) and not all(first):
        raise NotImplementedError(
            f"Function {func} contains a mix of Pydantic v1 and v2 annotations."
            " Only one version of Pydantic annotations per function is supported."
        )
    return any(first)


def _describe(
    func: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    hints: Mapping[str, Any],
    *,
    parse_docstring: bool,
    error_on_invalid_docstring: bool,
) -> tuple[str, dict[str, str]]:
    """Return the description of ``func``, and those of its arguments: the docstring's, then the annotations'."""
    docstring = inspect.getdoc(func)
    description, descriptions = docstring or "", dict[str, str]()
    if parse_docstring:
        if error_on_invalid_docstring:
            _check_docstring(docstring, hints)
        description, descriptions = read_docstring(docstring)
        check_described(descriptions, parameters)
    for name, annotation in hints.items():
        if name not in descriptions and (found := _description_of(annotation)):
            descriptions[name] = found
    return description, descriptions


def check_described(descriptions: Iterable[str], parameters: Mapping[str, object]) -> None:
    """Raise :class:`ValueError` if a docstring describes an argument that the function does not have."""
    for name in descriptions:
        if name not in parameters:
            raise ValueError(f"Arg {name} in docstring not found in function signature.")


def _check_docstring(docstring: str | None, names: Iterable[str]) -> None:
    blocks = (docstring or "").split("\n\n")
    described = set(names) - {*FILTERED_ARGS, "runtime", "return"}
    has_arguments = any(block.startswith("Args:") for block in blocks[1:])
    if not docstring or (described and not has_arguments):
        raise ValueError("Found invalid Google-Style docstring.")


def _description_of(annotation: object) -> str | None:
    """Return the description in the extras of ``Annotated``: a text, or that of pydantic's ``Field``."""
    if get_origin(annotation) is not Annotated:
        return None
    texts = (one if isinstance(one, str) else getattr(one, "description", None) for one in get_args(annotation)[1:])
    return next((text for text in texts if isinstance(text, str) and text), None)


# Classes of both versions.

Fields = Mapping[str, tuple[Any, Any]]
"""For each name the type and the default, ``...`` if it is required."""


def _model(name: str, fields: Fields, descriptions: Mapping[str, str], description: str) -> ModelClass:
    guard_import("pydantic")
    from pydantic.fields import FieldInfo

    infos = {
        key: FieldInfo.from_annotation(kind) if default is ... else FieldInfo.from_annotated_attribute(kind, default)
        for key, (kind, default) in fields.items()
    }
    return _model_of_fields(name, infos, descriptions, description, {key: kind for key, (kind, _) in fields.items()})


def _model_of_first_version(name: str, fields: Fields, descriptions: Mapping[str, str], description: str) -> ModelClass:
    from pydantic import v1

    config = type("Config", (), {"arbitrary_types_allowed": True})
    whole: Any = v1.create_model(name, __config__=config, **fields)  # type: ignore[call-overload]
    return create_subset_model(name, whole, [*fields], descriptions=descriptions, fn_description=description)


def create_subset_model(
    name: str,
    model: Any,
    field_names: Sequence[str],
    *,
    descriptions: Mapping[str, str] | None = None,
    fn_description: str | None = None,
) -> ModelClass:
    """Return a class ``name``, of the same pydantic version as ``model``, with some of its fields."""
    description = textwrap.dedent(fn_description or model.__doc__ or "")
    if is_first_version(model):
        return _subset_of_first_version(name, model, field_names, descriptions or {}, description)
    infos = {key: model.model_fields[key] for key in field_names}
    annotations = own_annotations(model)
    kept = {key: annotation for key, annotation in annotations.items() if key in infos}
    return _model_of_fields(name, infos, descriptions or {}, description, kept)


def _model_of_fields(
    name: str,
    infos: Mapping[str, Any],
    descriptions: Mapping[str, str],
    description: str,
    annotations: Mapping[str, Any],
) -> ModelClass:
    """Return a class with the types, defaults and constraints of ``infos``; aliases and titles are not taken over."""
    from pydantic import ConfigDict, create_model
    from pydantic.fields import FieldInfo

    fields: dict[str, Any] = {}
    for key, info in infos.items():
        default = {"default": info.default} if info.default_factory is None else {}
        field = FieldInfo(
            description=descriptions.get(key, info.description), default_factory=info.default_factory, **default
        )
        if info.metadata:
            field.metadata = info.metadata
        fields[key] = (info.annotation, field)
    config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())
    model: ModelClass = create_model(name, __config__=config, **fields)
    # With the extras of ``Annotated``, which pydantic has moved into the fields.
    model.__annotations__ = dict(annotations)
    model.__doc__ = description
    return model


def _subset_of_first_version(
    name: str, model: Any, field_names: Sequence[str], descriptions: Mapping[str, str], description: str
) -> ModelClass:
    from pydantic import v1

    fields: dict[str, Any] = {}
    for key in field_names:
        field = model.__fields__[key]
        is_required = field.required and not field.allow_none
        if key in descriptions:
            field.field_info.description = descriptions[key]
        fields[key] = (field.outer_type_ if is_required else field.outer_type_ | None, field.field_info)
    subset: Any = v1.create_model(name, __config__=model.__config__, **fields)
    subset.__doc__ = description
    return subset  # type: ignore[no-any-return]
