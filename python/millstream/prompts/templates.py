"""Text templates of the three formats: reads their variables, checks them, and fills them.

Templates of the format ``"f-string"`` that could do more than insert values are rejected, since templates and values
may come from untrusted users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from string import Formatter
from typing import Any, Literal

from . import jinja

__all__ = (
    "DEFAULT_FORMATTER_MAPPING",
    "DEFAULT_VALIDATOR_MAPPING",
    "PromptTemplateFormat",
    "StrictFormatter",
    "check_valid_template",
    "fill_template",
    "formatter",
    "get_template_variables",
    "mustache_formatter",
    "mustache_template_vars",
    "validate_f_string_template",
)

PromptTemplateFormat = Literal["f-string", "mustache", "jinja2"]
"""The syntax of templates: ``{name}``, with ``{{`` and ``}}`` for braces; mustache; or Jinja2."""


class StrictFormatter(Formatter):
    """Formats templates with named variables only.

    >>> formatter.format("{greeting}, {name}!", greeting="Hello", name="World")
    'Hello, World!'
    """

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the template with the variables; :class:`ValueError` for positional ones."""
        if args:
            raise ValueError("No arguments should be provided, everything should be passed as keyword arguments.")
        return super().vformat(format_string, args, kwargs)

    def validate_input_variables(self, format_string: str, input_variables: Iterable[str]) -> None:
        """Raise :class:`KeyError` if the template has other variables than ``input_variables``."""
        self.format(format_string, **dict.fromkeys(input_variables, "foo"))


formatter = StrictFormatter()
"""Formats templates with named variables only."""


def mustache_formatter(template: str, /, **kwargs: Any) -> str:
    """Return ``template``, of mustache, with variables."""
    from .mustache import render

    return render(template, kwargs)


def mustache_template_vars(template: str) -> set[str]:
    """Return the names of the variables outside of sections; of a dotted name, the first part."""
    from .mustache import read_variables

    return read_variables(template)


DEFAULT_FORMATTER_MAPPING: dict[str, Callable[..., str]] = {
    "f-string": formatter.format,
    "mustache": mustache_formatter,
    "jinja2": jinja.jinja2_formatter,
}
"""For each format, the function that fills its templates."""

DEFAULT_VALIDATOR_MAPPING: dict[str, Callable[[str, list[str]], None]] = {
    "f-string": formatter.validate_input_variables,
    "jinja2": jinja.validate_jinja2,
}
"""For each format that can be checked, the function that compares variables with a template."""


def get_template_variables(template: str, template_format: str = "f-string") -> list[str]:
    """Return the names of the variables in ``template``, sorted, each once.

    Raises :class:`ValueError` for an unknown format, and for a template of the format ``"f-string"`` that could
    do more than insert values: attributes, indexes, positions and nested fields are rejected. Unmatched braces
    are rejected too.
    """
    if template_format == "f-string":
        return validate_f_string_template(template)
    if template_format == "mustache":
        return sorted(mustache_template_vars(template))
    if template_format == "jinja2":
        return sorted(jinja.read_variables(template))
    raise ValueError(f"Unsupported template format: {template_format}; use 'f-string', 'mustache' or 'jinja2'")


def validate_f_string_template(template: str) -> list[str]:
    """Return the variables of a template in braces; see :func:`get_template_variables`."""
    names = set()
    for _, name, spec, _ in Formatter().parse(template):
        if name is not None:
            _check_field(name, spec or "")
            names.add(name)
    return sorted(names)


def _check_field(name: str, spec: str) -> None:
    invalid = f"Invalid variable name {name!r} in f-string template."
    if any(mark in name for mark in ".[]"):
        raise ValueError(f"{invalid} Variable names cannot contain attribute access (.) or indexing ([]).")
    if not name or name.isdigit():
        raise ValueError(
            f"{invalid} Variable names cannot be empty or all digits as they are interpreted as positional arguments."
        )
    if "{" in spec or "}" in spec:
        raise ValueError("Invalid format specifier in f-string template. Nested replacement fields are not allowed.")


def check_valid_template(template: str, template_format: str, input_variables: Sequence[str]) -> None:
    """Raise :class:`ValueError` if ``template`` has variables that are not ``input_variables``.

    Jinja2's templates may have others: then a warning is issued. Templates of mustache cannot be checked.
    """
    if template_format not in DEFAULT_VALIDATOR_MAPPING:
        raise ValueError(
            f"Invalid template format {template_format!r}, should be one of {list(DEFAULT_VALIDATOR_MAPPING)}."
        )
    try:
        DEFAULT_VALIDATOR_MAPPING[template_format](template, list(input_variables))
    except (KeyError, IndexError) as error:
        raise ValueError(
            f"Invalid prompt schema; check for mismatched or missing input parameters from {list(input_variables)}."
        ) from error
    except (AttributeError, TypeError, ValueError):
        # The check of the fields says what is not allowed in them.
        get_template_variables(template, template_format)
        raise
    get_template_variables(template, template_format)


def fill_template(template: str, template_format: str, variables: Mapping[str, Any]) -> str:
    """Return ``template``, whose variables were checked when it was read, with the values of ``variables``."""
    if template_format == "f-string":
        return template.format(**variables)
    return DEFAULT_FORMATTER_MAPPING[template_format](template, **variables)
