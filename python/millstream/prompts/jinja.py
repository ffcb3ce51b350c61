"""Jinja2 templates, rendered in Jinja2's sandbox. Jinja2 is imported when a template is read or rendered."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

__all__ = ("jinja2_formatter", "read_variables", "validate_jinja2")


def _environment() -> Any:
    try:
        from jinja2.sandbox import SandboxedEnvironment
    except ImportError as error:
        raise ImportError(
            "jinja2 not installed, which is needed to use the jinja2_formatter. "
            "Please install it with `pip install jinja2`. Jinja2 templates of untrusted users may run code in spite"
            " of the sandbox: prefer template_format='f-string' or 'mustache'."
        ) from error
    return SandboxedEnvironment()


def jinja2_formatter(template: str, /, **kwargs: Any) -> str:
    """Return ``template``, of Jinja2, with variables.

    The sandbox stops most attacks, not all: do not render templates of untrusted users. Raises
    :class:`ImportError` if Jinja2 is not installed.
    """
    text: str = _environment().from_string(template).render(**kwargs)
    return text


def read_variables(template: str) -> set[str]:
    """Return the names of the variables in ``template``."""
    environment = _environment()
    from jinja2 import meta

    return set(meta.find_undeclared_variables(environment.parse(template)))


def validate_jinja2(template: str, input_variables: Iterable[str]) -> None:
    """Warn if ``input_variables`` are not the variables in ``template``."""
    declared, found = set(input_variables), read_variables(template)
    parts = [f"Missing variables: {found - declared}"] if found - declared else []
    parts += [f"Extra variables: {declared - found}"] if declared - found else []
    if parts:
        warnings.warn(" ".join(parts), stacklevel=3)
