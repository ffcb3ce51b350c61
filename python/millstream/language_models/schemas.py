"""The types of structured output: schemas of an answer, and the dict of ``include_raw=True``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar

from ..messages.ai import AIMessage

__all__ = ("Schema", "SchemaClass", "SchemaMethod", "StructuredAnswer", "Tool", "ToolObject")


class _PydanticObject(Protocol):
    """An object of a pydantic class of the second version."""

    @classmethod
    def model_validate(cls, obj: Any) -> Any:
        """Return an object of ``obj``."""


class _FirstPydanticObject(Protocol):
    """An object of a pydantic class of the first version."""

    @classmethod
    def parse_obj(cls, obj: Any) -> Any:
        """Return an object of ``obj``."""


class ToolObject(Protocol):
    """A tool of LangChain's."""

    @property
    def name(self) -> str:
        """The name that a call has."""

    @property
    def description(self) -> str:
        """What the tool does, for the model."""

    @property
    def tool_call_schema(self) -> Any:
        """The schema of the arguments: a pydantic class, or a JSON schema."""


SchemaClass = TypeVar("SchemaClass", bound=_PydanticObject | _FirstPydanticObject | Mapping[str, object])
"""A pydantic class or a ``TypedDict``, whose objects an answer is parsed into."""
Schema = Mapping[str, Any] | Callable[..., Any] | ToolObject | None
"""A JSON schema, or a function or tool whose parameters are one: the answer is a dict. ``None``: any JSON object."""
Tool = Mapping[str, Any] | type | Callable[..., Any] | ToolObject
"""A tool that a model may call."""
SchemaMethod = Literal["function_calling", "json_mode", "json_schema"]
"""How a schema is sent to a model."""
Parsed = TypeVar("Parsed")


class StructuredAnswer(TypedDict, Generic[Parsed]):
    """What ``with_structured_output(…, include_raw=True)`` returns."""

    raw: AIMessage
    parsed: Parsed | None
    parsing_error: Exception | None
