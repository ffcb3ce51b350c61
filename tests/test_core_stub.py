"""The types of the Rust core's module are those of the module that was built."""

import ast
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import millstream

STUB = ast.parse((Path(millstream.__file__).parent / "_core.pyi").read_text())
CLASSES = [node for node in STUB.body if isinstance(node, ast.ClassDef)]
IMPORTED = {alias.asname for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names} - {None}
CONSTANTS = {
    node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
}


@pytest.fixture(scope="module")
def core() -> ModuleType:
    module: ModuleType = pytest.importorskip("millstream._core")
    return module


def parameters(arguments: ast.arguments) -> list[tuple[str, Any]]:
    """Return the parameters of a function in the stub, without the first, and their defaults as text."""
    positional = [(argument.arg, None) for argument in arguments.args[1:]]
    defaults = [None if default is None else ast.unparse(default) for default in arguments.kw_defaults]
    return positional + list(zip([argument.arg for argument in arguments.kwonlyargs], defaults, strict=True))


def parameters_of(function: Any) -> list[tuple[str, Any]]:
    found = [item for item in inspect.signature(function).parameters.values() if item.name != "self"]
    return [(item.name, None if item.default is item.empty else repr(item.default)) for item in found]


def test_the_stub_names_what_the_module_has(core: ModuleType) -> None:
    named = IMPORTED | CONSTANTS | {node.name for node in CLASSES}
    assert named == {name for name in dir(core) if not name.startswith("__")}


@pytest.mark.parametrize("node", CLASSES, ids=lambda node: node.name)
def test_the_members_of_a_class_are_those_of_the_stub(core: ModuleType, node: ast.ClassDef) -> None:
    built = getattr(core, node.name)
    members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
    assert {name for name in vars(built) if not name.startswith("_")} == {name for name in members if name[0] != "_"}
    for name, member in members.items():
        if member.decorator_list:
            assert inspect.isgetsetdescriptor(vars(built)[name]), name
        elif name != "__reduce__":
            made = built if name == "__new__" else getattr(built, name)
            assert parameters_of(made) == parameters(member.args), name
