"""Output parsers: steps of a chain that convert a model's answer to text, JSON, lists, or objects."""

from typing import TYPE_CHECKING

from .._late import lazy_names
from .base import BaseGenerationOutputParser, BaseLLMOutputParser, BaseOutputParser
from .json import JsonOutputParser, SimpleJsonOutputParser
from .string import StrOutputParser
from .transform import BaseCumulativeTransformOutputParser, BaseTransformOutputParser

if TYPE_CHECKING:
    from .list import (
        CommaSeparatedListOutputParser,
        ListOutputParser,
        MarkdownListOutputParser,
        NumberedListOutputParser,
    )
    from .openai_tools import JsonOutputKeyToolsParser, JsonOutputToolsParser, PydanticToolsParser
    from .pydantic import PydanticOutputParser
    from .xml import XMLOutputParser

__all__ = (
    "BaseCumulativeTransformOutputParser",
    "BaseGenerationOutputParser",
    "BaseLLMOutputParser",
    "BaseOutputParser",
    "BaseTransformOutputParser",
    "CommaSeparatedListOutputParser",
    "JsonOutputKeyToolsParser",
    "JsonOutputParser",
    "JsonOutputToolsParser",
    "ListOutputParser",
    "MarkdownListOutputParser",
    "NumberedListOutputParser",
    "PydanticOutputParser",
    "PydanticToolsParser",
    "SimpleJsonOutputParser",
    "StrOutputParser",
    "XMLOutputParser",
)

__getattr__ = lazy_names(
    globals(),
    {
        "CommaSeparatedListOutputParser": "millstream.output_parsers.list",
        "JsonOutputKeyToolsParser": "millstream.output_parsers.openai_tools",
        "JsonOutputToolsParser": "millstream.output_parsers.openai_tools",
        "ListOutputParser": "millstream.output_parsers.list",
        "MarkdownListOutputParser": "millstream.output_parsers.list",
        "NumberedListOutputParser": "millstream.output_parsers.list",
        "PydanticOutputParser": "millstream.output_parsers.pydantic",
        "PydanticToolsParser": "millstream.output_parsers.openai_tools",
        "XMLOutputParser": "millstream.output_parsers.xml",
    },
)
