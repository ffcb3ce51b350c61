"""LangChain's path for functions that read JSON in the text of a model."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..output_parsers.json_text import parse_and_check_json_markdown, parse_json_markdown, parse_partial_json

__all__ = ("parse_and_check_json_markdown", "parse_json_markdown", "parse_partial_json")

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream.output_parsers.json_text"))
