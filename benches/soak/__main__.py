"""``python -m benches.soak``: rounds of streams that must leave nothing behind; memory must stay flat.

``MILLSTREAM_SOAK_SECONDS`` (600) says for how long, ``MILLSTREAM_SOAK_SEED`` (0) which streams.
"""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import millstream
from millstream._backend import BACKEND
from millstream.testing import assert_no_leaks

from .readers import Models, Tally, aread_all, read_all

TRANSPORTS = ("native", "httpx2")
THREADS = 3  # for each transport
TASKS = 16  # for each transport
PER_THREAD, PER_LOOP = 60, 180
IN_A_ROUND = len(TRANSPORTS) * (THREADS * PER_THREAD + PER_LOOP)
# Rounds whose memory does not count, in which pools, caches and arenas fill up.
WARM = 3
# Over the whole run, in bytes a stream; the smallest leak that was ever found here was 2 KB for each failed one.
MOST_GROWTH = 200.0
# The noise of the allocator, in bytes.
NOISE = 12 << 20


@dataclass
class Sample:
    """Memory after a round."""

    streams: int
    resident: int
    blocks: int


@contextmanager
def server() -> Iterator[str]:
    """Run the server, and yield its URL."""
    command = [sys.executable, "-m", "benches.soak.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.communicate()


def run_round(url: str, first: int, tally: Tally) -> None:
    """Read the streams of one round, from threads and from an event loop at the same time."""
    made = {name: Models(url, name) for name in TRANSPORTS}
    number = first
    threads = []
    for models in made.values():
        for _ in range(THREADS):
            numbers, number = range(number, number + PER_THREAD), number + PER_THREAD
            threads.append(threading.Thread(target=read_all, args=(models, numbers, tally)))

    async def main(begin: int) -> None:
        async with asyncio.TaskGroup() as group:
            for models in made.values():
                group.create_task(aread_all(models, range(begin, begin + PER_LOOP), tally, TASKS))
                begin += PER_LOOP

    for thread in threads:
        thread.start()
    try:
        asyncio.run(main(number))
    finally:
        for thread in threads:
            thread.join()


def sample(streams: int) -> Sample:
    """Return the memory in use after a garbage collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(streams, pages * os.sysconf("SC_PAGE_SIZE"), sys.getallocatedblocks())


def growth(samples: list[Sample]) -> tuple[float, float]:
    """Return by how many bytes and blocks a stream memory grew, from the early third of the rounds to the last."""
    kept = samples[WARM:] if len(samples) >= 2 * WARM + 3 else samples[-3:]
    third = max(1, len(kept) // 3)
    early, late = kept[:third], kept[-third:]
    streams = max(1.0, median(s.streams for s in late) - median(s.streams for s in early))
    more = median(s.resident for s in late) - median(s.resident for s in early)
    blocks = median(s.blocks for s in late) - median(s.blocks for s in early)
    return max(0.0, more - NOISE) / streams, blocks / streams


def verdict(tally: Tally, samples: list[Sample], leaks: list[str]) -> list[str]:
    """Return the failures."""
    found = [*leaks, *tally.wrong[:20]]
    if len(tally.wrong) > 20:
        found.append(f"and {len(tally.wrong) - 20} more streams that ended wrongly")
    read, due = tally.ended.total(), samples[-1].streams
    if read != due:
        found.append(f"{due - read} streams of {due} are not accounted for")
    size, blocks = growth(samples)
    if size > MOST_GROWTH or blocks > 1:
        found.append(f"memory grew by {size:.0f} bytes and {blocks:.2f} blocks a stream")
    return found


def main() -> int:
    """Run rounds until the time is over, and judge them."""
    seconds = float(os.environ.get("MILLSTREAM_SOAK_SECONDS", "600"))
    number = int(os.environ.get("MILLSTREAM_SOAK_SEED", "0")) * 10_000_000
    tally, samples, leaks = Tally(), [], []
    begin = time.monotonic()
    print(f"millstream {millstream.__version__}, backend {BACKEND}, {seconds:.0f} s", flush=True)
    with server() as url:
        while time.monotonic() - begin < seconds:
            # Sync streams share one pool a transport, which outlives the round.
            idle = 2 * THREADS * len(TRANSPORTS)
            try:
                with assert_no_leaks(idle_connections=idle, collect=True):
                    run_round(url, number, tally)
            except AssertionError as error:
                leaks.append(str(error))
            number += IN_A_ROUND
            samples.append(sample(len(samples) * IN_A_ROUND + IN_A_ROUND))
            last = samples[-1]
            print(
                f"{time.monotonic() - begin:7.1f} s  {last.streams:8,} streams  {len(tally.wrong)} wrong"
                f"  {last.resident / 2**20:7.1f} MiB  {last.blocks:9,} blocks",
                flush=True,
            )
    for name, count in tally.ended.most_common():
        print(f"{count:8,}  {name}")
    found = verdict(tally, samples, leaks)
    print("\n".join(found) if found else "every stream is right, memory is flat, nothing is left")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
