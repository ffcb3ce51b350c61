"""Templates of content blocks: images, and dicts with variables in their texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from .._repr import ReprMixin
from .prompt import PromptTemplate
from .string import PromptTemplateFormat, get_template_variables

__all__ = ("BlockTemplate", "DictPromptTemplate", "ImagePromptTemplate", "make_block_template")


class DictPromptTemplate(ReprMixin):
    """A block with variables in its texts, at any depth."""

    _fields: ClassVar[tuple[str, ...]] = ("template", "template_format")

    def __init__(self, template: Mapping[str, Any], template_format: PromptTemplateFormat = "f-string") -> None:
        self.template = dict(template)
        self.template_format: PromptTemplateFormat = template_format
        names = {name for text in _texts(self.template) for name in get_template_variables(text, template_format)}
        self.input_variables = sorted(names)

    def format(self, /, **variables: Any) -> dict[str, Any]:
        """Return the block with ``variables``."""
        block: dict[str, Any] = _fill(self.template, variables)
        return block

    def pretty_repr(self, html: bool = False) -> str:
        """Return the block."""
        return str(self.template)


class ImagePromptTemplate(ReprMixin):
    """An image block in OpenAI's format, with variables in its URL."""

    _fields: ClassVar[tuple[str, ...]] = ("input_variables", "input_types", "partial_variables", "template")
    input_types: ClassVar[dict[str, Any]] = {}
    partial_variables: ClassVar[dict[str, Any]] = {}

    def __init__(self, template: Mapping[str, Any], template_format: PromptTemplateFormat = "f-string") -> None:
        if "path" in template:
            raise ValueError("Images cannot be read from a 'path'; pass their 'url', which may be a data: URL.")
        self.template = dict(template)
        self.template_format: PromptTemplateFormat = template_format
        texts = [text for text in self.template.values() if isinstance(text, str)]
        self.input_variables = [name for text in texts for name in get_template_variables(text, template_format)]

    def format(self, /, **variables: Any) -> dict[str, Any]:
        """Return the block with ``variables``; :class:`ValueError` without a URL."""
        image: dict[str, Any] = _fill(self.template, variables)
        if not image.get("url"):
            raise ValueError("Must provide url.")
        return {"type": "image_url", "image_url": image}

    def pretty_repr(self, html: bool = False) -> str:
        """Return the block."""
        return str(self.template)


BlockTemplate = PromptTemplate | ImagePromptTemplate | DictPromptTemplate
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
        return ImagePromptTemplate({"url": image} if isinstance(image, str) else image, template_format)
    return DictPromptTemplate(block, template_format)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _fill(value: object, variables: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format(**variables)
    if isinstance(value, Mapping):
        return {key: _fill(item, variables) for key, item in value.items()}
    return [_fill(item, variables) for item in value] if isinstance(value, list | tuple) else value
