"""Reads incomplete JSON: the arguments of a tool call that is still streaming."""

from typing import Any

from .._values import read_json

__all__ = ("read_partial_json",)


def read_partial_json(text: str) -> Any:
    """Return the value of ``text``, JSON or the beginning of it, in time linear in it.

    Unfinished values end where the text ends, as :class:`~millstream.JSONAssembler` documents it. Text after
    a complete document is ignored. Raises :class:`ValueError` if ``text`` is not the beginning of valid JSON,
    and if no value has begun.
    """
    try:
        return read_json(text, strict=False)
    except (ValueError, RecursionError):
        return _read_beginning(text)


def _read_beginning(text: str) -> Any:
    from .._backend import JSONAssembler

    assembler = JSONAssembler(strict=False)
    assembler.feed(text)
    if assembler.failure is not None and not assembler.complete:
        raise assembler.failure
    if not assembler.started:
        raise ValueError("nothing is known of the document yet")
    return assembler.value
