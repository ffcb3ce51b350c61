"""The path that LangChain has for its older blocks; nothing in this package imports it."""

from ..content_blocks import convert_older_block

__all__ = ("convert_older_block",)

# LangChain's inner name.
_convert_legacy_v0_content_block_to_v1 = convert_older_block
