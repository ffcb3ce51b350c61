"""Names that are imported when they are first used.

LangChain's contract has things of a low floor make things of a higher one: ``message + text`` is a
prompt, a Runnable ``| other`` a sequence, and a run makes the manager of its child runs. A pickle of a value
is read by the half of the core that runs, and pydantic asks the base class of messages, which validates as
one of its subclasses.
:func:`late` imports those, and its table is the whole list of imports that point up.
:func:`lazy_names` makes the ``__getattr__`` of a module that imports names only when asked for them:
a program that parses streams need not load the models. :func:`refuse_imports` explains the imports that a package
has no part in.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ("HOMES", "guard_import", "late", "lazy_names", "refuse_imports")

HOMES = {
    "AsyncCallbackManager": "millstream.callbacks.managers",
    "BasePromptTemplate": "millstream.prompts.base",
    "CallbackManager": "millstream.callbacks.managers",
    "ChatPromptTemplate": "millstream.prompts.chat",
    "Delta": "millstream._backend",
    "RunnableAssign": "millstream.runnables.passthrough",
    "RunnableBinding": "millstream.runnables.binding",
    "RunnableConfigurableAlternatives": "millstream.runnables.configurable",
    "RunnableConfigurableFields": "millstream.runnables.configurable",
    "RunnableEach": "millstream.runnables.each",
    "RunnableLambda": "millstream.runnables.functions",
    "RunnableParallel": "millstream.runnables.parallel",
    "RunnablePick": "millstream.runnables.passthrough",
    "RunnableRetry": "millstream.runnables.retry",
    "RunnableSequence": "millstream.runnables.sequence",
    "RunnableWithFallbacks": "millstream.runnables.fallbacks",
    "ServerSentEvent": "millstream._backend",
    "ToolCallDelta": "millstream._backend",
    "callbacks_to_langchain": "millstream.callbacks.handlers_to_langchain",
    "convert_runnable_to_tool": "millstream.tools.convert",
    "core_schema_of": "millstream.messages.pydantic_schema",
    "ensure_config": "millstream.runnables.config",
    "handlers_of": "millstream.callbacks.base_manager",
    "json_schema_of": "millstream.messages.pydantic_schema",
    "to_langchain": "millstream.callbacks.values_to_langchain",
    "validate_message": "millstream.messages.pydantic_schema",
}
"""The module of each name that :func:`late` imports."""


def late(name: str) -> Any:
    """Return what ``name`` is in its module of :data:`HOMES`."""
    return getattr(_import_module(HOMES[name]), name)


def guard_import(module_name: str, *, pip_name: str | None = None, package: str | None = None) -> Any:
    """Return the module ``module_name``; :class:`ImportError` that says how to install it if there is none."""
    try:
        return _import_module(module_name, package)
    except ImportError as error:
        pip_name = pip_name or module_name.partition(".")[0].replace("_", "-")
        raise ImportError(
            f"Could not import {module_name} python package. Please install it with `pip install {pip_name}`."
        ) from error


def lazy_names(namespace: dict[str, Any], homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for the module whose ``globals()`` are ``namespace``.

    It imports each name of ``homes`` from the module that this says, absolute or relative to the
    package, and keeps it in ``namespace``. The module's ``dir()`` lists these names from the beginning.
    """
    module = namespace["__name__"]
    namespace.setdefault("__dir__", lambda: sorted({*namespace, *homes}))

    def __getattr__(name: str) -> Any:
        if (home := homes.get(name)) is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = namespace[name] = getattr(_import_module(home, module), name)
        return value

    return __getattr__


class _LastFinder:
    """What Python asks for a submodule that no file has; it may raise."""

    def __init__(self, refuse: Callable[[str], None]) -> None:
        self._refuse = refuse

    def find_spec(self, fullname: str, target: object = None) -> None:
        self._refuse(fullname)


def refuse_imports(namespace: dict[str, Any], refuse: Callable[[str], None]) -> None:
    """Call ``refuse`` with the path of each name that an import asks a package for and that no file of it has.

    ``namespace`` are the package's ``globals()``. ``refuse`` may raise an exception, whose message the import then has.
    The package has an entry in its ``__path__`` for a finder; without ``sys.meta_path``, imports of other packages
    never reach it.
    """
    path = namespace["__path__"]
    namespace["__path__"] = [*path, f"{path[0]}/<LangChain's own>"]
    sys.path_importer_cache[namespace["__path__"][-1]] = _LastFinder(refuse)


def _import_module(name: str, package: str | None = None) -> Any:
    from importlib import import_module  # which `import millstream` alone can do without

    return import_module(name, package)
