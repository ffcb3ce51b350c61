"""The inner methods of LangChain's Runnables, which users' own Runnables call: beside LangChain's, on equal classes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from langchain_core.runnables import Runnable as TheirRunnable
from langchain_core.runnables import config as their_config
from langchain_core.runnables import utils as their_utils
from langchain_core.runnables.base import RunnableLambda as TheirLambda

from endings import aread
from millstream.runnables import Runnable, RunnableLambda, config, utils
from recording import ahandlers, comparable_calls, handlers

CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}


class Custom:
    """What a user's class adds to the Runnable of a library."""

    function: Any

    def _shout(self, text: str, run_manager: Any, config: Any, mark: str = "!") -> str:
        assert run_manager.run_id == config["callbacks"].parent_run_id
        if text == "bad":
            raise ValueError("bad")
        return str(self.function.invoke(text, config)) + mark

    async def _ashout(self, text: str, run_manager: Any, mark: str = "!") -> str:
        return str(await self.function.ainvoke(text)) + mark

    def _shout_all(self, texts: list[str], run_manager: Any, config: Any) -> list[Any]:
        assert len(run_manager) == len(config) == len(texts)
        return [ValueError(text) if text == "bad" else text.upper() for text in texts]

    async def _ashout_all(self, texts: list[str]) -> list[Any]:
        return [ValueError(text) if text == "bad" else text.upper() for text in texts]

    def _letters(self, chunks: Iterator[str], run_manager: Any, config: Any, mark: str = "") -> Iterator[str]:
        for chunk in chunks:
            yield from chunk + mark

    async def _aletters(self, chunks: AsyncIterator[str]) -> AsyncIterator[str]:
        async for chunk in chunks:
            for letter in chunk:
                yield letter

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return self._call_with_config(self._shout, input, config, run_type="tool", **kwargs)

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return await self._acall_with_config(self._ashout, input, config, serialized={"a": 1}, **kwargs)

    def batch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        return self._batch_with_config(self._shout_all, inputs, config, **kwargs)

    async def abatch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        return await self._abatch_with_config(self._ashout_all, inputs, config, run_type="tool", **kwargs)

    def transform(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        yield from self._transform_stream_with_config(input, self._letters, config, run_type="tool", **kwargs)

    async def atransform(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        async for chunk in self._atransform_stream_with_config(input, self._aletters, config, **kwargs):
            yield chunk


def made(base: Any, function: Any) -> Any:
    """Return a Runnable of a user's class over ``base``, which calls ``function`` inside."""
    return type("Custom", (Custom, base), {"function": function})()


async def source(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


WAYS: dict[str, Any] = {
    "invoke": lambda step, config: step.invoke("hey", config),
    "invoke with arguments": lambda step, config: step.invoke("hey", config, mark="?"),
    "invoke that fails": lambda step, config: step.invoke("bad", config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke("hey", config, mark="?")),
    "batch": lambda step, config: step.batch(["a"], config),
    "batch of none": lambda step, config: step.batch([], config),
    "batch that fails": lambda step, config: step.batch(["a", "bad"], {**config, "run_id": None}),
    "batch with exceptions": lambda step, config: repr(step.batch(["bad"], config, return_exceptions=True)),
    "abatch": lambda step, config: asyncio.run(step.abatch(["a"], config)),
    "abatch with exceptions": lambda step, config: repr(
        asyncio.run(step.abatch(["bad"], config, return_exceptions=True))
    ),
    "transform": lambda step, config: list(step.transform(iter(["he", "y"]), config, mark="?")),
    "deferred": lambda step, config: list(step.transform(iter(["he", "y"]), config, defers_inputs=True)),
    "atransform": lambda step, config: asyncio.run(aread(step.atransform(source("he", "y"), config))),
    "in a chain": lambda step, config: list((step | step).transform(iter(["hey"]), config)),
}


@pytest.mark.parametrize("way", WAYS)
def test_inner_methods_are_langchains(way: str) -> None:
    found = []
    for place, base in enumerate((TheirRunnable, Runnable)):
        log: list[Any] = []
        kind = ahandlers if way.startswith("a") else handlers
        given = {**CONFIG, "callbacks": [kind(log, run_inline=True)[place]]}
        step = made(base, (TheirLambda, RunnableLambda)[place](str.upper))
        try:
            output = WAYS[way](step, given)
        except ValueError as error:
            output = repr(error)
        found.append((output, comparable_calls(log)))
    assert found[1] == found[0]


def with_config(number: int, config: Any) -> Any:
    return number, config["tags"]


async def awith_config(number: int, config: Any, run_manager: Any = None) -> Any:
    return number, config["tags"], run_manager


@pytest.mark.parametrize("module", [their_config, config])
def test_the_names_of_configurations_are_langchains(module: Any) -> None:
    complete = module.ensure_config({"tags": ["t"]})
    assert module.CONFIG_KEYS == their_config.CONFIG_KEYS
    assert module.COPIABLE_KEYS == their_config.COPIABLE_KEYS
    assert module.call_func_with_variable_args(with_config, 1, complete) == (1, ["t"])
    assert asyncio.run(module.acall_func_with_variable_args(awith_config, 1, complete)) == (1, ["t"], None)
    for manager in (module.get_callback_manager_for_config, module.get_async_callback_manager_for_config):
        assert manager(complete).inheritable_tags == ["t"]
    with module.set_config_context(complete) as context:
        assert context.run(module.ensure_config)["tags"] == ["t"]
        assert module.ensure_config()["tags"] == []
    with module.get_executor_for_config({"max_concurrency": 1}) as executor:
        assert isinstance(executor, module.ContextThreadPoolExecutor)
        assert executor.submit(with_config, 1, config=complete).result() == (1, ["t"])
        assert list(executor.map(with_config, [1, 2], [complete] * 2)) == [(1, ["t"]), (2, ["t"])]
        with module.set_config_context(complete) as context:
            assert context.run(executor.submit, module.ensure_config).result()["tags"] == ["t"]


@pytest.mark.parametrize("module", [their_config, config])
def test_a_configuration_is_patched_by_name(module: Any) -> None:
    old = {"run_name": "n", "run_id": UUID(int=1), "tags": ["t"], "configurable": {"a": 1}}
    patched = module.patch_config(old, recursion_limit=3, max_concurrency=2, run_name="m", configurable={"b": 2})
    assert (patched["recursion_limit"], patched["max_concurrency"], patched["run_name"]) == (3, 2, "m")
    assert (patched["configurable"], patched["run_id"]) == ({"a": 1, "b": 2}, UUID(int=1))
    assert not {"run_name", "run_id"} & set(module.patch_config(old, callbacks=[]))
    with pytest.raises(TypeError):
        module.patch_config(old, tags=["u"])


@pytest.mark.parametrize("module", [their_utils, utils])
def test_coroutines_run_with_a_limit_and_a_context(module: Any) -> None:
    running: list[int] = []

    async def count(number: int) -> int:
        running.append(number)
        assert len(running) <= 2
        await asyncio.sleep(0)
        running.remove(number)
        return number

    async def main() -> None:
        assert await module.gather_with_concurrency(2, *map(count, range(5))) == [0, 1, 2, 3, 4]
        assert await module.gather_with_concurrency(None, count(1), count(2)) == [1, 2]
        assert await module.gated_coro(asyncio.Semaphore(1), count(3)) == 3
        with config.set_config_context(config.ensure_config({"tags": ["t"]})) as context:
            assert (await module.coro_with_context(tags(), context)) == ["t"]

    async def tags() -> list[str]:
        return config.ensure_config()["tags"]

    asyncio.run(main())
    assert module.asyncio_accepts_context()


async def chunks_of(*chunks: Any) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("module", [their_utils, utils])
def test_chunks_are_added(module: Any) -> None:
    made = module.AddableDict
    assert module.add([]) is None is asyncio.run(module.aadd(chunks_of()))
    assert module.add(["a", "b"]) == "ab" == asyncio.run(module.aadd(chunks_of("a", "b")))
    one, other = made(a="x", b=None, c=[1]), made(a="y", b=2, d=None)
    assert one + other == {"a": "xy", "b": 2, "c": [1], "d": None} == other.__radd__(one)
    assert list(one + other) == ["a", "b", "c", "d"]
    assert type(one + other) is made
    assert {"a": "w"} + one == {"a": "wx", "b": None, "c": [1]}
    with pytest.raises(TypeError, match=r"^Cannot add incompatible types for key 'a': 'str' and 'int'\.$"):
        one + made(a=1)
    with pytest.raises(TypeError):
        module.add([1, "a"])
