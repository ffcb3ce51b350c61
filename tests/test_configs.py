"""Configurations of calls, beside LangChain's: merged, completed, changed, and given to a batch."""

import asyncio
import warnings
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import CallbackManager as TheirManager
    from langchain_core.runnables import RunnableLambda as TheirLambda
    from langchain_core.runnables import config as theirs

from chains import chained, function, model, parser, prompt
from millstream.callbacks.manager import CallbackManager
from millstream.runnables import Runnable, RunnableLambda
from millstream.runnables import config as ours
from recording import AstreamBody, BrokenBody, StreamBody, comparable_calls, handlers

HANDLERS = [handlers([], label)[1] for label in "abc"]
some_handlers = st.lists(st.sampled_from(HANDLERS), max_size=2, unique_by=id)
some_metadata = st.dictionaries(st.sampled_from("klm"), st.integers(0, 3), max_size=2)
configs = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.lists(st.sampled_from("xyz"), max_size=3),
        "metadata": some_metadata,
        # Whether it is a manager, and its handlers.
        "callbacks": st.none() | st.tuples(st.booleans(), some_handlers),
        "run_name": st.none() | st.sampled_from(["n", "m"]),
        "run_id": st.none() | st.sampled_from([UUID(int=1), UUID(int=2)]),
        "max_concurrency": st.none() | st.integers(1, 3),
        "recursion_limit": st.sampled_from([25, 3, 7]),
        "configurable": st.dictionaries(
            st.sampled_from(["model", "checkpoint_ns", "other"]), st.integers(0, 1) | st.text("ab")
        ),
        "unknown": st.none() | st.integers(),
    },
)


def made(config: dict[str, Any] | None, kind: Any) -> Any:
    """Return the configuration, with a manager of ``kind`` where it is to have one."""
    if config is None or not config.get("callbacks"):
        return config
    is_manager, some = config["callbacks"]
    return {**config, "callbacks": kind(list(some), list(some)) if is_manager else list(some)}


def plain(config: Any) -> Any:
    """Return what a configuration says; a key that says nothing is as good as none."""
    set_values = {key: value for key, value in config.items() if value is not None}
    if hasattr(set_values.get("callbacks"), "handlers"):
        manager = set_values["callbacks"]
        held = [sorted(one.label for one in some) for some in (manager.handlers, manager.inheritable_handlers)]
        set_values["callbacks"] = ("manager", held)
    return set_values


@given(some=st.lists(st.none() | configs, max_size=3))
def test_configurations_are_merged_as_langchains_are(some: list[Any]) -> None:
    expected = theirs.merge_configs(*(made(one, TheirManager) for one in some))
    merged = ours.merge_configs(*(made(one, CallbackManager) for one in some))
    assert plain(ours.ensure_config(merged)) == plain(theirs.ensure_config(expected))


@given(one=st.none() | configs)
def test_a_configuration_is_completed_as_langchains_is(one: Any) -> None:
    expected = theirs.ensure_config(made(one, TheirManager))
    assert plain(ours.ensure_config(made(one, CallbackManager))) == plain(expected)


@given(
    one=st.none() | configs,
    changes=st.fixed_dictionaries(
        {},
        optional={
            "recursion_limit": st.integers(1, 9),
            "max_concurrency": st.integers(1, 3),
            "run_name": st.just("changed"),
            "configurable": st.dictionaries(st.sampled_from(["model", "other"]), st.integers(0, 1)),
        },
    ),
    new=st.booleans(),
)
def test_a_configuration_is_changed_as_langchains_is(one: Any, changes: Any, new: bool) -> None:
    results = []
    for module, kind in ((theirs, TheirManager), (ours, CallbackManager)):
        more = {"callbacks": kind([HANDLERS[0]])} if new else {}
        results.append(plain(module.patch_config(made(one, kind), **changes, **more)))
    assert results[1] == results[0]


@given(one=st.none() | configs | st.lists(configs, max_size=3), length=st.integers(-1, 3))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_batch_has_the_configurations_of_langchains(one: Any, length: int) -> None:
    results: list[Any] = []
    for module, kind in ((theirs, TheirManager), (ours, CallbackManager)):
        given = [made(each, kind) for each in one] if isinstance(one, list) else made(one, kind)
        with warnings.catch_warnings(record=True) as set_values:
            warnings.simplefilter("always")
            try:
                result: Any = [plain(each) for each in module.get_config_list(given, length)]
            except ValueError as error:
                result = str(error)
        results.append((result, [warning.category for warning in set_values]))
    assert results[1] == results[0]


# Batches.

