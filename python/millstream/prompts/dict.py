"""``DictPromptTemplate``: a dict with variables in its texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ..runnables.config import RunnableConfig
from ..runnables.runs import acall_in_run, call_in_run
from ..runnables.serializable import RunnableSerializable
from .fields import PromptFields
from .templates import PromptTemplateFormat, fill_template, get_template_variables

__all__ = ("DictPromptTemplate",)


class DictPromptTemplate(PromptFields, RunnableSerializable[dict[str, Any], dict[str, Any]]):
    """A dict, such as a block of content, with variables in its texts, at any depth; keys have none.

    >>> from millstream.prompts import DictPromptTemplate
    >>> prompt = DictPromptTemplate(template={"type": "text", "meta": {"by": "{who}"}}, template_format="f-string")
    >>> prompt.format(who="Ann")
    {'type': 'text', 'meta': {'by': 'Ann'}}
    """

    run_type: ClassVar[str] = "prompt"
    _module_path: ClassVar[tuple[str, ...]] = ("langchain_core", "prompts", "dict")

    template: dict[str, Any]
    template_format: PromptTemplateFormat

    def __post_init__(self) -> None:
        """Read the variables, which checks the templates."""
        self.template = dict(self.template)
        names = (get_template_variables(text, self.template_format) for text in _texts(self.template))
        self._input_variables = sorted({name for found in names for name in found})

    @property
    def input_variables(self) -> list[str]:
        """The required variables."""
        return self._input_variables

    def format(self, /, **kwargs: Any) -> dict[str, Any]:
        """Return the dict with the variables."""
        filled: dict[str, Any] = _fill(self.template, self.template_format, kwargs)
        return filled

    async def aformat(self, /, **kwargs: Any) -> dict[str, Any]:
        """Return what :meth:`format` returns."""
        return self.format(**kwargs)

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the dict for ``input``, a dict of variables."""
        filled: dict[str, Any] = call_in_run(
            self,
            lambda input, *_: self.format(**input),
            input,
            config,
            run_type=self.run_type,
            serialized=self._serialized(),
        )
        return filled

    async def ainvoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the dict for ``input``, a dict of variables."""

        async def format(input: Any, *_: Any) -> dict[str, Any]:
            return self.format(**input)

        filled: dict[str, Any] = await acall_in_run(
            self, format, input, config, run_type=self.run_type, serialized=self._serialized()
        )
        return filled

    @property
    def _prompt_type(self) -> str:
        return "dict-prompt"

    def pretty_repr(self, *, html: bool = False) -> str:
        """Return the dict."""
        return str(self.template)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _fill(value: object, template_format: PromptTemplateFormat, variables: Mapping[str, Any], key: str = "") -> Any:
    if isinstance(value, str):
        return fill_template(value, template_format, variables)
    if isinstance(value, Mapping):
        if key == "image_url" and "path" in value:
            warnings.warn("images are not read from a 'path'; pass their 'url'", stacklevel=2)
        return {name: _fill(item, template_format, variables, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_fill(item, template_format, variables) for item in value)
    return value
