"""Types and schemas of Runnables with the classes of one library in place of the other's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import langchain_core.documents
import langchain_core.messages
import langchain_core.prompt_values
from langchain_core.runnables.utils import Input as TheirInput
from langchain_core.runnables.utils import Output as TheirOutput
from pydantic import BaseModel, Field, RootModel, create_model

from ..._signatures import is_resolved, own_annotations
from ...callbacks.values_from_langchain import our_class
from ...callbacks.values_to_langchain import their_class
from ...messages.conversion import AnyMessage
from ...runnables.invocable import Input, Output
from ...runnables.schemas import model_of_type

__all__ = ("schema_from_langchain", "schema_to_langchain", "type_from_langchain", "type_to_langchain")


class _Direction(NamedTuple):
    """One of the two ways: the counterpart of a class, types that are replaced whole, and who made the models."""

    counterpart: Callable[[type], Any]
    types: Sequence[tuple[Any, Any]]
    package: str


_TO_LANGCHAIN = _Direction(
    their_class,
    ((Input, TheirInput), (Output, TheirOutput), (AnyMessage, langchain_core.messages.AnyMessage)),
    "millstream.",
)
_FROM_LANGCHAIN = _Direction(our_class, [(theirs, ours) for ours, theirs in _TO_LANGCHAIN.types], "langchain_core.")


def type_to_langchain(annotation: Any) -> Any:
    """Return a type with LangChain's classes in place of Millstream's."""
    return _convert(annotation, _TO_LANGCHAIN)


def type_from_langchain(annotation: Any) -> Any:
    """Return a type with Millstream's classes in place of LangChain's."""
    return _convert(annotation, _FROM_LANGCHAIN)


def schema_to_langchain(model: Any) -> Any:
    """Return the pydantic model of an input or an output, with LangChain's classes in place of Millstream's.

    A model of a user's own stays as it is.
    """
    return _convert_model(model, _TO_LANGCHAIN)


def schema_from_langchain(model: Any) -> Any:
    """Return the pydantic model of an input or an output, with Millstream's classes in place of LangChain's."""
    return _convert_model(model, _FROM_LANGCHAIN)


def _convert(annotation: Any, way: _Direction) -> Any:
    for old, new in way.types:
        if annotation == old:
            return new
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return way.counterpart(annotation) or annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or not arguments:
        return annotation
    changed = tuple(_convert(argument, way) for argument in arguments)
    if changed == arguments:
        return annotation
    return Union[changed] if origin in (Union, UnionType) else origin[changed]  # noqa: UP007 (made at run time)


def _convert_model(model: Any, way: _Direction) -> Any:
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return model
    if issubclass(model, RootModel):
        root, field = _annotation_of(model, "root"), model.model_fields["root"]
        changed = _convert(root, way)
        default = ... if field.is_required() else field.default
        return model if changed is root else model_of_type(model.__name__, changed, model.__module__, default=default)
    if (ours := way.counterpart(model)) is not None:
        return ours
    types = {name: _annotation_of(model, name) for name in model.model_fields}
    changed_types = {name: _convert(annotation, way) for name, annotation in types.items()}
    if not model.__module__.startswith(way.package) or all(changed_types[name] is types[name] for name in types):
        return model
    definitions: dict[str, Any] = {name: (changed_types[name], _field_like(model.model_fields[name])) for name in types}
    return create_model(model.__name__, __config__=model.model_config, __module__=model.__module__, **definitions)


def _field_like(field: Any) -> Any:
    """Return a field for another type: with the same default and names, without the metadata of the type."""
    default: Any = {"default_factory": field.default_factory} if field.default_factory else {"default": field.default}
    return Field(**default, alias=field.alias, title=field.title, description=field.description)


def _annotation_of(model: type[BaseModel], name: str) -> Any:
    """Return the annotation of a field as it was written: pydantic takes the metadata of ``Annotated`` out of it."""
    written = own_annotations(model).get(name)
    return model.model_fields[name].annotation if written is None or not is_resolved(written) else written