CHAINS: dict[str, Any] = {
    "a function": lambda: function(str.upper),
    "a model": lambda: model(StreamBody),
    "a broken model": lambda: model(BrokenBody),
    "a chain": lambda: chained(prompt(), model(AstreamBody), parser()),
    "a chain with a function that fails for one": lambda: chained(
        function(lambda text: 1 / (text["text"] != "b") and text), prompt(), model(AstreamBody)
    ),
}
CONFIGS: dict[str, Any] = {
    "none": None,
    "one": {"tags": ["t"], "max_concurrency": 1, "run_name": "n"},
    "a run id": {"run_id": UUID(int=5), "max_concurrency": 1},
    "a list": [
        {"tags": [str(place)], "run_id": UUID(int=place + 1), "run_name": f"n{place}", "max_concurrency": 1}
        for place in range(3)
    ],
    "a list without": [{"metadata": {"place": place}, "max_concurrency": 1} for place in range(3)],
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("way", ["batch", "abatch"])
@pytest.mark.parametrize("exceptions", [False, True])
@pytest.mark.parametrize("configuration", CONFIGS)
@pytest.mark.parametrize("chain", CHAINS)
def test_a_batch_is_langchains(chain: str, configuration: str, exceptions: bool, way: str) -> None:
    outcomes: list[Any] = []
    for place, made in enumerate(CHAINS[chain]()):
        log: list[Any] = []
        handler = handlers(log, run_inline=True)[place]
        given = CONFIGS[configuration]
        configs: Any = (
            [{**one, "callbacks": [handler]} for one in given]
            if isinstance(given, list)
            else {"max_concurrency": 1, **(given or {}), "callbacks": [handler]}
        )
        inputs = [{"text": letter} for letter in "abc"] if "chain" in chain else list("abc")
        try:
            if way == "batch":
                result: Any = made.batch(inputs, configs, return_exceptions=exceptions)
            else:
                result = asyncio.run(made.abatch(inputs, configs, return_exceptions=exceptions))
        except Exception as error:
            result = error
        # A failure stops what has not begun: how far the others come is nobody's promise.
        outcomes.append((repr(result), runs(log) if not isinstance(result, Exception) else None))
    assert outcomes[1] == outcomes[0]


def runs(log: list[Any]) -> list[Any]:
    """Return how often each kind of call came, with which tags, names and ids of users."""
    set_values = [
        (
            event,
            sorted(kwargs.get("tags") or ()),
            kwargs.get("name"),
            # A batch of a completion model of LangChain's takes no run ids.
            kwargs["run_id"] if kwargs["run_id"].int < 10 and "chain" in event else None,
            {key: value for key, value in (kwargs.get("metadata") or {}).items() if key == "place"},
        )
        for _, event, _, kwargs in log
    ]
    return sorted(map(repr, set_values))


def test_what_is_bound_is_in_each_call_of_a_batch_as_in_one_call() -> None:
    def metadata(text: str, config: Any) -> Any:
        return dict(config["metadata"]), sorted(config["tags"]), config["recursion_limit"]

    for kind in (TheirLambda, RunnableLambda):
        bound: Any = kind(metadata).with_config(metadata={"k": "bound"}, tags=["b"], recursion_limit=7)

        def outer(text: str, bound: Any = bound) -> Any:
            return bound.invoke(text), bound.batch([text, text]), bound.batch([text], [{"metadata": {"m": 1}}])

        one, batch, listed = kind(outer).invoke("p", {"metadata": {"k": "outer", "o": 1}, "tags": ["o"]})
        assert batch == [one, one]
        assert one[2] == listed[0][2] == 7
        assert listed[0][0]["m"] == 1


def test_a_run_id_is_for_the_first_call_of_a_bound_batch() -> None:
    log: list[Any] = []
    bound = RunnableLambda(str.upper).with_config(tags=["b"])
    with pytest.warns(RuntimeWarning, match="first input"):
        bound.batch(["a", "b"], {"run_id": UUID(int=5), "callbacks": [handlers(log)[1]]})
    starts = [kwargs["run_id"] for _, event, _, kwargs in log if event == "on_chain_start"]
    assert starts.count(UUID(int=5)) == 1
    assert len(set(starts)) == 2
    assert comparable_calls(log)


class _Marking(Runnable[Any, Any]):
    """Changes the configuration of its call in place."""

    def __init__(self) -> None:
        self.name = "marking"
        self.seen: list[Any] = []

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        self.seen.append((list(config["tags"]), dict(config["metadata"]), dict(config["configurable"])))
        config["tags"].append("changed")
        config["metadata"]["changed"] = config["configurable"]["changed"] = True
        return input


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "batch", "transform"])
def test_a_step_that_changes_its_configuration_changes_no_other_steps(way: str) -> None:
    first, second = _Marking(), _Marking()
    chain: Any = first | second
    config = {"tags": ["t"], "metadata": {"m": 1}, "configurable": {"c": 2}}
    if way == "ainvoke":
        asyncio.run(chain.ainvoke("a", config))
    elif way == "transform":
        list(chain.transform(iter("a"), config))
    else:
        getattr(chain, way)(["a"] if way == "batch" else "a", config)
    assert first.seen == second.seen == [(["t"], {"m": 1}, {"c": 2})]
    assert config == {"tags": ["t"], "metadata": {"m": 1}, "configurable": {"c": 2}}


@pytest.mark.parametrize("way", ["invoke", "with_config"])
def test_tags_that_are_one_text_are_refused(way: str) -> None:
    step: Any = RunnableLambda(lambda x: x)
    with pytest.raises(TypeError, match=r"^tags must be a list of texts, not a text: write \['draft'\]$"):
        step.invoke(1, {"tags": "draft"}) if way == "invoke" else step.with_config(tags="draft").invoke(1)
