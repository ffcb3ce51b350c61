"""Batches whose outputs come in the order in which they are ready."""

import asyncio
import threading
from typing import Any

import langchain_core.runnables as theirs
import pytest

import millstream.runnables as ours
from millstream.runnables import RunnableLambda


def fail_on_two(number: int) -> int:
    if number == 2:
        raise ValueError(number)
    return number * 10


async def afail_on_two(number: int) -> int:
    return fail_on_two(number)


@pytest.mark.parametrize("library", [ours, theirs])
def test_each_output_has_the_place_of_its_input(library: Any) -> None:
    for step in (library.RunnableLambda(fail_on_two, afail_on_two), library.RunnableLambda(fail_on_two).bind()):
        assert sorted(step.batch_as_completed([1, 3, 5])) == [(0, 10), (1, 30), (2, 50)]
        assert list(step.batch_as_completed([7])) == [(0, 70)]
        assert list(step.batch_as_completed([])) == []

        async def read(step: Any = step) -> None:
            assert sorted([item async for item in step.abatch_as_completed([1, 3])]) == [(0, 10), (1, 30)]
            assert [item async for item in step.abatch_as_completed([])] == []

        asyncio.run(read())


def test_an_exception_stands_in_an_output_s_place_where_that_is_asked_for() -> None:
    step = RunnableLambda(fail_on_two)
    found = dict(step.batch_as_completed([1, 2], return_exceptions=True))
    assert found[0] == 10
    assert repr(found[1]) == "ValueError(2)"
    with pytest.raises(ValueError, match="2"):
        list(step.batch_as_completed([2, 2]))

    async def read() -> None:
        found = {place: output async for place, output in step.abatch_as_completed([1, 2], return_exceptions=True)}
        assert found[0] == 10
        assert repr(found[1]) == "ValueError(2)"
        with pytest.raises(ValueError, match="2"):
            _ = [item async for item in step.abatch_as_completed([2])]

    asyncio.run(read())


def test_outputs_come_as_they_are_ready() -> None:
    ready = threading.Event()

    def wait_if_first(number: int) -> int:
        if number == 0:
            ready.wait()
        return number

    outputs = RunnableLambda(wait_if_first).batch_as_completed([0, 1])
    assert next(outputs) == (1, 1)
    ready.set()
    assert list(outputs) == [(0, 0)]


def test_closing_drops_the_calls_that_have_not_begun() -> None:
    called: list[int] = []
    first, gate = threading.Event(), threading.Event()

    def note(number: int) -> int:
        called.append(number)
        if number == 1:
            first.set()
            gate.wait()
        return number

    outputs: Any = RunnableLambda(note).batch_as_completed([0, 1, 2, 3], {"max_concurrency": 1})
    assert next(outputs) == (0, 0)
    first.wait()
    outputs.close()
    gate.set()
    assert called == [0, 1]


def test_closing_cancels_the_tasks_before_it_returns() -> None:
    ended: list[tuple[int, str]] = []

    async def read() -> None:
        async def wait(number: int) -> int:
            try:
                if number:
                    await asyncio.Event().wait()
                return number
            except asyncio.CancelledError:
                ended.append((number, "cancelled"))
                raise

        outputs: Any = RunnableLambda(wait).abatch_as_completed([0, 1, 2])
        assert await anext(outputs) == (0, 0)
        await outputs.aclose()
        assert sorted(ended) == [(1, "cancelled"), (2, "cancelled")]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(read())


def test_one_run_id_is_for_the_first_input_of_a_binding() -> None:
    ids: list[Any] = []
    step = RunnableLambda(lambda text, config: ids.append(config["callbacks"].parent_run_id)).bind()
    from uuid import uuid4

    run_id = uuid4()
    with pytest.warns(RuntimeWarning, match="first input only"):
        step.batch(["a", "b"], {"run_id": run_id, "max_concurrency": 1})
    assert ids[0] == run_id
    assert ids[1] not in (None, run_id)
