"""``add_routes``: its limits, what a client may configure, and who may send requests."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from typing_extensions import TypedDict

from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.runnables import ConfigurableField, RunnableLambda
from route_requests import POSTED, SCHEMAS, app_of, body_for, send

# Limits.


def test_a_body_may_be_so_large() -> None:
    app = app_of(max_body_size=100)
    assert send(app, "/chain/invoke", {"input": {"text": "a" * 50}}).status_code == 200
    for extra in ({}, {"headers": {"transfer-encoding": "chunked"}}):
        response = send(app, "/chain/invoke", {"input": {"text": "a" * 100}}, **extra)
        assert (response.status_code, response.json()) == (413, {"detail": "The body of a request may have 100 bytes"})


def test_a_batch_may_have_so_many_inputs() -> None:
    app = app_of(max_batch_size=2)
    assert send(app, "/chain/batch", {"inputs": [{"text": "a"}] * 2}).status_code == 200
    response = send(app, "/chain/batch", {"inputs": [{"text": "a"}] * 3})
    assert (response.status_code, response.json()) == (422, {"detail": "A batch may have 2 inputs, not 3"})


def test_so_many_streams_run_at_the_same_time() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(value: str) -> str:
        begun.set()
        await go_on.wait()
        return value

    app = app_of(RunnableLambda(wait), max_concurrent_streams=1)

    async def main() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            first = asyncio.ensure_future(client.post("/chain/stream", json={"input": "a"}))
            await begun.wait()
            refused = await client.post("/chain/stream_events", json={"input": "a"})
            assert refused.headers["retry-after"] == "1"
            go_on.set()
            codes = [(await first).status_code, refused.status_code]
            return [*codes, (await client.post("/chain/stream", json={"input": "a"})).status_code]

    assert asyncio.run(main()) == [200, 503, 200]


# Configurations.


def seen_config(**options: Any) -> Callable[..., Any]:
    """Return a function that sends a configuration to a chain, and returns the one of its run, or the status."""
    seen: list[Any] = []
    chain = RunnableLambda(lambda value, config: seen.append(config)).with_types(input_type=str, output_type=str)
    app = app_of(chain, **options)

    def call(config: Any, name: str = "invoke", **request: Any) -> Any:
        body = {**body_for(name, "a"), "config": config}
        response = send(app, f"/chain/{name}", body, **request)
        return seen.pop() if response.status_code == 200 else response.status_code

    return call


def test_a_client_sets_the_keys_that_it_may() -> None:
    call = seen_config(config_keys=["tags", "recursion_limit"])
    config = call({"tags": ["x"], "metadata": {"a": 1}, "recursion_limit": 1000, "run_name": "mine"})
    assert (config["tags"], config["metadata"], config["recursion_limit"]) == (["x"], {}, 100)
    assert call({"tags": "x"}) == 422
    assert seen_config()({"tags": ["x"]})["tags"] == []


def test_a_client_may_name_its_run() -> None:
    run_id = "01a21949-3b99-7436-b4fe-edfb70fa0f50"
    app = app_of(config_keys=["run_id"])
    response = send(app, "/chain/invoke", {**body_for("invoke"), "config": {"run_id": run_id}})
    assert response.json()["metadata"] == {"run_id": run_id, "feedback_tokens": []}
    assert send(app, "/chain/invoke", {**body_for("invoke"), "config": {"run_id": "x"}}).status_code == 422


@pytest.mark.parametrize("name", ["invoke", "batch"])
@pytest.mark.parametrize("is_async", [False, True])
def test_the_server_modifies_the_configuration_of_each_request(name: str, is_async: bool) -> None:
    def modify(config: dict[str, Any], request: Request) -> dict[str, Any]:
        return {**config, "metadata": {"user": request.headers["x-user"]}, "tags": ["added"]}

    async def amodify(config: dict[str, Any], request: Request) -> dict[str, Any]:
        return modify(config, request)

    call = seen_config(per_req_config_modifier=amodify if is_async else modify)
    config = call({}, name, headers={"x-user": "ann"})
    assert (config["metadata"], config["tags"]) == ({"user": "ann"}, ["added"])


def test_a_modifier_may_read_the_body() -> None:
    async def modify(config: dict[str, Any], request: Request) -> dict[str, Any]:
        return {**config, "tags": [(await request.json())["tenant"]]}

    seen: list[Any] = []
    chain: Any = RunnableLambda(lambda value, config: seen.append(config["tags"]))
    app = app_of(chain, per_req_config_modifier=modify)
    assert send(app, "/chain/invoke", {"input": "a", "tenant": "ann"}).status_code == 200
    assert seen == [["ann"]]


def test_each_input_of_a_batch_may_have_its_own_run_id() -> None:
    ids = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(2)]
    app = app_of(config_keys=["run_id"])
    response = send(app, "/chain/batch", {"inputs": [{"text": "a"}] * 2, "config": [{"run_id": one} for one in ids]})
    assert response.json()["metadata"]["run_ids"] == ids
    shared = send(app, "/chain/batch", {"inputs": [{"text": "a"}] * 2, "config": {"run_id": ids[0]}})
    first, second = shared.json()["metadata"]["run_ids"]
    assert first == ids[0] != second
    stream = {**body_for("stream"), "config": {"run_id": ids[1]}}
    assert send(app, "/chain/stream", stream).text.startswith(f'event: metadata\ndata: {{"run_id":"{ids[1]}"}}\n\n')


def test_configurable_values_choose_and_are_checked() -> None:
    model = FakeListChatModel(responses=["a"]).configurable_fields(responses=ConfigurableField(id="answers"))
    chain = model | StrOutputParser()
    sent = {"input": "x", "config": {"configurable": {"answers": ["z"]}}}
    assert send(app_of(chain), "/chain/invoke", sent).json()["output"] == "z"
    assert 'event: data\ndata: "z"\n\n' in send(app_of(chain), "/chain/stream", sent).text
    refused = {"input": "x", "config": {"configurable": {"answers": 1}}}
    detail = send(app_of(chain), "/chain/invoke", refused).json()["detail"]
    assert detail[0]["loc"][:4] == ["body", "config", "configurable", "answers"]
    assert send(app_of(chain, config_keys=[]), "/chain/invoke", sent).status_code == 422
    each = {"inputs": ["x", "y"], "config": [{"configurable": {"answers": ["z"]}}, {}]}
    assert send(app_of(chain), "/chain/batch", each).json()["output"] == ["z", "a"]
    assert send(app_of(chain), "/chain/batch", {**each, "inputs": ["x"]}).status_code == 422


def test_a_type_of_ones_own_checks_configurations() -> None:
    class Config(BaseModel):
        tags: list[str] = []
        metadata: dict[str, int]

    app = app_of(config_keys=["tags", "metadata"], config_type=Config)
    assert send(app, "/chain/invoke", {**body_for("invoke"), "config": {"metadata": {"a": 1}}}).status_code == 200
    assert send(app, "/chain/invoke", {**body_for("invoke"), "config": {"tags": []}}).status_code == 422
    assert send(app, "/chain/config_schema").json()["title"] == "Config"


class Thread(TypedDict):
    thread_id: str


class ThreadConfig(TypedDict):
    configurable: Thread


def test_a_graph_of_langgraphs_keeps_the_state_of_a_thread() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("answer", lambda state: {"messages": ["hi"]})
    graph.add_edge(START, "answer")
    app = app_of(graph.compile(checkpointer=MemorySaver()), config_type=ThreadConfig)

    def ask(thread: Any) -> Any:
        body = {"messages": [{"type": "human", "content": "x"}]}
        return send(app, "/chain/invoke", {"input": body, "config": {"configurable": {"thread_id": thread}}})

    assert [len(ask(thread).json()["output"]["messages"]) for thread in ("a", "a", "b")] == [2, 4, 2]
    assert ask(1).status_code == 422


def test_types_of_ones_own_replace_the_runnables() -> None:
    app = app_of(RunnableLambda(str), input_type=int, output_type=str)
    assert send(app, "/chain/invoke", {"input": "x"}).status_code == 422
    assert send(app, "/chain/invoke", {"input": 1}).json()["output"] == "1"
    assert send(app, "/chain/input_schema").json()["type"] == "integer"
    assert send(app, "/chain/output_schema").json()["type"] == "string"


# Authentication.


def refuse(request: Request) -> None:
    if request.headers.get("authorization") != "Bearer k":
        raise HTTPException(401, "who are you?")


async def arefuse(request: Request) -> None:
    refuse(request)


@pytest.mark.parametrize(
    ("kind", "dependency"),
    [
        (FastAPI, Depends(refuse)),
        (FastAPI, Depends(arefuse)),
        (FastAPI, refuse),
        (Starlette, refuse),
        (Starlette, arefuse),
    ],
)
def test_every_route_asks_its_dependencies(kind: Any, dependency: Any) -> None:
    app = app_of(kind=kind, dependencies=[dependency])
    for name in (*POSTED, *SCHEMAS):
        body = body_for(name) if name in POSTED else None
        assert send(app, f"/chain/{name}", body).status_code == 401
        assert send(app, f"/chain/{name}", body, headers={"authorization": "Bearer k"}).status_code == 200


def test_fastapis_dependencies_are_no_starlettes() -> None:
    with pytest.raises(TypeError, match="^Depends is FastAPI's: give a function of the request"):
        app_of(kind=Starlette, dependencies=[Depends(refuse)])
