"""Text templates: reads their variables, and rejects templates that could do more than insert values."""

from string import Formatter
from typing import Literal

__all__ = ("PromptTemplateFormat", "check_format", "get_template_variables")

PromptTemplateFormat = Literal["f-string"]
"""The syntax of templates: variables in braces, ``{{`` and ``}}`` for braces."""


def check_format(template_format: str) -> None:
    """Raise :class:`ValueError` for a format other than f-strings, which is not supported."""
    if template_format != "f-string":
        raise ValueError(f"Unsupported template format: {template_format!r}; millstream supports 'f-string'")


def get_template_variables(template: str, template_format: str = "f-string") -> list[str]:
    """Return the names of the variables in ``template``, sorted, each once.

    Raises :class:`ValueError` for a template that could do more than insert values. Attributes, indexes,
    positions and nested fields are rejected, since templates and values may come from untrusted users.
    Unmatched braces are rejected too.
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
