"""Output parsers: steps of a chain that convert a model's answer to text, JSON, or objects."""

from .base import BaseGenerationOutputParser, BaseLLMOutputParser, BaseOutputParser
from .json import JsonOutputParser, SimpleJsonOutputParser
from .string import StrOutputParser
from .transform import BaseCumulativeTransformOutputParser, BaseTransformOutputParser

__all__ = (
    "BaseCumulativeTransformOutputParser",
    "BaseGenerationOutputParser",
    "BaseLLMOutputParser",
    "BaseOutputParser",
    "BaseTransformOutputParser",
    "JsonOutputParser",
    "SimpleJsonOutputParser",
    "StrOutputParser",
)
