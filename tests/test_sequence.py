"""Chains beside LangChain's: what they return, what they stream, what their handlers hear."""

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import chained, function, json_parser, model, parser, prompt
from endings import aread, read_all
from millstream.runnables import RunnableLambda, RunnableSequence, RunnableSerializable
from recording import (
    AstreamBody,
    BrokenBody,
    CallBody,
    EmptyBody,
    JsonBody,
    StreamBody,
    ahandlers,
    comparable_calls,
    handlers,
)

CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}
INPUT = {"text": "hello"}


WAYS: dict[str, Any] = {
    "invoke": lambda chain, config: chain.invoke(INPUT, config),
    "ainvoke": lambda chain, config: asyncio.run(chain.ainvoke(INPUT, config)),
    "stream": lambda chain, config: list(chain.stream(INPUT, config)),
    "astream": lambda chain, config: asyncio.run(aread(chain.astream(INPUT, config))),
    "transform": lambda chain, config: list(chain.transform(iter([INPUT]), config)),
    "batch": lambda chain, config: chain.batch([INPUT], [config]),
    "abatch": lambda chain, config: asyncio.run(chain.abatch([INPUT], config)),
    "batch with exceptions": lambda chain, config: repr(chain.batch([INPUT], config, return_exceptions=True)),
    "abatch with exceptions": lambda chain, config: repr(
        asyncio.run(chain.abatch([INPUT], config, return_exceptions=True))
    ),
}


def upper(text: str) -> str:
    return text.upper()


JSON = '```\n{{"A": ["x", 1.5, {{"B": 2}}], "C": "{text}"}}\n```'

CHAINS: dict[str, Any] = {
    "prompt, model": lambda **own: chained(prompt(), model(AstreamBody, **own)),
    "prompt, model, parser": lambda **own: chained(prompt("{text}!"), model(AstreamBody, **own), parser()),
    "prompt, sync model, parser": lambda **own: chained(prompt(), model(StreamBody, **own), parser()),
    "prompt, model that does not stream, parser": lambda **own: chained(prompt(), model(CallBody, **own), parser()),
    "prompt, broken model, parser": lambda **own: chained(prompt(), model(BrokenBody, **own), parser()),
    "prompt, empty model, parser": lambda **own: chained(prompt(), model(EmptyBody, **own), parser()),
    "prompt, model, json parser": lambda **own: chained(prompt(JSON), model(JsonBody, **own), json_parser()),
    "prompt, model, json parser that tells changes": lambda **own: chained(
        prompt(JSON), model(JsonBody, **own), json_parser(diff=True)
    ),
    "a prompt that misses its input": lambda **own: chained(
        prompt("{other}{more}"), model(AstreamBody, **own), parser()
    ),
    "function at the end": lambda **own: chained(prompt(), model(AstreamBody, **own), parser(), function(upper)),
}


def outcome(call: Any) -> Any:
    try:
        return call()
    except (RuntimeError, ValueError) as error:
        return repr(error)
    except KeyError:
        return "KeyError"


def shown(value: Any) -> str:
    """Return what ``value`` looks like, without the links in LangChain's messages."""
    return re.sub(r"\\+nFor troubleshooting, visit: \S+ ", "", repr(value))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", CHAINS)
def test_chains_return_and_stream_what_langchains_do(chain: str, way: str) -> None:
    theirs, ours = CHAINS[chain]()
    assert shown(outcome(lambda: WAYS[way](ours, {}))) == shown(outcome(lambda: WAYS[way](theirs, {})))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kind", [handlers, ahandlers])
def test_handlers_of_a_chain_hear_what_langchains_do(chain: str, way: str, kind: Any) -> None:
    both = []
    for place in (0, 1):
        log: list[Any] = []
        flags = {"run_inline": True} if kind is handlers else {}
        own = {"callbacks": tuple([kind(log, "model's", **flags)[i]] for i in (0, 1)), "tags": ["m"]}
        subject = CHAINS[chain](**own)[place]
        config = {**CONFIG, "callbacks": [kind(log, "config", **flags)[place]]}
        outcome(lambda subject=subject, config=config: WAYS[way](subject, config))
        both.append(comparable_calls(log))
    assert shown(both[1]) == shown(both[0])
    assert both[1]


