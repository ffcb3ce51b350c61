"""JSON that is still on its way: the arguments of a tool call, as far as they are known."""

from typing import Any

from .._values import read_json

__all__ = ("read_partial_json",)


def read_partial_json(text: str) -> Any:
    """Return the value of ``text``, JSON or the beginning of it, in time linear in it.

    What is unfinished ends where the text does, as :class:`~millstream.JSONAssembler` documents it; what
    follows a whole document is left out. Raises :class:`ValueError` for what no JSON begins with, and
    where nothing is known yet.
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
