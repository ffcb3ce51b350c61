"""The path that LangChain has for selectors over vector stores, which Millstream does not have."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import UnsupportedError

__all__ = ("MaxMarginalRelevanceExampleSelector", "SemanticSimilarityExampleSelector", "sorted_values")


def sorted_values(values: dict[str, str]) -> list[str]:
    """Return the values, sorted by their keys."""
    return [values[key] for key in sorted(values)]


class _OverVectorStore:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._refuse()

    @classmethod
    def from_examples(cls, *args: object, **kwargs: Any) -> NoReturn:
        """Raise :class:`~millstream.UnsupportedError`."""
        cls._refuse()

    @classmethod
    async def afrom_examples(cls, *args: object, **kwargs: Any) -> NoReturn:
        """Raise :class:`~millstream.UnsupportedError`."""
        cls._refuse()

    @classmethod
    def _refuse(cls) -> NoReturn:
        raise UnsupportedError(
            f"Millstream has no vector stores: use langchain_core.example_selectors.{cls.__name__}, which Millstream's"
            " few-shot prompts accept"
        )


class SemanticSimilarityExampleSelector(_OverVectorStore):
    """Raises :class:`~millstream.UnsupportedError`: use LangChain's, which Millstream's few-shot prompts accept."""


class MaxMarginalRelevanceExampleSelector(_OverVectorStore):
    """Raises :class:`~millstream.UnsupportedError`: use LangChain's, which Millstream's few-shot prompts accept."""
