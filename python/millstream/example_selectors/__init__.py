"""Selectors choose examples for few-shot prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._late import lazy_names
from .base import BaseExampleSelector
from .length_based import LengthBasedExampleSelector

if TYPE_CHECKING:
    from .semantic_similarity import (
        MaxMarginalRelevanceExampleSelector,
        SemanticSimilarityExampleSelector,
        sorted_values,
    )

__all__ = (
    "BaseExampleSelector",
    "LengthBasedExampleSelector",
    "MaxMarginalRelevanceExampleSelector",
    "SemanticSimilarityExampleSelector",
    "sorted_values",
)

__getattr__ = lazy_names(
    globals(),
    {
        "MaxMarginalRelevanceExampleSelector": ".semantic_similarity",
        "SemanticSimilarityExampleSelector": ".semantic_similarity",
        "sorted_values": ".semantic_similarity",
    },
)
