"""``add_routes`` with a store: a stream goes on under its run's id when the client has left, and is read to its end."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from langserve_apps import our_client, their_client
from millstream import SSEParser
from millstream.runnables import RunnableGenerator
from millstream.server import add_routes
from millstream.server.resumable import MemoryStore, store_lifespan
from serving import serve

PIECES = ["a", "b", "c", "d"]


async def chunks(inputs: Any) -> Any:
    async for _ in inputs:
        pass
    for piece in PIECES:
        yield piece
        await asyncio.sleep(0)


async def none(inputs: Any) -> Any:
    async for _ in inputs:
        pass
    for piece in list[str]():
        yield piece


def app_of(chain: Any = None, **options: Any) -> FastAPI:
    store = MemoryStore()
    app = FastAPI(lifespan=store_lifespan(store))
    chain = RunnableGenerator(chunks) if chain is None else chain
    add_routes(app, chain, path="/chain", store=store, ping_interval=0.01, input_type=str, **options)
    return app


def events_of(content: bytes) -> list[Any]:
    return [(event.event, event.id, event.data) for event in SSEParser().feed(content)]


async def begin(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post(f"/chain/{name}", json={"input": "x"})


def run(app: FastAPI, work: Any) -> Any:
    async def main() -> Any:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://app") as client,
        ):
            return await work(client)

    return asyncio.run(main())


@pytest.mark.parametrize("name", ["stream", "stream_events", "stream_log"])
def test_a_stream_is_continued_after_any_of_its_events(name: str) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        response = await begin(client, name)
        whole = [event for event in events_of(response.content) if event[1]]
        assert len(whole) >= len(PIECES)
        location = response.headers["location"]
        assert location.startswith("/chain/streams/")
        for place, (_, id, _) in enumerate(whole[:-1]):
            rest = await client.get(location, headers={"last-event-id": id})
            assert [event for event in events_of(rest.content) if event[1]][-len(whole) + place + 1 :] == whole[
                place + 1 :
            ]
        assert (await client.get("/chain/streams/unknown")).status_code == 404
        assert (await client.delete(location)).status_code == 204

    run(app_of(), work)


def test_the_run_has_the_id_of_the_stream() -> None:
    async def work(client: httpx.AsyncClient) -> None:
        response = await begin(client, "stream")
        run_id = response.headers["location"].rpartition("/")[2]
        assert f'event: metadata\ndata: {{"run_id":"{run_id}"}}\n' in response.text

    run(app_of(), work)


def test_a_stream_without_chunks_names_its_run_too() -> None:
    app = FastAPI()
    add_routes(app, RunnableGenerator(none), input_type=str)

    async def work(client: httpx.AsyncClient) -> None:
        response = await client.post("/stream", json={"input": "x"})
        assert [event for event, _, _ in events_of(response.content)] == ["metadata"]
        assert response.text.endswith("event: end\n\n")

    run(app, work)


def test_dependencies_are_asked_for_streams_too() -> None:
    from starlette.exceptions import HTTPException

    def refuse(request: Any) -> None:
        if request.method != "POST":
            raise HTTPException(403)

    async def work(client: httpx.AsyncClient) -> None:
        location = (await begin(client, "stream")).headers["location"]
        assert (await client.get(location)).status_code == 403
        assert (await client.delete(location)).status_code == 403

    run(app_of(dependencies=[refuse]), work)


def test_a_stream_can_be_stopped() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def wait(inputs: Any) -> Any:
        async for _ in inputs:
            yield "a"
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def work(client: httpx.AsyncClient) -> None:
        run_id = "01a21949-3b99-7436-b4fe-edfb70fa0f50"
        body = {"input": "x", "config": {"run_id": run_id}}
        reading = asyncio.ensure_future(client.post("/chain/stream", json=body))
        await begun.wait()
        assert (await client.delete(f"/chain/streams/{run_id}")).status_code == 202
        await stopped.wait()
        await reading

    run(app_of(RunnableGenerator(wait), config_keys=["run_id"]), work)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("client", [our_client, their_client])
def test_clients_read_events_with_ids_and_keep_alive(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def slow(inputs: Any) -> Any:
        async for _ in inputs:
            pass
        for piece in PIECES:
            await asyncio.sleep(0.03)
            yield piece

    app = app_of(RunnableGenerator(slow))
    with serve(app) as url, client(f"{url}/chain") as remote:
        assert list(remote.stream("x")) == PIECES
    assert "unsupported" not in caplog.text