def test_transforming_nothing_gives_nothing() -> None:
    for way in (list, lambda stream: read_all(stream)[0]):
        theirs, ours = chained(prompt(), model(AstreamBody), parser())
        assert way(ours.transform(iter([]))) == way(theirs.transform(iter([]))) == []
    # Where a function is the last step, LangChain fails with an UnboundLocalError.
    _, ours = chained(prompt(), model(AstreamBody), function(upper))
    assert list(ours.transform(iter([]))) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", CHAINS)
def test_langchains_handlers_hear_of_our_chains_what_ours_do(chain: str, way: str) -> None:
    both = []
    for place in (0, 1):
        log: list[Any] = []
        config = {**CONFIG, "callbacks": [handlers(log, run_inline=True)[place]]}
        outcome(lambda config=config: WAYS[way](CHAINS[chain]()[1], config))
        both.append(comparable_calls(log))
    assert both[1] == both[0]
    assert both[1]


def test_callbacks_that_are_bound_to_a_step_hear_of_it_alone() -> None:
    log: list[Any] = []
    bound = prompt()[1] | model(AstreamBody)[1].with_config(callbacks=[handlers(log)[1]]) | parser()[1]
    for way in ("invoke", "ainvoke", "stream", "astream", "batch"):
        log.clear()
        WAYS[way](bound, {})
        assert {event for _, event, _, _ in log} <= {"on_llm_start", "on_llm_new_token", "on_llm_end", "on_text"}
        starts = [kwargs for _, event, _, kwargs in log if event == "on_llm_start"]
        assert [start["tags"] for start in starts] == [["seq:step:2"]]


# Many inputs.


def picky(text: str) -> str:
    if "b" in text:
        raise RuntimeError(f"no {text}")
    return text + "!"


INPUTS = [{"text": text} for text in ("a", "b", "c", "bb")]


@pytest.mark.parametrize("way", ["batch", "abatch"])
def test_a_batch_gives_outputs_in_order_and_leaves_out_what_failed(way: str) -> None:
    calls: list[str] = []

    def after(text: str) -> str:
        calls.append(text)
        return text.upper()

    theirs, ours = chained(prompt(), model(CallBody), function(picky), function(after))

    def run(chain: Any, **kwargs: Any) -> Any:
        calls.clear()
        found = getattr(chain, way)(INPUTS, **kwargs)
        found = asyncio.run(found) if way == "abatch" else found
        return repr(found), sorted(calls)

    expected = run(theirs, return_exceptions=True)
    assert run(ours, return_exceptions=True) == expected
    assert expected == ("['A!', RuntimeError('no b'), 'C!', RuntimeError('no bb')]", ["a!", "c!"])
    with pytest.raises(RuntimeError, match="no b"):
        run(ours)
    assert getattr(ours, "batch")([]) == []  # noqa: B009


def test_each_input_of_a_batch_is_a_run_that_has_its_end() -> None:
    both = []
    for place in (0, 1):
        log: list[Any] = []
        subject = chained(prompt(), model(CallBody), function(picky))[place]
        config = {"callbacks": [handlers(log)[place]], "max_concurrency": 1}
        subject.batch(INPUTS, config, return_exceptions=True)
        both.append(comparable_calls(log))
    assert shown(both[1]) == shown(both[0])


# What a sequence is made of.


def test_sequences_are_taken_apart_and_name_themselves() -> None:
    step = RunnableLambda(lambda text: text + "1", name="one")
    other = RunnableSequence(step, step, name="pair")
    chain = other | step | str.upper
    assert isinstance(chain, RunnableSequence)
    assert (len(chain.steps), chain.first, chain.last.get_name()) == (4, step, "upper")
    assert chain.middle == [step, step]
    assert (chain.get_name(), other.get_name(), step.pipe(step).get_name()) == ("pair", "pair", "RunnableSequence")
    assert repr(step | step) == "RunnableLambda(lambda text: text + '1')\n| RunnableLambda(lambda text: text + '1')"
    assert chain.invoke("0") == "0111".upper()
    assert (str.strip | step).invoke(" 0 ") == "01"
    assert RunnableSequence(first=step, last=step).invoke("0") == "011"


