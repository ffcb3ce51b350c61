"""Templates of text: their variables, and what must not stand in them."""

from string import Formatter
from typing import Any, Literal

__all__ = ("PromptTemplateFormat", "check_format", "fill_template", "get_template_variables")

PromptTemplateFormat = Literal["f-string"]
"""How templates are written: variables in braces, double braces for braces."""


def check_format(template_format: str) -> None:
    """Raise :class:`ValueError` for templates that are not f-strings: no others are supported."""
    if template_format != "f-string":
        raise ValueError(f"Unsupported template format: {template_format!r}; millstream supports 'f-string'")


def get_template_variables(template: str, template_format: str = "f-string") -> list[str]:
    """Return the names of the variables in ``template``, sorted, each once.

    Raises :class:`ValueError` for a template that could do more than insert values: attributes,
    indexes, positions and nested fields have no place in it, since templates, or what is inserted,
    may come from strangers. So it does for braces that do not match.
    """
    check_format(template_format)
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


def fill_template(template: str, variables: dict[str, Any]) -> str:
    """Return ``template``, whose variables were checked, with the values of ``variables``."""
    return template.format(**variables)
