"""Finds the clients of the OpenAI SDK that a source makes, and that ``accelerate`` is not called with yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .names import Names, dotted

__all__ = ("ACCELERATE", "CLIENTS", "find_clients")

ACCELERATE = "millstream.integrations.openai.accelerate"

CLIENTS = {
    f"openai.{name}" for name in ("AsyncAzureOpenAI", "AsyncClient", "AsyncOpenAI", "AzureOpenAI", "Client", "OpenAI")
}


def find_clients(tree: ast.Module, names: Names) -> Iterator[ast.Call]:
    """Yield the calls that make a client, in the order of their lines."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    passed = [node for call in calls if names.path(call.func) == ACCELERATE for node in call.args[:1]]
    accelerated = {id(node) for node in passed}
    variables = {dotted(node) for node in passed}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and variables & set(map(dotted, statement.targets)):
            accelerated.add(id(statement.value))
    clients = (call for call in calls if names.path(call.func) in CLIENTS and id(call) not in accelerated)
    yield from sorted(clients, key=lambda call: (call.lineno, call.col_offset))
