import ast
from pathlib import Path

import pytest

import millstream
from millstream._late import HOMES, late, lazy_names

PACKAGE = Path(millstream.__file__).parent


def test_the_table_is_the_whole_list_of_imports_that_point_up() -> None:
    assert HOMES == {
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


@pytest.mark.parametrize("name", HOMES)
def test_a_late_name_is_what_its_module_defines(name: str) -> None:
    assert late(name).__name__ == name


def test_no_other_module_imports_by_a_string() -> None:
    names = {"import_module", "__import__"}
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if getattr(node, "id", getattr(node, "attr", None)) in names
    }
    # The second one looks for a core that may not be built, and the third one for the home of a name that an error is
    # about. The command line imports the module of a command, what an app could import, and what it measures.
    assert found == {
        *("_late.py", "_backend.py", "_langchains_own.py"),
        *("cli/__init__.py", "cli/doctor/twins.py", "cli/bench/memory.py", "cli/bench/peers.py"),
    }


def test_a_lazy_name_is_imported_once_and_kept() -> None:
    namespace: dict[str, object] = {"__name__": "millstream"}
    found: object = lazy_names(namespace, {"LLM": ".language_models.llms"})("LLM")
    assert found is millstream.LLM is namespace["LLM"]


def test_a_name_that_is_not_in_the_table_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'millstream.outputs' has no attribute 'Nothing'$"):
        lazy_names({"__name__": "millstream.outputs"}, {})("Nothing")
