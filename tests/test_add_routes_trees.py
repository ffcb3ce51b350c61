"""Random compositions behind the routes: outputs, chunks and events of ``RemoteRunnable`` are those of the chain."""

import asyncio
import re
from typing import Any

import httpx
import orjson
from fastapi import FastAPI
from hypothesis import assume, given

from endings import read_into
from millstream import RemoteRunnable
from millstream.providers.langserve.values import read_values, write_values
from millstream.server import add_routes
from trees import AT_ONCE, build, cases, inputs, parts, shown


async def outcome(call: Any) -> Any:
    """Return an output, or the items of a stream before its end or its error."""
    items: list[Any] = []
    try:
        if not hasattr(call, "__aiter__"):
            return shown(await call)
        await read_into(items, call)
    except Exception:
        return [*map(shown, items), "error"]
    return [*map(shown, items), "end"]


async def both(step: Any, call: Any) -> tuple[Any, Any]:
    """Return the outcomes of ``call`` for a chain, and for the chain behind our routes."""
    app = FastAPI()
    add_routes(app, step, path="/chain", input_type=Any, include_input=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        remote: Any = RemoteRunnable("http://app/chain", http_async_client=client)
        return await outcome(call(step)), await outcome(call(remote))


def anonymous(events: Any) -> str:
    """Return events without ids, and without what the routes name."""
    numbers: dict[str, str] = {}
    text = re.sub(
        r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda found: numbers.setdefault(found[0], str(len(numbers))), repr(events)
    )
    return re.sub(r"'name': '[^']*', 'run_id': '0'|'run_id': '0', 'name': '[^']*'|'name': '[^']*'", "", text)


@given(case=cases())
def test_outputs_are_those_of_the_chain(case: Any) -> None:
    tree, kind = case
    for call in (lambda step: step.ainvoke(inputs[kind][0]), lambda step: step.abatch(inputs[kind])):
        assume("flaky" not in parts(tree))
        expected, found = asyncio.run(both(build(tree, 1), call))
        assert found == expected


@given(case=cases())
def test_chunks_are_those_of_the_chain(case: Any) -> None:
    tree, kind = case
    assume(not {*AT_ONCE, "flaky"} & parts(tree))
    expected, found = asyncio.run(both(build(tree, 1), lambda step: step.astream(inputs[kind][0])))
    assert found == expected


@given(case=cases())
def test_events_are_those_of_the_chain(case: Any) -> None:
    tree, kind = case
    assume(not {*AT_ONCE, "flaky"} & parts(tree))
    # Functions run in threads: those of a list of inputs one after another, to end in order.
    step = build(tree, 1).with_config(max_concurrency=1)
    expected, found = asyncio.run(both(step, lambda step: step.astream_events(inputs[kind][0])))
    # Results in events are dicts, which come back as objects, as from LangServe's client.
    assert anonymous(found) == anonymous(read_values(orjson.loads(write_values(expected))))
