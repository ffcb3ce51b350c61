"""What makes of a model's answer what an application works with: text, JSON, and users' own."""

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
