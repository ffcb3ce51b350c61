"""Random trees of compositions are described as in LangChain: schemas, names, graphs."""

from collections.abc import Callable, Iterator
from typing import Any

import langchain_core.runnables as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import millstream.runnables as ours
from schema_shapes import graph_shape, without_descriptions

Build = Callable[[Any], Any]


def number(x: int) -> str:
    return str(x)


def text(x: str) -> int:
    return len(x)


def row(x: dict) -> dict:  # type: ignore[type-arg]
    return x


def keys(x: Any) -> Any:
    return [x["a"], x.get("b")]


def anything(x: Any) -> Any:
    return x


def nothing(x: Any) -> None:
    del x


def generate(chunks: Iterator[int]) -> Iterator[str]:
    for chunk in chunks:
        yield str(chunk)


FUNCTIONS = st.sampled_from([number, text, row, keys, anything, nothing])
LEAVES: st.SearchStrategy[Build] = st.one_of(
    FUNCTIONS.map(lambda function: lambda lib: lib.RunnableLambda(function)),
    st.just(lambda lib: lib.RunnablePassthrough()),
    st.just(lambda lib: lib.RunnableGenerator(generate)),
    st.sampled_from(["a", ["a", "b"]]).map(lambda keys: lambda lib: lib.RunnablePick(keys)),
)
NAMES = st.sampled_from(["a", "b", "copy", "_c"])


def build_sequence(steps: list[Build]) -> Build:
    return lambda lib: lib.RunnableSequence(*(step(lib) for step in steps))


def build_parallel(steps: dict[str, Build]) -> Build:
    return lambda lib: lib.RunnableParallel({key: step(lib) for key, step in steps.items()})


def build_assign(steps: dict[str, Build]) -> Build:
    return lambda lib: lib.RunnableAssign(lib.RunnableParallel({key: step(lib) for key, step in steps.items()}))


def build_branch(branches: tuple[Build, Build, Build]) -> Build:
    condition, one, other = branches
    return lambda lib: lib.RunnableBranch((condition(lib), one(lib)), other(lib))


def wrappers(inner: st.SearchStrategy[Build]) -> st.SearchStrategy[Build]:
    """Return trees with one step inside."""
    return st.one_of(
        inner.map(lambda step: lambda lib: step(lib).bind(x=1)),
        inner.map(lambda step: lambda lib: step(lib).with_config(tags=["t"], metadata={"m": 1}, run_name="n")),
        inner.map(lambda step: lambda lib: step(lib).with_retry()),
        inner.map(lambda step: lambda lib: step(lib).map()),
        st.tuples(inner, inner).map(lambda pair: lambda lib: pair[0](lib).with_fallbacks([pair[1](lib)])),
    )


def compositions(inner: st.SearchStrategy[Build]) -> st.SearchStrategy[Build]:
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(build_sequence),
        st.dictionaries(NAMES, inner, min_size=1, max_size=2).map(build_parallel),
        st.dictionaries(NAMES, inner, min_size=1, max_size=2).map(build_assign),
        st.tuples(inner, inner, inner).map(build_branch),
        wrappers(inner),
    )


TREES = st.recursive(LEAVES, compositions, max_leaves=6)


def described(runnable: Any) -> dict[str, Any]:
    """Return the description of a Runnable; an error stands for what raises."""
    parts: dict[str, Callable[[], Any]] = {
        "input": lambda: without_descriptions(runnable.get_input_jsonschema()),
        "output": lambda: without_descriptions(runnable.get_output_jsonschema()),
        "config": lambda: runnable.get_config_jsonschema(),
        "name": lambda: runnable.get_name("x"),
        "graph": lambda: graph_shape(runnable.get_graph()),
        "drawn": lambda: runnable.get_graph().draw_mermaid(),
    }
    found = {}
    for key, part in parts.items():
        try:
            found[key] = part()
        except Exception as error:
            found[key] = type(error).__name__
    return found


@given(tree=TREES)
@settings(max_examples=150, deadline=None)
def test_a_tree_is_described_as_in_langchain(tree: Build) -> None:
    assert described(tree(ours)) == described(tree(theirs))
