"""The types, schemas, graphs and names of compositions are those of LangChain's."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import langchain_core.language_models
import langchain_core.output_parsers
import langchain_core.prompts
import langchain_core.runnables
import pytest

import millstream.language_models
import millstream.output_parsers
import millstream.prompts
import millstream.runnables
from schema_shapes import graph_shape, without_descriptions

THEIRS: Any = SimpleNamespace(
    models=langchain_core.language_models,
    parsers=langchain_core.output_parsers,
    prompts=langchain_core.prompts,
    runnables=langchain_core.runnables,
)
OURS: Any = SimpleNamespace(
    models=millstream.language_models,
    parsers=millstream.output_parsers,
    prompts=millstream.prompts,
    runnables=millstream.runnables,
)


def typed(x: int) -> str:
    return str(x)


def keys(x: Any) -> Any:
    return x["a"]


def listed(x: dict) -> list[int]:  # type: ignore[type-arg]
    return [len(x)]


def generate(chunks: Iterator[int]) -> Iterator[str]:
    for chunk in chunks:
        yield str(chunk)


async def agenerate(chunks: AsyncIterator[int]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield str(chunk)


def rag(lib: Any) -> Any:
    """Return the usual chain over documents."""
    found = {"context": lib.runnables.RunnableLambda(keys), "question": lib.runnables.RunnablePassthrough()}
    prompt = lib.prompts.ChatPromptTemplate.from_template("{context} {question}")
    return found | prompt | lib.models.FakeListChatModel(responses=["a"]) | lib.parsers.StrOutputParser()


COMPOSITIONS: dict[str, Callable[[Any], Any]] = {
    "parallel": lambda lib: lib.runnables.RunnableParallel(a=typed, b=typed),
    "parallel of keys": lambda lib: lib.runnables.RunnableParallel(a=keys, b=lambda x: x["c"]),
    "parallel with a passthrough": lambda lib: lib.runnables.RunnableParallel(
        a=lib.runnables.RunnablePassthrough(), b=keys
    ),
    "parallel of two types": lambda lib: lib.runnables.RunnableParallel(a=typed, b=keys),
    "passthrough": lambda lib: lib.runnables.RunnablePassthrough(),
    "passthrough of a type": lambda lib: lib.runnables.RunnablePassthrough(input_type=int),
    "assign": lambda lib: lib.runnables.RunnablePassthrough.assign(a=typed),
    "assign of keys": lambda lib: lib.runnables.RunnablePassthrough.assign(a=keys, z=lambda x: x["q"]),
    "pick": lambda lib: lib.runnables.RunnablePick("a"),
    "pick of two": lambda lib: lib.runnables.RunnablePick(["a", "b"]),
    "branch": lambda lib: lib.runnables.RunnableBranch((lambda x: x, typed), (keys, keys), lambda x: x),
    "branch without types": lambda lib: lib.runnables.RunnableBranch((lambda x: x, lambda x: x), lambda x: x),
    "generator": lambda lib: lib.runnables.RunnableGenerator(generate),
    "async generator": lambda lib: lib.runnables.RunnableGenerator(agenerate),
    "each": lambda lib: lib.runnables.RunnableLambda(typed).map(),
    "router": lambda lib: lib.runnables.RouterRunnable({"a": lib.runnables.RunnableLambda(typed)}),
    "retry": lambda lib: lib.runnables.RunnableLambda(typed).with_retry(),
    "fallbacks": lambda lib: lib.runnables.RunnableLambda(typed).with_fallbacks([lib.runnables.RunnableLambda(keys)]),
    "types": lambda lib: lib.runnables.RunnableLambda(keys).with_types(input_type=int, output_type=list[str]),
    "one type": lambda lib: lib.runnables.RunnableLambda(keys).with_types(input_type=int).bind(a=1),
    "sequence with a dict": lambda lib: lib.runnables.RunnableLambda(typed) | {"a": typed, "b": keys},
    "assign first": lambda lib: lib.runnables.RunnablePassthrough.assign(a=typed) | (lambda x: x["a"] + x["b"]),
    "assign last": lambda lib: lib.runnables.RunnableParallel(x=typed).assign(a=keys),
    "assign and picks": lambda lib: lib.runnables.RunnableParallel(x=typed).assign(a=listed).pick(["a"]),
    "assign and pick": lambda lib: lib.runnables.RunnableParallel(x=typed).assign(a=listed).pick("a"),
    "pick first": lambda lib: lib.runnables.RunnablePick("a") | typed,
    "prompt": lambda lib: lib.prompts.PromptTemplate.from_template("{a} {b}"),
    "chat prompt": lambda lib: lib.prompts.ChatPromptTemplate.from_messages(
        [("system", "{a}"), ("placeholder", "{optional}"), lib.prompts.MessagesPlaceholder("history")]
    ),
    "model": lambda lib: lib.models.FakeListLLM(responses=["a"]),
    "chat model": lambda lib: lib.models.FakeListChatModel(responses=["a"]),
    "list parser": lambda lib: lib.parsers.CommaSeparatedListOutputParser(),
    "prompt, model and parser": lambda lib: (
        lib.prompts.PromptTemplate.from_template("{a} {b}")
        | lib.models.FakeListLLM(responses=["a"])
        | lib.parsers.CommaSeparatedListOutputParser()
    ),
    "documents": rag,
    "a step of LangChain's": lambda lib: lib.runnables.RunnableLambda(typed) | THEIRS.parsers.StrOutputParser(),
}


def described(runnable: Any) -> dict[str, Any]:
    return {
        "input": without_descriptions(runnable.get_input_jsonschema()),
        "output": without_descriptions(runnable.get_output_jsonschema()),
        "config": without_descriptions(runnable.get_config_jsonschema(include=["tags"])),
        "names": (runnable.get_name(), runnable.get_name("Input"), runnable.get_name("x", name="other")),
        "specs": runnable.config_specs,
        "graph": graph_shape(runnable.get_graph()),
        "drawn": runnable.get_graph().draw_mermaid(),
        "prompts": [type(prompt).__name__ for prompt in runnable.get_prompts()],
    }


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_composition_is_described_as_in_langchain(name: str) -> None:
    build = COMPOSITIONS[name]
    ours, theirs = build(OURS), build(THEIRS)
    assert described(ours) == described(theirs)
    for property_name in ("InputType", "OutputType"):
        assert plain(getattr(ours, property_name)) == plain(getattr(theirs, property_name))


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_composition_is_drawn_with_characters_as_in_langchain(name: str) -> None:
    pytest.importorskip("grandalf")
    build = COMPOSITIONS[name]
    assert build(OURS).get_graph().draw_ascii() == build(THEIRS).get_graph().draw_ascii()


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_two_compositions_are_equal_where_langchains_are(name: str) -> None:
    build = COMPOSITIONS[name]
    assert (build(OURS) == build(OURS)) is (build(THEIRS) == build(THEIRS))
    assert build(OURS) != COMPOSITIONS["pick of two" if name == "pick" else "pick"](OURS)


def test_a_sequence_takes_the_name_of_one_that_stands_on_either_side_of_the_operator() -> None:
    def names(library: Any) -> list[str]:
        step: Any = library.RunnableLambda(typed)
        pair, plain_pair = library.RunnableSequence(step, step, name="pair"), step | step
        chains = [step | pair, pair | step, plain_pair | pair, pair | plain_pair, typed | pair, pair | typed]
        chains += [{"a": step} | pair, pair | {"a": step}, step.pipe(pair), pair.pipe(step), step | (step | pair)]
        chains += [
            library.RunnableSequence(step, pair),
            library.RunnableSequence(pair, step),
            pair.pipe(step, name="x"),
        ]
        return [chain.get_name() for chain in chains]

    assert names(millstream.runnables) == names(langchain_core.runnables)


def plain(annotation: Any) -> str:
    """Return an annotation with the names of classes in place of their paths."""
    text = re.sub(r"(langchain_core|millstream)(\.\w+)*\.(\w+)", r"\3", str(annotation))
    # The union of all messages has metadata for pydantic.
    return re.sub(r"(typing\.)?Annotated\[.*", "AnyMessage", text)
