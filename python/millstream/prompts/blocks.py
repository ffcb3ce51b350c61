"""Makes the templates of content blocks: texts, images, and dicts with variables in their texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dict import DictPromptTemplate
from .image import ImagePromptTemplate
from .prompt import PromptTemplate
from .string import StringPromptTemplate
from .templates import PromptTemplateFormat

__all__ = ("BlockTemplate", "fill_block", "make_block_template")

BlockTemplate = StringPromptTemplate | ImagePromptTemplate | DictPromptTemplate
"""The template of one block."""


def make_block_template(block: object, template_format: PromptTemplateFormat) -> BlockTemplate:
    """Return a template for a text or a block; :class:`ValueError` for anything else."""
    if isinstance(block, str):
        return PromptTemplate(block, template_format=template_format)
    if not isinstance(block, Mapping):
        raise ValueError(f"Invalid template: {block}")
    keys = block.keys() - {"type"}
    if keys == {"text"} and isinstance(block["text"], str):
        return PromptTemplate(block["text"], template_format=template_format)
    if keys == {"image_url"} and isinstance(image := block["image_url"], str | Mapping):
        template = {"url": image} if isinstance(image, str) else dict(image)
        return ImagePromptTemplate(template=template, template_format=template_format)
    if template_format == "jinja2":
        raise ValueError(
            "jinja2 is unsafe and is not supported for templates expressed as dicts."
            " Please use 'f-string' or 'mustache' format."
        )
    return DictPromptTemplate(template=dict(block), template_format=template_format)


def fill_block(template: BlockTemplate, filled: Any) -> dict[str, Any] | None:
    """Return ``filled``, which ``template`` returned, as a block; ``None`` for an empty text."""
    if isinstance(template, StringPromptTemplate):
        return {"type": "text", "text": filled} if filled else None
    if isinstance(template, ImagePromptTemplate):
        return {"type": "image_url", "image_url": filled}
    block: dict[str, Any] = filled
    return block
