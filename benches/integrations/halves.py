"""Our contenders on the Python half of the core, in the process that runs the Rust one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any

from millstream import BACKEND
from millstream.cli.bench.harness import Contender

from ..fixtures import Reads

__all__ = ("with_python_half",)


def with_python_half(ours: Contender) -> list[Contender]:
    """Return ``ours`` and the same on the Python half; ``ours`` alone where that is what runs."""
    if BACKEND == "python":
        return [ours]

    def bind(reads: Reads) -> Callable[[], Any]:
        run = ours.bind(reads)

        def on_python() -> Any:
            with _python_half():
                return run()

        async def aon_python() -> Any:
            with _python_half():
                return await run()

        return aon_python if ours.waits else on_python

    return [ours, replace(ours, key="python", name=f"{ours.name}, Python half", bind=bind)]


@contextmanager
def _python_half() -> Iterator[None]:
    """Let every module of ours that has a name of the Rust half have that of the Python half."""
    core, pure = import_module("millstream._core"), import_module("millstream._pure")
    changes = [
        (module, name, value, getattr(pure, name))
        for module in _modules()
        for name, value in vars(module).items()
        if hasattr(pure, name) and value is getattr(core, name, None)
    ]
    for module, name, _, other in changes:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name, value, _ in changes:
            setattr(module, name, value)


def _modules() -> list[ModuleType]:
    """Return the modules that read streams; the tables of each half have names of their own."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name == "millstream.providers.stream_decoding" or name.startswith("millstream.integrations")
    ]
