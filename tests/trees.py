"""Random compositions: a tree is a specification, of which both libraries make the same Runnable."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import cache
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import langchain_core.language_models as their_models
import langchain_core.output_parsers as their_parsers
import langchain_core.runnables as theirs
from hypothesis import strategies as st
from langchain_core.prompts import PromptTemplate as TheirPrompt

import millstream.language_models as our_models
import millstream.output_parsers as our_parsers
import millstream.runnables as ours
from millstream.prompts import PromptTemplate
from recording import AstreamBody, make_models

__all__ = ("AT_ONCE", "CONFIG", "ONE_ID", "Tree", "build", "cases", "inputs", "library", "parts", "shown", "trees")

Tree = tuple[Any, ...]
"""The name of a composition in ``PARTS``, and its arguments, some of which are trees."""

MODELS = make_models(AstreamBody)
ONE_ID = UUID(int=7)
TEXT, DICT = "text", "dict"
CONFIG: Any = {"tags": ["t"], "metadata": {"m": 1}}
inputs: dict[str, Any] = {TEXT: ["abc", "de", "f"], DICT: [{"x": "abc"}, {"x": "de", "y": "f"}, {"x": "g"}]}


@cache
def library(place: int) -> Any:
    """Return LangChain's names, or ours."""
    module: Any = (theirs, ours)[place]
    parsers: Any = (their_parsers, our_parsers)[place]
    models: Any = (their_models, our_models)[place]
    return SimpleNamespace(
        **{name: getattr(module, name) for name in theirs.__all__},
        prompt=(TheirPrompt, PromptTemplate)[place].from_template,
        parser=parsers.StrOutputParser,
        json=parsers.JsonOutputParser,
        model=MODELS[place],
        chat=models.FakeListChatModel,
        llm=models.FakeListLLM,
    )


def build(tree: Tree, place: int) -> Any:
    """Return the Runnable of LangChain's, or ours, for ``tree``."""
    name, *arguments = tree
    made = [build(each, place) if isinstance(each, tuple) else each for each in arguments]
    return PARTS[name](library(place), *made)


def parts(tree: Tree) -> set[str]:
    """Return the names of all parts of ``tree``."""
    name, *arguments = tree
    return {name}.union(*(parts(each) for each in arguments if isinstance(each, tuple)))


# Functions of users.


def shout(text: str) -> str:
    return text + "!"


async def ashout(text: str) -> str:
    return text + "!"


def letters(text: str) -> Iterator[str]:
    yield from text


