"""``python -m benches.resumable``: what resumable streams cost over each store, on the loopback interface.

Each row is a process of its own. Redis is measured where ``redis-server`` is on the path.
"""

import asyncio
import gc
import glob
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from millstream.server.resumable import Position, resumable, resume
from millstream.server.resumable.framing import Block
from millstream.server.resumable.stores import Append
from millstream.testing import MockServer, Reply

from .server import open_store

STORES = ("none", "memory", "sqlite", "redis")
RECORD = b'data: {"type":"text-delta","id":"0","delta":" token"}\n\n'
TOKENS_PER_SECOND = 20


def cpu() -> float:
    """Return the CPU seconds of this process, its threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Return the resident bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def paced(count: int) -> AsyncIterator[bytes]:
    """Yield records at the speed of a model."""
    begin = asyncio.get_running_loop().time()
    for number in range(count):
        delay = begin + number / TOKENS_PER_SECOND - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, delay))
        yield RECORD


async def at_once(count: int) -> AsyncIterator[bytes]:
    """Yield records as fast as they are taken, a turn of the loop each."""
    for _ in range(count):
        await asyncio.sleep(0)
        yield RECORD


async def drain(body: Any) -> int:
    """Read a body to its end, and return how many records it had."""
    count = 0
    async for data in body:
        count += data.count(b"\n\n")
    return count


async def cost_of_streams(place: str, streams: int, records: int) -> dict[str, float]:
    """Measure the CPU for a record of streams that run at once, each with its client."""
    store = None if place == "none" else open_store(place)
    bodies = [
        paced(records) if store is None else resumable(paced(records), store, stream_id=f"cost-{number}")
        for number in range(streams)
    ]
    begin = cpu()
    counts = await asyncio.gather(*map(drain, bodies))
    used = cpu() - begin
    assert counts == [records] * streams
    if store is not None:
        await store.aclose()
    return {"us CPU / record": used / (streams * records) * 1e6}


async def fast_streams(place: str, streams: int, records: int) -> dict[str, float]:
    """Measure records per second where the source is as fast as the loop."""
    store = None if place == "none" else open_store(place)
    bodies = [
        at_once(records) if store is None else resumable(at_once(records), store, stream_id=f"fast-{number}")
        for number in range(streams)
    ]
    begin = time.perf_counter()
    counts = await asyncio.gather(*map(drain, bodies))
    seconds = time.perf_counter() - begin
    assert counts == [records] * streams
    if store is not None:
        await store.aclose()
    return {"records / s": streams * records / seconds}


async def appends(place: str, batch: int, calls: int) -> dict[str, float]:
    """Measure the store alone: appends per second, and the time of a call, with one call at a time."""
    store = open_store(place)
    epochs = [(await store.create(f"append-{n}", b"", replace=True)).epoch for n in range(batch)]
    begin = time.perf_counter()
    for call in range(1, calls + 1):
        data = RECORD * 2
        batched = [Append(f"append-{n}", epoch, Block(epoch, call, call, data)) for n, epoch in enumerate(epochs)]
        assert set(await store.append(batched)) == {"stored"}
    seconds = time.perf_counter() - begin
    await store.aclose()
    return {"appends / s": batch * calls / seconds, "ms / call": seconds / calls * 1e3}


async def memory_of_streams(place: str, streams: int, records: int) -> dict[str, float]:
    """Measure the resident memory of running streams without clients, and after their end."""
    store = open_store(place)
    release = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield RECORD * records
        await release.wait()

    before = resident()
    bodies = [resumable(source(), store, stream_id=f"memory-{number}") for number in range(streams)]
    for body in bodies:
        await body.start()
        await anext(body)
        await body.aclose()
    bodies.clear()
    await asyncio.sleep(0.2)
    running = resident() - before
    release.set()
    for number in range(streams):
        answer = await resume(store, f"memory-{number}")
        if hasattr(answer, "aclose"):
            await drain(answer)
    ended = resident() - before
    await store.aclose()
    return {"KB / running stream": running / streams / 1e3, "KB / ended stream": ended / streams / 1e3}


async def stored_size(place: str, batch: int, streams: int = 200, records: int = 500) -> dict[str, float]:
    """Measure what streams take in the store, where each append has ``batch`` records."""
    store = open_store(place)
    if place.startswith("redis:"):
        await store._client.flushall()
    before = await bytes_of(place, store)
    data = b"id: 1795721148945-100\n" + RECORD
    for number in range(streams):
        name = f"size-{number:032}"
        epoch = (await store.create(name, b"x" * 100, replace=True)).epoch
        firsts = range(1, records + 1, batch)
        await store.append(
            [Append(name, epoch, Block(epoch, n, n + batch - 1, b"".join([data] * batch + [b""]))) for n in firsts]
        )
    taken = await bytes_of(place, store) - before
    await store.aclose()
    return {"KB / stream": taken / streams / 1e3, "bytes / record": taken / streams / records}


async def bytes_of(place: str, store: Any) -> int:
    """Return the bytes of a store."""
    if place.startswith("redis:"):
        return int((await store._client.info("memory"))["used_memory"])
    return resident() if place == "memory" else sum(map(os.path.getsize, glob.glob(f"{place}*")))


async def followers(place: str, count: int, records: int) -> dict[str, float]:
    """Measure followers of one stream that is generated elsewhere: they read the store."""
    store, other = open_store(place), open_store(place)
    body = await resumable(paced(records), store, stream_id="many").start()
    sources = [await resume(other, "many") for _ in range(count)]
    begin = cpu()
    counts = await asyncio.gather(*map(drain, [body, *sources]))
    used = cpu() - begin
    assert counts[0] == records
    await store.aclose()
    await other.aclose()
    return {"us CPU / record and follower": used / (count * records) * 1e6}


async def catching_up(place: str, streams: int = 20, records: int = 5000) -> dict[str, float]:
    """Measure a follower that reads a stored stream from its beginning."""
    store = open_store(place)
    for number in range(streams):
        await drain(resumable(at_once(records), store, stream_id=f"old-{number}"))
    begin = cpu()
    for number in range(streams):
        assert await drain(await resume(store, f"old-{number}")) == records + 1
    used = cpu() - begin
    await store.aclose()
    return {"us CPU / record": used / (streams * records) * 1e6}


async def latency(place: str, rounds: int) -> dict[str, float]:
    """Measure from an append to a waiting reader of another store at the same place."""
    store, other = open_store(place), open_store(place)
    epoch = (await store.create("late", b"", replace=True)).epoch
    times = []
    for number in range(1, rounds + 1):
        reading = asyncio.create_task(other.read("late", Position(epoch, number - 1), limit=1, wait=30.0))
        await asyncio.sleep(0.03)
        begin = time.perf_counter()
        await store.append([Append("late", epoch, Block(epoch, number, number, RECORD))])
        await reading
        times.append(time.perf_counter() - begin)
    await store.aclose()
    await other.aclose()
    times.sort()
    return {"ms p50": times[len(times) // 2] * 1e3, "ms p99": times[len(times) * 99 // 100] * 1e3}


async def client(port: int) -> int:
    """Read one answer over a connection of its own, and return how many records it had."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    data = await reader.read()
    while part := await reader.read():
        data += part
    writer.close()
    return data.count(b"text-delta")


