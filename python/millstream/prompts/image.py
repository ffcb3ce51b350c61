"""``ImagePromptTemplate``: an image, with variables in its URL."""

from __future__ import annotations

from typing import Any, ClassVar

from .._fields import field
from ..prompt_values import ImagePromptValue, ImageURL
from .base import BasePromptTemplate
from .templates import PromptTemplateFormat, fill_template, get_template_variables

__all__ = ("ImagePromptTemplate",)

_KEYS = frozenset({"url", "path", "detail"})


class ImagePromptTemplate(BasePromptTemplate[ImageURL]):
    """An image in OpenAI's format, with variables in its ``url`` and ``detail``.

    Raises :class:`ValueError` for variables with the names of its keys.
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain", "prompts", "image")

    template: dict[str, Any] = field(default_factory=dict)
    template_format: PromptTemplateFormat = "f-string"

    def __post_init__(self) -> None:
        """Read the variables, which checks the templates."""
        texts = [text for text in self.template.values() if isinstance(text, str)]
        names = [name for text in texts for name in get_template_variables(text, self.template_format)]
        self.input_variables = [name for name in self.input_variables or names if name not in self.partial_variables]
        if overlap := _KEYS.intersection(self.input_variables):
            raise ValueError(
                "input_variables for the image template cannot contain any of 'url', 'path', or 'detail'."
                f" Found: {set(overlap)}"
            )
        super().__post_init__()

    def format(self, /, **kwargs: Any) -> ImageURL:
        """Return the image with the variables.

        ``url`` and ``detail`` may be passed too. Raises :class:`ValueError` without a URL, and for a ``path``,
        since files are not read.
        """
        variables = self._merge_partial_and_user_variables(**kwargs)
        image = {
            key: fill_template(text, self.template_format, variables) if isinstance(text, str) else text
            for key, text in self.template.items()
        }
        if kwargs.get("path") or image.get("path"):
            raise ValueError(
                "Loading images from 'path' has been removed as of 0.3.15 for security reasons."
                " Please specify images by 'url'."
            )
        url: Any = kwargs.get("url") or image.get("url")
        detail: Any = kwargs.get("detail") or image.get("detail")
        if not url:
            raise ValueError("Must provide url.")
        if not isinstance(url, str):
            raise ValueError("url must be a string.")
        return ImageURL(url=url, detail=detail) if detail else ImageURL(url=url)

    def format_prompt(self, /, **kwargs: Any) -> ImagePromptValue:
        """Return the image with the variables as a prompt value."""
        return ImagePromptValue(image_url=self.format(**kwargs))

    async def aformat_prompt(self, /, **kwargs: Any) -> ImagePromptValue:
        """Return the image with the variables as a prompt value."""
        return ImagePromptValue(image_url=await self.aformat(**kwargs))

    @property
    def _prompt_type(self) -> str:
        return "image-prompt"

    def pretty_repr(self, html: bool = False) -> str:
        """Return the template."""
        return str(self.template)