def test_what_is_no_step_is_refused() -> None:
    step = RunnableLambda(str)
    with pytest.raises(TypeError, match="unsupported type"):
        step | 1  # type: ignore[operator]
    with pytest.raises(ValueError, match="at least 2 steps"):
        RunnableSequence(step)
    with pytest.raises(TypeError, match="callable type"):
        RunnableLambda(1)  # type: ignore[call-overload]


def test_arguments_of_a_call_go_to_the_first_step() -> None:
    theirs, ours = chained(model(AstreamBody), parser())
    for place, subject in enumerate((theirs, ours)):
        log: list[Any] = []
        list(subject.stream("hello", {"callbacks": [handlers(log)[place]]}, stop=["x"], extra=1))
        asyncio.run(subject.ainvoke("hello", {"callbacks": [handlers(log)[place]]}, stop=["y"]))
        asked = [kwargs["options"] for _, event, _, kwargs in log if event == "on_llm_start"]
        assert asked == [{"stop": ["x"]}, {"stop": ["y"]}]


def test_chunks_come_as_the_input_does() -> None:
    passed: list[str] = []

    def pieces() -> Any:
        for piece in "abc":
            passed.append(f"in {piece}")
            yield piece

    _, ours = chained(parser(), parser())
    for piece in ours.transform(pieces()):
        passed.append(f"out {piece}")  # noqa: PERF401
    assert passed == ["in a", "out a", "in b", "out b", "in c", "out c"]

    async def main() -> None:
        async def apieces() -> Any:
            for piece in pieces():
                yield piece

        async for piece in ours.atransform(apieces()):
            passed.append(f"out {piece}")  # noqa: PERF401

    passed.clear()
    asyncio.run(main())
    assert passed == ["in a", "out a", "in b", "out b", "in c", "out c"]


def test_steps_of_users_own_have_fields() -> None:
    class Shout(RunnableSerializable[str, str]):
        mark: str = "!"

        def invoke(self, input: str, config: Any = None, **kwargs: Any) -> str:
            return input.upper() + self.mark

    chain = prompt()[1] | model(CallBody)[1] | Shout(mark="?") | Shout(name="loud")
    assert list(chain.stream({"text": "abc"})) == [chain.invoke({"text": "abc"})] == ["ABC?!"]
    assert asyncio.run(aread(chain.astream({"text": "abc"}))) == ["ABC?!"]
    assert (Shout(name="loud").get_name(), repr(Shout(mark="?"))) == ("loud", "Shout(mark='?')")


# Any chain.

BODIES: dict[str, Any] = {"async": AstreamBody, "sync": StreamBody, "whole": CallBody, "broken": BrokenBody}
STEPS: dict[str, Any] = {
    "parser": parser,
    "upper": lambda: function(upper),
    "picky": lambda: function(picky),
    "tagged parser": lambda: tuple(step.with_config(tags=["s"], run_name="tagged") for step in parser()),
    "two functions": lambda: tuple((step | step).with_config(tags=["two"]) for step in function(upper)),
    "again": lambda: model(AstreamBody, tags=["again"]),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(BODIES)),
    st.lists(st.sampled_from(sorted(STEPS)), max_size=4),
    st.sampled_from(sorted(WAYS)),
    st.sampled_from(["b1", "12"]),
    st.booleans(),
)
def test_handlers_of_any_chain_hear_what_langchains_do(
    body: str, names: list[str], way: str, text: str, is_async: bool
) -> None:
    both = []
    for place in (0, 1):
        log: list[Any] = []
        steps = [STEPS[name]() for name in names]
        subject = chained(prompt(text + "{text}"), model(BODIES[body], metadata={"own": 1}), *steps)[place]
        handler = ahandlers(log)[place] if is_async else handlers(log, run_inline=True)[place]
        config = {**CONFIG, "callbacks": [handler]}
        found = outcome(lambda subject=subject, config=config: WAYS[way](subject, config))
        # Of a step that fails, LangChain tells the first chunk of its input alone.
        hidden = {"on_chain_error": "inputs"}
        calls = [
            (*call[:3], [item for item in call[3] if item[0] != hidden.get(call[1])]) for call in comparable_calls(log)
        ]
        both.append((shown(found), shown(calls)))
    assert both[1] == both[0]
