"""Calls of sequences of which no handler is notified: our own steps run as functions, with the same results."""

import asyncio
import re
import threading
from operator import attrgetter, itemgetter, methodcaller
from typing import Any

import pytest
from pydantic import BaseModel

from millstream.callbacks import BaseCallbackHandler
from millstream.language_models.fake import FakeListLLM
from millstream.language_models.fake_chat_models import FakeListChatModel
from millstream.output_parsers import (
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    NumberedListOutputParser,
    PydanticOutputParser,
    StrOutputParser,
)
from millstream.prompts import PromptTemplate
from millstream.runnables import (
    Runnable,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
    RunnableSequence,
)
from millstream.runnables.config import var_child_runnable_config
from millstream.runnables.fusion.calls import build_call
from millstream.runnables.plain_functions import never_waits


class Recorder(BaseCallbackHandler):
    """A handler that keeps the names of the runs that started and the number of those that ended."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended = 0

    def on_chain_start(self, *args: Any, name: str = "", **kwargs: Any) -> None:
        self.started.append(name)

    def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
        self.ended += 1


def both(chain: Runnable[Any, Any], input: Any, config: Any = None) -> list[Any]:
    """Return the outputs of ``invoke`` and of ``ainvoke``."""
    return [chain.invoke(input, config), asyncio.run(chain.ainvoke(input, config))]


def five_steps() -> Any:
    assign = RunnablePassthrough.assign(more=itemgetter("text"))
    prompt = PromptTemplate.from_template("{text} {more}")
    return assign | prompt | FakeListLLM(responses=[" an answer "]) | StrOutputParser() | RunnableLambda(str.strip)


COMPOSITIONS: list[tuple[Any, Any]] = [
    (five_steps(), {"text": "a"}),
    (RunnablePassthrough() | RunnablePick("a"), {"a": 1, "b": 2}),
    (RunnablePassthrough() | RunnablePick(["a", "c"]), {"a": 1, "b": 2}),
    (RunnablePassthrough() | RunnablePick(["c"]), {"a": 1}),
    (RunnablePick("a") | {"x": RunnablePassthrough(), "y": RunnableLambda(len)}, {"a": [1, 2]}),
    (RunnablePassthrough() | RunnablePassthrough.assign(n=itemgetter("a") | RunnableLambda(len)), {"a": "abc"}),
    (RunnablePassthrough() | JsonOutputParser(), '{"a": 1, "b": ['),
    (RunnablePassthrough() | CommaSeparatedListOutputParser(), "a, b"),
    (RunnablePassthrough() | NumberedListOutputParser(), "1. a\n2. b"),
    (FakeListChatModel(responses=["a, b"]) | CommaSeparatedListOutputParser(), "a"),
    (PromptTemplate.from_template("{a}") | StrOutputParser().with_config(tags=["t"]), {"a": 1}),
]


@pytest.mark.parametrize(("chain", "input"), COMPOSITIONS)
def test_a_call_without_handlers_returns_what_a_call_with_one_returns(chain: Any, input: Any) -> None:
    config = {"callbacks": [Recorder()]}
    try:
        expected = both(chain, input, config)
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error))):
            both(chain, input)
    else:
        assert both(chain, input) == expected


def test_a_call_with_a_handler_has_the_runs_of_all_steps() -> None:
    handler = Recorder()
    both(five_steps(), {"text": "a"}, {"callbacks": [handler]})
    names = ["RunnableSequence", "RunnableAssign<more>", "RunnableParallel<more>", "RunnableLambda"]
    assert handler.started[: len(names)] == names
    assert handler.ended == len(handler.started) == 14


def test_a_handler_bound_to_a_step_of_our_own_is_notified() -> None:
    handler = Recorder()
    both(RunnablePassthrough() | RunnablePick("a").with_config(callbacks=[handler]), {"a": 1})
    assert handler.started == ["RunnablePick<a>"] * 2


def test_a_step_of_users_runs_in_a_child_run_of_the_sequence() -> None:
    seen: list[Any] = []

    def look(value: Any, config: Any) -> Any:
        context = var_child_runnable_config.get()
        assert context is not None
        seen.append((config["tags"], config["metadata"], config["callbacks"].parent_run_id, context["tags"]))
        return value

    chain: Any = RunnablePassthrough() | RunnableLambda(look) | RunnablePassthrough()
    assert both(chain, 1, {"tags": ["t"], "metadata": {"m": 1}}) == [1, 1]
    assert [one[0] for one in seen] == [["t"], ["t"]]
    assert [one[1] for one in seen] == [{"m": 1}] * 2
    assert all(one[2] is not None and one[3] == ["t"] for one in seen)


def test_a_sequence_inside_a_run_without_handlers_runs_its_own_steps_as_functions() -> None:
    parents: list[Any] = []

    def look(value: Any, config: Any) -> Any:
        parents.append(config["callbacks"].parent_ids[:-1])
        return value

    inner: Any = RunnablePassthrough() | RunnableLambda(look) | RunnableLambda(str.strip)
    outer: Any = RunnableLambda(look) | RunnableLambda(inner.invoke) | RunnablePassthrough()
    assert both(outer, " a ") == ["a", "a"]
    for first, second in (parents[:2], parents[2:]):
        # The runs around the inner function: the outer sequence, the function that calls the inner one, and that.
        assert second[:1] == first
        assert len(second) == 3


def test_a_step_that_raises_raises_its_own_exception_without_a_cause() -> None:
    chain: Any = RunnablePick("a") | RunnableLambda(len)
    with pytest.raises(TypeError, match="object of type 'int' has no len") as found:
        chain.invoke({"a": 1})
    assert found.value.__context__ is None
    with pytest.raises(TypeError, match="object of type 'int' has no len") as found:
        asyncio.run(chain.ainvoke({"a": 1}))
    assert found.value.__context__ is None
    with pytest.raises(ValueError, match="must be a dict"):
        chain.invoke("a")


def test_a_getter_that_returns_a_runnable_has_it_called() -> None:
    chain: Any = RunnablePassthrough() | RunnableLambda(itemgetter("step"))
    input = {"step": RunnableLambda(lambda value: sorted(value)), "a": 1}
    assert both(chain, input) == [["a", "step"]] * 2


def test_arguments_of_a_call_reach_the_first_step() -> None:
    chain = RunnableLambda(str.encode) | RunnablePassthrough()
    assert chain.invoke("ä", encoding="latin-1") == b"\xe4"


def both_batches(chain: Any, inputs: list[Any], config: Any = None, **kwargs: Any) -> list[Any]:
    """Return the outputs of ``batch`` and of ``abatch``."""
    return [chain.batch(inputs, config, **kwargs), asyncio.run(chain.abatch(inputs, config, **kwargs))]


def test_a_batch_without_handlers_returns_what_a_batch_with_one_returns() -> None:
    inputs = [{"text": one} for one in "abc"]
    handler = Recorder()
    assert both_batches(five_steps(), inputs) == both_batches(five_steps(), inputs, {"callbacks": [handler]})
    assert handler.ended == len(handler.started) == 3 * 14


def test_an_input_of_a_batch_that_failed_has_its_exception_in_the_place_of_its_output() -> None:
    chain: Any = RunnablePassthrough() | RunnableLambda(len) | RunnableLambda(str)
    for outputs in both_batches(chain, ["a", 1, "abc"], return_exceptions=True):
        assert isinstance(outputs[1], TypeError)
        assert [outputs[0], outputs[2]] == ["1", "3"]
    with pytest.raises(TypeError, match="object of type 'int' has no len"):
        chain.batch(["a", 1, "abc"])


def test_a_getter_that_returns_a_runnable_in_a_batch_has_it_called() -> None:
    chain: Any = RunnablePassthrough() | RunnableLambda(itemgetter("step"))
    inputs = [{"step": RunnableLambda(lambda value: sorted(value)), "a": 1}, {"step": 2}]
    assert both_batches(chain, inputs) == [[["a", "step"], 2]] * 2


def test_a_batch_of_our_own_steps_needs_no_thread() -> None:
    before = threading.active_count()
    chain: Any = RunnablePick("a") | {"x": RunnablePassthrough(), "y": RunnableLambda(len)}
    threads: list[int] = []

    class Sized(str):
        def __len__(self) -> int:
            threads.append(threading.get_ident())
            return 7

    outputs = chain.batch([{"a": Sized("a")} for _ in range(3)])
    assert [one["y"] for one in outputs] == [7, 7, 7]
    assert threads == [threading.get_ident()] * 3
    assert threading.active_count() == before


class Point(BaseModel):
    """A model of a user."""

    x: int


class Doubled(StrOutputParser):
    """A parser of a user."""

    def parse(self, text: str) -> str:
        return text * 2


class Added(RunnablePassthrough[Any]):
    """A step of a user."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return super().invoke(input, config, **kwargs) + 1

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return await super().ainvoke(input, config, **kwargs) + 1


