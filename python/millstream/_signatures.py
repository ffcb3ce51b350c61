"""Signatures and annotations of callables and classes that users write.

From Python 3.14 on, annotations are evaluated when they are read, and a name that exists for type checkers alone
raises :class:`NameError` then. Such a name stays a ``ForwardRef`` here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, ForwardRef, get_args, get_type_hints

__all__ = (
    "annotation_text",
    "is_resolved",
    "own_annotations",
    "resolve_annotation",
    "signature_of",
    "signature_parameters",
)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of ``function``; annotations that cannot be resolved stay as they are."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def signature_parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of ``function``; annotations that cannot be resolved stay as they are."""
    return signature_of(function).parameters


def own_annotations(holder: Any) -> dict[str, Any]:
    """Return the annotations of a class, without its bases', or of a function, as they were written."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(holder, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(holder)


def annotation_text(annotation: Any) -> Any:
    """Return the text of an annotation that was not evaluated, and any other annotation as it is."""
    return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation


def is_resolved(annotation: object) -> bool:
    """Return whether no part of ``annotation`` has still to be evaluated."""
    if isinstance(annotation, str | ForwardRef):
        return False
    # The arguments of ``Literal`` may be texts.
    return all(isinstance(part, str) or is_resolved(part) for part in get_args(annotation))


def resolve_annotation(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Return ``annotation`` with the texts in it evaluated; whatever that raises is raised."""
    holder = type("_Holder", (), {"__annotations__": {"value": annotation}})
    return get_type_hints(holder, globalns=dict(names), include_extras=True)["value"]