async def cost_of_server(place: str, streams: int, records: int) -> dict[str, float]:
    """Measure the CPU of a uvicorn process for a record, from the model's bytes to the client's."""
    pieces = [f" token{number}" for number in range(records)]
    with MockServer(Reply(pieces=pieces, pace=1 / TOKENS_PER_SECOND)) as upstream:
        command = [sys.executable, "-m", "benches.resumable.server", place, upstream.url]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        await client(port)
        begin = used_by(process.pid)
        counts = await asyncio.gather(*(client(port) for _ in range(streams)))
        used = used_by(process.pid) - begin
        process.terminate()
        await process.wait()
    assert counts == [records] * streams, counts
    return {"us CPU / record": used / (streams * records) * 1e6}


def used_by(pid: int) -> float:
    """Return the CPU seconds of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


SCENARIOS: dict[str, tuple[Callable[[str], Awaitable[dict[str, float]]], tuple[str, ...]]] = {
    "server, 50 streams x 20/s": (lambda place: cost_of_server(place, 50, 200), STORES),
    "server, 200 streams x 20/s": (lambda place: cost_of_server(place, 200, 100), STORES),
    "50 streams x 20 records/s": (lambda place: cost_of_streams(place, 50, 100), STORES),
    "200 streams x 20 records/s": (lambda place: cost_of_streams(place, 200, 100), STORES),
    "8 streams as fast as they can": (lambda place: fast_streams(place, 8, 4000), STORES),
    "one stream a call": (lambda place: appends(place, 1, 1000), STORES[1:]),
    "100 streams a call": (lambda place: appends(place, 100, 100), STORES[1:]),
    "1,000 streams of 500 records": (lambda place: memory_of_streams(place, 1000, 500), STORES[1:]),
    "500 records, stored one by one": (lambda place: stored_size(place, 1), STORES[1:]),
    "500 records, stored by five": (lambda place: stored_size(place, 5), STORES[1:]),
    "100 followers elsewhere": (lambda place: followers(place, 100, 100), STORES[2:]),
    "a stored stream, read again": (catching_up, STORES[1:]),
    "append to reader elsewhere": (lambda place: latency(place, 100), STORES[2:]),
}


@contextmanager
def redis() -> Iterator[str | None]:
    """Run a Redis, if it is installed, and yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        while "Ready to accept connections" not in (line := server.stdout.readline()):
            assert line, "redis-server did not start"
        try:
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.kill()


def measure(scenario: str, kind: str, url: str | None) -> str | None:
    """Run a scenario in a process of its own; return its figures."""
    if kind == "redis" and url is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = {"sqlite": f"{folder}/streams.db", "redis": url or ""}.get(kind, kind)
        command = [sys.executable, "-m", "benches.resumable", scenario, place]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Run all scenarios, or in a child process one of them."""
    if len(sys.argv) == 3:
        run, _ = SCENARIOS[sys.argv[1]]
        figures = asyncio.run(run(sys.argv[2]))  # type: ignore[arg-type]
        print("   ".join(f"{value:10,.1f} {unit}" for unit, value in figures.items()))
        return
    with redis() as url:
        for scenario, (_, kinds) in SCENARIOS.items():
            for kind in kinds:
                figures_of = measure(scenario, kind, url)
                if figures_of is not None:
                    print(f"{scenario:32} {kind:8} {figures_of}", flush=True)


if __name__ == "__main__":
    main()
