"""Which fields of a Runnable its configuration may set: what users declare, and what a Runnable reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

__all__ = (
    "AnyConfigurableField",
    "ConfigurableField",
    "ConfigurableFieldMultiOption",
    "ConfigurableFieldSingleOption",
    "ConfigurableFieldSpec",
    "get_unique_config_specs",
)


class ConfigurableField(NamedTuple):
    """A field that ``configurable`` may set, under ``id``."""

    id: str
    name: str | None = None
    description: str | None = None
    annotation: Any | None = None
    is_shared: bool = False

    def __hash__(self) -> int:
        """Return a hash of the id and the type."""
        return hash((self.id, self.annotation))


class ConfigurableFieldSingleOption(NamedTuple):
    """A field for which ``configurable`` may choose one of ``options``, under ``id``."""

    id: str
    options: Mapping[str, Any]
    default: str
    name: str | None = None
    description: str | None = None
    is_shared: bool = False

    def __hash__(self) -> int:
        """Return a hash of the id, the options' names and the default."""
        return hash((self.id, tuple(self.options.keys()), self.default))


class ConfigurableFieldMultiOption(NamedTuple):
    """A field for which ``configurable`` may choose several of ``options``, under ``id``."""

    id: str
    options: Mapping[str, Any]
    default: Sequence[str]
    name: str | None = None
    description: str | None = None
    is_shared: bool = False

    def __hash__(self) -> int:
        """Return a hash of the id, the options' names and the defaults."""
        return hash((self.id, tuple(self.options.keys()), tuple(self.default)))


AnyConfigurableField: TypeAlias = ConfigurableField | ConfigurableFieldSingleOption | ConfigurableFieldMultiOption


class ConfigurableFieldSpec(NamedTuple):
    """The description of a key of ``configurable`` that a Runnable reads."""

    id: str
    annotation: Any
    name: str | None = None
    description: str | None = None
    default: Any = None
    is_shared: bool = False
    dependencies: list[str] | None = None


def get_unique_config_specs(specs: Iterable[ConfigurableFieldSpec]) -> list[ConfigurableFieldSpec]:
    """Return each of ``specs`` once, in the order of their ids; :class:`ValueError` if two of one id differ."""
    ordered = sorted(specs, key=lambda spec: (spec.id, *(spec.dependencies or ())))
    unique: list[ConfigurableFieldSpec] = []
    for id, group in groupby(ordered, lambda spec: spec.id):
        first, *others = group
        if any(other != first for other in others):
            raise ValueError(f"RunnableSequence contains conflicting config specs for {id}: {[first, *others]}")
        unique.append(first)
    return unique
