"""Reads the source of functions: the keys of the input that they use, and the objects."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

__all__ = (
    "get_function_first_arg_dict_keys",
    "get_function_nonlocals",
    "get_lambda_source",
    "indent_lines_after_first",
)

_Function = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef
_NO_SOURCE = (SyntaxError, TypeError, OSError, SystemError)


def get_function_first_arg_dict_keys(func: Callable[..., Any]) -> list[str] | None:
    """Return the keys that a function reads of its first argument; ``None`` if there are none, or no source."""
    try:
        tree = _parse(func)
    except _NO_SOURCE:
        return None
    keys = {
        key
        for function in _outermost_functions(tree)
        if function.args.args
        for key in _keys_read(function, function.args.args[0].arg)
    }
    return sorted(keys) or None


def get_lambda_source(func: Callable[..., Any]) -> str | None:
    """Return the source of a lambda that stands alone in its statement; else the name of the function."""
    name = getattr(func, "__name__", None)
    name = None if name == "<lambda>" else name
    try:
        lambdas = list(_outermost_lambdas(_parse(func)))
    except _NO_SOURCE:
        return name
    return ast.unparse(lambdas[0]) if len(lambdas) == 1 else name


def get_function_nonlocals(func: Callable[..., Any]) -> list[Any]:
    """Return the objects outside a function that its body uses, and those attributes of them that it reads."""
    try:
        names = {name for function in _outermost_functions(_parse(func)) for name in _names_used(function)}
        wrapped = getattr(func, "__wrapped__", None)
        variables = inspect.getclosurevars(wrapped if callable(wrapped) else func)
    except _NO_SOURCE:
        return []
    values: list[Any] = []
    for name, value in {**variables.globals, **variables.nonlocals}.items():
        if name in names:
            values.append(value)
        for dotted in names:
            first, *attributes = dotted.split(".")
            if attributes and first == name:
                values += _attribute(value, attributes)
    return values


def _parse(func: Callable[..., Any]) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(func)))


def _outermost_functions(tree: ast.AST) -> Iterator[_Function]:
    """Yield the functions of ``tree`` that are not inside another one."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Function):
            yield node
        else:
            yield from _outermost_functions(node)


def _outermost_lambdas(tree: ast.AST) -> Iterator[ast.Lambda]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Lambda):
            yield node
        else:
            yield from _outermost_lambdas(node)


def _keys_read(node: ast.AST, name: str) -> Iterator[str]:
    """Yield the keys of ``name[key]`` and ``name.get(key)``.

    Arguments of calls, and what stands before another item, are not searched, as in LangChain.
    """
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Subscript(ctx=ast.Load(), value=ast.Name(id=found), slice=ast.Constant(value=str(key))):
                if found == name:
                    yield key
            case ast.Call(
                func=ast.Attribute(attr="get", value=ast.Name(id=found)), args=[ast.Constant(value=str(key)), *default]
            ):
                if found == name and len(default) <= 1:
                    yield key
            case ast.Subscript() | ast.Call():
                pass
            case _:
                yield from _keys_read(child, name)


def _names_used(function: _Function) -> set[str]:
    """Return the names that a function reads and does not set; of an attribute, the dotted name."""
    loads: set[str] = set()
    stores: set[str] = set()
    dotted: set[ast.AST] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node not in dotted:
            name, root = _dotted_name(node, dotted)
            if isinstance(root, ast.Name):
                dotted.add(root)
                loads.add(f"{root.id}.{name}")
        elif isinstance(node, ast.Name) and node not in dotted:
            (loads if isinstance(node.ctx, ast.Load) else stores).add(node.id)
    return loads - stores


def _dotted_name(node: ast.Attribute, seen: set[ast.AST]) -> tuple[str, ast.AST]:
    """Return ``b.c`` and the node of ``a`` for the node of ``a.b.c``."""
    names = [node.attr]
    value: ast.AST = node.value
    while isinstance(value, ast.Attribute):
        seen.add(value)
        names.append(value.attr)
        value = value.value
    return ".".join(reversed(names)), value


def _attribute(value: object, names: list[str]) -> list[Any]:
    """Return the attribute of ``value``, in a list; an empty one if there is none."""
    for name in names:
        if value is None:
            return []
        try:
            value = getattr(value, name)
        except AttributeError:
            return []
    return [value]


def indent_lines_after_first(text: str, prefix: str) -> str:
    """Return ``text`` with all lines but the first one indented by the length of ``prefix``."""
    return text.replace("\n", "\n" + " " * len(prefix))
