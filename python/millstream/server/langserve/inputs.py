"""The inputs of runs: JSON that the Runnable's schema turns into messages, documents and dicts."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...runnables.config import RunnableConfig
from ...runnables.runnable import Runnable
from .bodies import InvalidRequestError, prefix_errors

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ("InputReader",)


class InputReader:
    """Reads inputs by the schema of a Runnable, which depends on the configurable values of a configuration.

    JSON stays data: pydantic makes what the schema says, and nothing that the JSON names.
    """

    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self._runnable = runnable

    @cached_property
    def _schema(self) -> type[BaseModel]:
        return self._runnable.get_input_schema()

    def read(self, value: Any, config: RunnableConfig, *place: str | int) -> Any:
        """Return the input that ``value``, at ``place`` in the body, stands for.

        Raises :class:`~.bodies.InvalidRequestError` where it does not fit.
        """
        from pydantic import ValidationError

        schema = self._runnable.get_input_schema(config) if config.get("configurable") else self._schema
        try:
            return _unpack(schema.model_validate(value))
        except ValidationError as error:
            raise prefix_errors(error, *place) from None
        except RecursionError:
            raise InvalidRequestError.one("recursion_loop", place, "Input is nested too deeply") from None


def _unpack(value: Any) -> Any:
    """Return the value in a schema's model, also within lists and dicts: its root, or a dict of its fields.

    A field that was not sent and is ``None`` by default is left out: a placeholder of a prompt may be optional.
    Objects of LangChain's own classes, which are models too, and of LangServe's ``CustomUserType`` stay as they are.
    """
    from pydantic import BaseModel, RootModel

    if isinstance(value, RootModel):
        return _unpack(value.root)
    if isinstance(value, BaseModel):
        if isinstance(value, _kept_classes()):
            return value
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        sent = value.model_fields_set
        given = {name: item for name, item in fields.items() if item is not None or name in sent}
        return {name: _unpack(item) for name, item in {**given, **(value.model_extra or {})}.items()}
    if type(value) is dict:
        return {key: _unpack(item) for key, item in value.items()}
    return [_unpack(item) for item in value] if type(value) is list else value


def _kept_classes() -> tuple[type, ...]:
    names = (("langchain_core.load.serializable", "Serializable"), ("langserve.schema", "CustomUserType"))
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return tuple(cls for cls in found if cls is not None)
