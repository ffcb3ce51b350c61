"""The arguments of a tool's call: validated by its schema, with those that the runtime passes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .._model_classes import is_first_version, make_object
from ..function_calling.injected import is_injected, is_injected_call_id
from .model_fields import fields_of, get_all_basemodel_annotations

__all__ = ("injected_fields", "validate_arguments", "validate_text")

_NO_CALL_ID = (
    "When tool includes an InjectedToolCallId argument, tool must always be invoked with a full model ToolCall of the"
    " form: {'args': {...}, 'name': '...', 'type': 'tool_call', 'tool_call_id': '...'}"
)


class _InjectedFields(NamedTuple):
    all: frozenset[str]
    call_ids: frozenset[str]


_INJECTED_FIELDS: WeakKeyDictionary[Any, _InjectedFields] = WeakKeyDictionary()


def injected_fields(schema: object) -> _InjectedFields:
    """Return the names of the fields of a pydantic class that the runtime passes, and which take the call's id."""
    found = _INJECTED_FIELDS.get(schema)
    if found is None:
        annotations = get_all_basemodel_annotations(schema)
        found = _InjectedFields(
            frozenset(name for name, hint in annotations.items() if is_injected(hint)),
            frozenset(name for name, hint in annotations.items() if is_injected_call_id(hint)),
        )
        # Types that are not defined yet may be later.
        if getattr(schema, "__pydantic_complete__", True):
            _INJECTED_FIELDS[schema] = found
    return found


def validate_text(schema: object, text: str) -> None:
    """Validate ``text`` as the value of the first field."""
    make_object(schema, {next(iter(fields_of(schema))): text})


def validate_arguments(
    schema: object, values: dict[str, Any], injected: Collection[str], tool_call_id: str | None
) -> dict[str, Any]:
    """Return the arguments for the tool's function: those of ``values``, validated, and the schema's defaults.

    ``injected`` are the parameters that the schema need not have: their arguments are passed as they are. Raises the
    exception of pydantic's for arguments that are not valid, and :class:`ValueError` without the call's id where the
    tool takes it.
    """
    values = dict(values)
    for name in injected_fields(schema).call_ids:
        values[name] = _require_call_id(tool_call_id)
    result = make_object(schema, values)
    provided = result.__fields_set__ if is_first_version(schema) else result.model_fields_set
    fields = fields_of(schema)
    arguments = {
        name: getattr(result, name)
        for name in (*fields, *_extra_names(result, schema))
        if name in values or name in provided or (name in fields and _has_default(name, fields[name]))
    }
    for name in injected:
        if name in values:
            arguments[name] = values[name]
        elif name == "tool_call_id":
            arguments[name] = _require_call_id(tool_call_id)
    return arguments


def _require_call_id(tool_call_id: str | None) -> str:
    if tool_call_id is None:
        raise ValueError(_NO_CALL_ID)
    return tool_call_id


def _extra_names(result: Any, schema: Any) -> Collection[str]:
    """Return the names of the values that the schema allows beside its fields."""
    if is_first_version(schema):
        return [name for name in result.__dict__ if name not in schema.__fields__]
    return [*(result.model_extra or ())]


def _has_default(name: str, field: Any) -> bool:
    # The fields of ``*args`` and ``**kwargs`` have one that the function must not get.
    if name in ("args", "kwargs"):
        return False
    return not (field.is_required() if hasattr(field, "is_required") else field.required)
