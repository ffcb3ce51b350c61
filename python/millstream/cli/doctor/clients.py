"""Finds the clients of the OpenAI and Anthropic SDKs that a source makes without calling ``accelerate`` with them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .names import Names, dotted

__all__ = ("ACCELERATES", "CLIENTS", "find_clients")

ACCELERATES = {library: f"millstream.integrations.{library}.accelerate" for library in ("anthropic", "openai")}
"""The function for the clients of each SDK."""

_NAMES = {
    "anthropic": ("Anthropic", "AsyncAnthropic", "AsyncClient", "Client"),
    "openai": ("AsyncAzureOpenAI", "AsyncClient", "AsyncOpenAI", "AzureOpenAI", "Client", "OpenAI"),
}
CLIENTS = {f"{library}.{name}": library for library, names in _NAMES.items() for name in names}
"""The classes of clients, each with its SDK."""


def find_clients(tree: ast.Module, names: Names) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls that make a client, each with the name of its SDK, in the order of their lines."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    passed = [node for call in calls if names.path(call.func) in ACCELERATES.values() for node in call.args[:1]]
    accelerated = {id(node) for node in passed}
    variables = {dotted(node) for node in passed}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and variables & set(map(dotted, statement.targets)):
            accelerated.add(id(statement.value))
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        library = CLIENTS.get(names.path(call.func) or "")
        if library is not None and id(call) not in accelerated:
            yield call, library
