"""The path that LangChain has for the conversion of blocks to OpenAI's format; nothing in this package imports it."""

from ..openai import convert_to_openai_data_block, convert_to_openai_image_block

__all__ = ("convert_to_openai_data_block", "convert_to_openai_image_block")
