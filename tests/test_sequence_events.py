"""Events of chains, beside LangChain's: equal steps, equal dicts in the same order."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import chained, events_of, function, json_parser, model, parser, prompt
from langchain_peer import allow_v1
from marks import versions
from recording import AstreamBody, BrokenBody, CallBody, EmptyBody, JsonBody, StreamBody

INPUT = {"text": "hello"}
CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}


JSON = '```\n{{"A": ["x", 1.5, {{"B": 2}}], "C": "{text}"}}\n```'


def upper(text: str) -> str:
    return text.upper()


async def aupper(text: str) -> str:
    return text.upper()


def refuse(text: str) -> str:
    raise RuntimeError("refused")


CHAINS: dict[str, Any] = {
    "prompt, model": lambda: chained(prompt(), model(AstreamBody)),
    "model, parser": lambda: chained(model(AstreamBody), parser()),
    "prompt, model, parser": lambda: chained(prompt(), model(AstreamBody, tags=["m"], metadata={"own": 1}), parser()),
    "prompt, sync model, parser": lambda: chained(prompt(), model(StreamBody), parser()),
    "prompt, model that does not stream, parser": lambda: chained(prompt(), model(CallBody), parser()),
    "prompt, broken model, parser": lambda: chained(prompt(), model(BrokenBody), parser()),
    "prompt, empty model, parser": lambda: chained(prompt(), model(EmptyBody), parser()),
    "json parser": lambda: chained(prompt(JSON), model(JsonBody), json_parser()),
    "json parser that tells changes": lambda: chained(prompt(JSON), model(JsonBody), json_parser(diff=True)),
    "two parsers": lambda: chained(prompt(), model(AstreamBody), parser(), parser()),
    "function at the end": lambda: chained(prompt(), model(AstreamBody), function(upper)),
    "function in the middle": lambda: chained(prompt(), model(AstreamBody), function(upper), parser()),
    "coroutine function": lambda: chained(prompt(), model(AstreamBody), function(aupper), parser()),
    "function at the start": lambda: chained(function(lambda text: {"text": text["text"]}), prompt(), model(CallBody)),
    "functions alone": lambda: chained(function(lambda text: text["text"]), function(upper, name="named")),
    "named steps": lambda: tuple(
        (
            p.with_config(tags=["p"], run_name="the prompt")
            | m.with_config(metadata={"mm": 1})
            | s.with_config(tags=["s"])
        )
        for p, m, s in zip(prompt(), model(AstreamBody), parser(), strict=True)
    ),
    "bound model": lambda: tuple(
        p | m.bind(stop=["x"]) | s for p, m, s in zip(prompt(), model(AstreamBody), parser(), strict=True)
    ),
    "a chain in a chain": lambda: tuple(
        p | (m | s).with_config(run_name="inner") | f
        for p, m, s, f in zip(prompt(), model(AstreamBody), parser(), function(upper), strict=True)
    ),
    "named chain": lambda: tuple(p.pipe(m, name="piped") for p, m in zip(prompt(), model(AstreamBody), strict=True)),
}


@versions
@pytest.mark.parametrize("config", [None, CONFIG], ids=["plain", "configured"])
@pytest.mark.parametrize("chain", CHAINS)
def test_events_of_a_chain_are_langchains(chain: str, config: Any, version: str) -> None:
    theirs, ours = CHAINS[chain]()
    input = INPUT["text"] if chain == "model, parser" else INPUT
    with allow_v1():
        expected = events_of(theirs.astream_events(input, config, version=version))
    assert events_of(ours.astream_events(input, config, version=version)) == expected
    assert expected[0]


def test_the_input_of_a_function_that_fails_is_all_that_it_got() -> None:
    # LangChain's version 1 tells the first chunk alone: it reads on only where all went well.
    theirs, ours = chained(prompt(), model(AstreamBody), function(refuse), parser())
    for version in ("v1", "v2"):
        with allow_v1():
            expected, error = events_of(theirs.astream_events(INPUT, version=version))
        if version == "v1":
            assert ("data", [("input", "H"), ("output", None)]) in expected[-1]
            expected[-1][5] = ("data", [("input", "HEL"), ("output", None)])
        assert events_of(ours.astream_events(INPUT, version=version)) == (expected, error)


MODELS = {"async": AstreamBody, "sync": StreamBody, "whole": CallBody}
STEPS: dict[str, Any] = {
    "parser": parser,
    "upper": lambda: function(upper),
    "aupper": lambda: function(aupper),
    "tagged parser": lambda: tuple(step.with_config(tags=["s"], run_name="tagged") for step in parser()),
    "two functions": lambda: tuple((step | step).with_config(tags=["two"]) for step in function(upper)),
    "again": lambda: model(AstreamBody, tags=["again"]),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)),
    st.lists(st.sampled_from(sorted(STEPS)), max_size=4),
    st.sampled_from(["v1", "v2"]),
    st.sampled_from([None, CONFIG]),
)
def test_events_of_any_chain_are_langchains(kind: str, names: list[str], version: str, config: Any) -> None:
    theirs, ours = chained(
        prompt("{text}?"), model(MODELS[kind], metadata={"own": 1}), *(STEPS[one]() for one in names)
    )
    with allow_v1():
        expected = events_of(theirs.astream_events(INPUT, config, version=version))
    assert events_of(ours.astream_events(INPUT, config, version=version)) == expected
    error = events_of(ours.stream_events(INPUT, config, version=version))[1]
    assert error.startswith("TypeError" if "aupper" in names else "")
