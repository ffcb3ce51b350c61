"""Classes that exist twice, here and in LangChain, whose objects stand in for each other."""

from __future__ import annotations

__all__ = ("is_kind",)

_PACKAGES = frozenset({"millstream", "langchain_core"})


def is_kind(cls: object, name: str) -> bool:
    """Return whether ``cls`` is the class ``name`` of Millstream or of LangChain, or a subclass of one of them.

    The bases are compared by their names, so that LangChain is not imported.
    """
    bases = cls.__mro__ if isinstance(cls, type) else ()
    return any(base.__name__ == name and base.__module__.partition(".")[0] in _PACKAGES for base in bases)