async def aletters(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


def spell(chunks: Iterator[str]) -> Iterator[str]:
    for chunk in chunks:
        yield from chunk


async def aspell(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    async for chunk in chunks:
        for letter in chunk:
            yield letter


def with_suffix(text: str, suffix: str = "") -> str:
    return text + suffix


def is_long(value: Any) -> bool:
    return len(value["x"] if isinstance(value, dict) else value) > 2


async def ais_long(value: Any) -> bool:
    return is_long(value)


def as_dict(text: str) -> dict[str, str]:
    return {"x": text}


def as_json(text: str) -> str:
    return json.dumps({"x": text, "y": text})


def as_text(value: Any) -> str:
    text: str = value.to_string()
    return text


def routed(value: Any) -> Any:
    return {"key": "long" if is_long(value) else "short", "input": value["x"]}


def several(text: str) -> list[str]:
    return [text + "1", text + "2"]


def refuse(label: str) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        raise ValueError(label)

    return refuse


def flaky(times: int) -> Callable[[Any], Any]:
    """Return a function that fails so many times for each input."""
    calls: dict[str, int] = {}

    def flaky(value: Any) -> Any:
        count = calls[repr(value)] = calls.get(repr(value), 0) + 1
        if count <= times:
            raise ValueError(f"call {count}")
        return value

    return flaky


def returning(lc: Any, step: Any, *, is_async: bool = False) -> Any:
    def returns(value: Any) -> Any:
        return step

    async def areturns(value: Any) -> Any:
        return step

    return lc.RunnableLambda(returns, areturns) if is_async else lc.RunnableLambda(returns)


def with_one_id(lc: Any, step: Any) -> Any:
    """Return a function that calls ``step`` with a run id that other runs have too."""

    def call(value: Any, config: Any) -> Any:
        return step.invoke(value, {**config, "run_id": ONE_ID})

    async def acall(value: Any, config: Any) -> Any:
        return await step.ainvoke(value, {**config, "run_id": ONE_ID})

    return lc.RunnableLambda(call, acall)


PARTS: dict[str, Callable[..., Any]] = {
    "upper": lambda lc: lc.RunnableLambda(str.upper),
    "shout": lambda lc: lc.RunnableLambda(shout, ashout),
    "async shout": lambda lc: lc.RunnableLambda(ashout),
    "letters": lambda lc: lc.RunnableLambda(letters, aletters),
    "spell": lambda lc: lc.RunnableGenerator(spell, aspell),
    "passthrough": lambda lc: lc.RunnablePassthrough(),
    "watched": lambda lc: lc.RunnablePassthrough(is_long),
    "parser": lambda lc: lc.parser(),
    "model": lambda lc: lc.model,
    "llm": lambda lc: lc.llm(responses=["one"]),
    "chat": lambda lc: lc.chat(responses=["hey"]) | lc.parser(),
    "bound": lambda lc: lc.RunnableLambda(with_suffix).bind(suffix="?"),
    "refuse": lambda lc, label: lc.RunnableLambda(refuse(label)),
    "flaky": lambda lc, times: lc.RunnableLambda(flaky(times)),
    # Dicts of texts.
    "as dict": lambda lc: lc.RunnableLambda(as_dict),
    "json": lambda lc: lc.RunnableLambda(as_json) | lc.json(),
    "json in pieces": lambda lc: lc.RunnableLambda(as_json) | lc.RunnableGenerator(spell, aspell) | lc.json(),
    "one": lambda lc, x: lc.RunnableParallel(x=x),
    "two": lambda lc, x, y: lc.RunnableParallel(x=x, y=y),
    "assign": lambda lc, y: lc.RunnablePassthrough.assign(y=y),
    "assign over": lambda lc, x: lc.RunnablePassthrough.assign(x=x),
    "pick keys": lambda lc: lc.RunnablePick(["x", "y"]),
    # Texts of dicts.
    "pick": lambda lc: lc.RunnablePick("x"),
    "item": lambda lc: lc.RunnableLambda(itemgetter("x")),
    "prompt": lambda lc: lc.prompt("<{x}>") | as_text,
    "prompt of two": lambda lc: lc.prompt("<{x}-{y}>") | as_text,
    "ask": lambda lc: lc.prompt("<{x}>") | lc.model,
    "route": lambda lc, long, short: lc.RunnableLambda(routed) | lc.RouterRunnable({"long": long, "short": short}),
    # Of any.
    "chain": lambda lc, *steps: lc.RunnableSequence(*steps),
    "named chain": lambda lc, *steps: lc.RunnableSequence(*steps, name="named"),
    "branch": lambda lc, *branches: lc.RunnableBranch((lc.RunnableLambda(is_long, ais_long), branches[0]), branches[1]),
    "two branches": lambda lc, *branches: lc.RunnableBranch(
        (lambda value: False, branches[0]), (is_long, branches[1]), branches[2]
    ),
    "retry": lambda lc, step, times: step.with_retry(stop_after_attempt=times, wait_exponential_jitter=False),
    "fallback": lambda lc, step, other: step.with_fallbacks([other]),
    "returned": returning,
    "returned async": lambda lc, step: returning(lc, step, is_async=True),
    "one id": with_one_id,
    "tagged": lambda lc, step: step.with_config(tags=["tagged"], metadata={"k": 1}),
    "renamed": lambda lc, step: step.with_config(run_name="renamed"),
    "each": lambda lc, step: lc.RunnableLambda(several) | step.map() | ",".join,
}
# Those whose children run at the same time.
AT_ONCE = {"two", "assign", "assign over"}

_LEAVES: dict[tuple[str, str], list[Any]] = {
    (TEXT, TEXT): [
        *("upper", "shout", "async shout", "letters", "spell", "passthrough", "watched", "parser", "model", "llm"),
        *("chat", "bound"),
    ],
    (TEXT, DICT): ["as dict", "json", "json in pieces"],
    (DICT, TEXT): ["pick", "item", "prompt", "prompt of two", "ask"],
    (DICT, DICT): ["passthrough", "pick keys"],
}


@cache
def trees(takes: str, returns: str, depth: int = 5, without: frozenset[str] = frozenset()) -> st.SearchStrategy[Tree]:
    """Return trees of Runnables that take and return texts or dicts, without the parts of some names."""
    names = [name for name in _LEAVES[takes, returns] if name not in without]
    refusing = [] if "refuse" in without else [("refuse", takes)]
    leaves = st.sampled_from([*((name,) for name in names * (12 // len(names))), *refusing])
    if depth == 1:
        return leaves

    def below(takes: str = takes, returns: str = returns) -> st.SearchStrategy[Tree]:
        return trees(takes, returns, depth - 1, without)

    found = [
        st.tuples(st.just(name), *arguments)
        for name, *arguments in _compositions(takes, returns, below)
        if name not in without
    ]
    return st.one_of(leaves, *found)


def _compositions(takes: str, returns: str, below: Callable[..., Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the name of each composition, with the strategies of its arguments."""
    for name in ("chain", "chain", "named chain"):
        for kind in (TEXT, DICT):
            yield name, below(takes, kind), below(kind, returns)
    yield "branch", below(), below()
    yield "two branches", below(), below(), below()
    yield "retry", below(), st.integers(1, 3)
    yield "fallback", below(), below()
    for name in ("returned", "returned async", "tagged", "renamed"):
        yield name, below()
    if takes == returns:
        flaky = st.tuples(st.just("flaky"), st.integers(1, 3))
        yield "retry", st.tuples(st.just("chain"), flaky, below()), st.integers(2, 4)
    if returns == DICT:
        yield "one", below(takes, TEXT)
        yield "two", below(takes, TEXT), below(takes, TEXT)
    if (takes, returns) == (DICT, DICT):
        yield "assign", below(takes, TEXT)
        yield "assign over", below(takes, TEXT)
    if (takes, returns) == (TEXT, TEXT):
        yield "each", below()
    if (takes, returns) == (DICT, TEXT):
        yield "route", below(TEXT, TEXT), below(TEXT, TEXT)


@st.composite
def cases(draw: Any, without: Iterable[str] = (), at_once: bool = False) -> tuple[Tree, str]:
    """Return a tree, and the kind of its input; if it is to run steps ``at_once``, it does."""
    kinds = st.sampled_from([TEXT, DICT])
    kind, omitted = draw(kinds), frozenset(without)
    if not at_once:
        return draw(trees(kind, draw(kinds), without=omitted)), kind
    branches = [draw(trees(kind, TEXT, 4, omitted)) for _ in range(2)]
    last: list[Tree] = draw(st.lists(trees(DICT, draw(kinds), 3, omitted), max_size=1))
    return (("chain", ("two", *branches), *last) if last else ("two", *branches)), kind


def shown(value: Any) -> Any:
    """Return ``value`` with exceptions, also those in a list, as their types and messages."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, Exception):
        # A message of LangChain's lacks a space.
        return type(value).__name__, str(value).replace("synchronously.Use", "synchronously. Use")
    return value
