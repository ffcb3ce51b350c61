"""Types and schemas of Millstream's Runnables with LangChain's classes in place of Millstream's."""

from __future__ import annotations

from copy import copy
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import langchain_core.documents
import langchain_core.messages
import langchain_core.prompt_values
from langchain_core.runnables.utils import Input as TheirInput
from langchain_core.runnables.utils import Output as TheirOutput
from pydantic import RootModel, create_model

from ...callbacks.langchain_values import their_class
from ...messages.conversion import AnyMessage
from ...runnables.invocable import Input, Output
from ...runnables.schemas import model_of_type

__all__ = ("schema_to_langchain", "type_to_langchain")

_TYPES_OF_NONE: dict[Any, Any] = {Input: TheirInput, Output: TheirOutput}
"""The types of Runnables that have none."""


def type_to_langchain(annotation: Any) -> Any:
    """Return a type with LangChain's classes in place of Millstream's."""
    if isinstance(annotation, TypeVar):
        return _TYPES_OF_NONE.get(annotation, annotation)
    if annotation == AnyMessage:
        return langchain_core.messages.AnyMessage
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return their_class(annotation) or annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or not arguments:
        return annotation
    changed = tuple(type_to_langchain(argument) for argument in arguments)
    if changed == arguments:
        return annotation
    return Union[changed] if origin in (Union, UnionType) else origin[changed]  # noqa: UP007 (made at run time)


def schema_to_langchain(model: Any) -> Any:
    """Return the pydantic model of an input or an output, with LangChain's classes in place of Millstream's.

    A model of a user's own stays as it is.
    """
    is_made = isinstance(model, type) and model.__module__.startswith("millstream.")
    fields = getattr(model, "model_fields", None)
    if not fields or not (is_made or issubclass(model, RootModel)):
        return model
    own = {name: _annotation_of(model, name, field) for name, field in fields.items()}
    types = {name: type_to_langchain(annotation) for name, annotation in own.items()}
    if all(types[name] is annotation for name, annotation in own.items()):
        return model
    if issubclass(model, RootModel):
        field = fields["root"]
        default = ... if field.is_required() else field.default
        return model_of_type(model.__name__, types["root"], model.__module__, default=default)
    definitions: dict[str, Any] = {name: (types[name], copy(field)) for name, field in fields.items()}
    return create_model(model.__name__, __config__=model.model_config, __module__=model.__module__, **definitions)


def _annotation_of(model: Any, name: str, field: Any) -> Any:
    """Return the annotation of a field as it was written: pydantic takes the metadata of ``Annotated`` out of it."""
    written = vars(model).get("__annotations__", {}).get(name)
    return field.annotation if written is None or isinstance(written, str) else written