def test_methods_that_a_users_class_overrides_are_called() -> None:
    assert both(RunnablePassthrough() | Doubled(), "a") == ["aa", "aa"]
    assert both(RunnablePassthrough() | Added(), 1) == [2, 2]


def test_a_method_that_a_test_has_patched_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    step: Any = RunnablePassthrough()
    monkeypatch.setattr(step, "invoke", lambda *args, **kwargs: "patched")
    chain: Any = RunnablePassthrough() | step
    assert chain.invoke(1) == "patched"
    monkeypatch.setattr(RunnablePick, "invoke", lambda *args, **kwargs: "patched too")
    chain = RunnablePassthrough() | RunnablePick("a")
    assert chain.invoke({"a": 1}) == "patched too"


def test_side_effects_of_a_passthrough_take_place() -> None:
    seen: list[Any] = []
    both(RunnablePassthrough(seen.append) | RunnablePassthrough(), 1)
    assert seen == [1, 1]


def test_what_is_our_own_code_alone_is_a_function() -> None:
    step = RunnableParallel(a=RunnablePassthrough(), b=RunnablePick("b") | RunnableLambda(str))
    call = build_call(step)
    assert call is not None
    assert call({"b": 1}) == {"a": {"b": 1}, "b": "1"}
    for users in (lambda value: value, methodcaller("strip"), print, next):
        assert build_call(RunnableParallel(a=RunnableLambda(users))) is None
    assert build_call(RunnableSequence(RunnablePassthrough(), FakeListLLM(responses=["a"]))) is None
    assert build_call(RunnablePassthrough().bind(more=1)) is None
    # Validators are users' code.
    assert build_call(PydanticOutputParser(pydantic_object=Point)) is None


def test_functions_that_only_compute_are_known() -> None:
    known = [str.strip, len, int, dict, attrgetter("a"), itemgetter(0), ", ".join, {}.get, sorted]
    assert [one for one in known if not never_waits(one)] == []
    others: list[Any] = [print, input, open, type, Recorder, threading.Lock().acquire, methodcaller("a"), lambda a: a]
    assert [one for one in others if never_waits(one)] == []


def test_functions_of_users_run_in_a_thread_and_those_that_only_compute_do_not() -> None:
    class Text(str):
        thread: int

        def __getitem__(self, key: Any) -> Any:
            self.thread = threading.get_ident()
            return "x"

    text = Text("a")
    step = RunnableLambda(itemgetter(0))
    assert asyncio.run(step.ainvoke(text)) == "x"
    assert text.thread == threading.get_ident()
    ident: Any = RunnableLambda(lambda value: threading.get_ident()) | RunnablePassthrough()
    assert asyncio.run(ident.ainvoke(1)) != threading.get_ident()
