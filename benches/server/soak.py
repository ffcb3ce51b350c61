"""``python -m benches.server.soak``: hundreds of streams through gateways for minutes, one in five with a fault.

Faults of clients: they leave by FIN or RST, stop to read, or leave a silent stream. Faults of the upstream: cuts,
resets, error frames, statuses. Faults of the server: its code raises; and a second gateway is killed or shut down, and
started again. Every text is compared; each stream must end as its plan says, every upstream of a client that left must
be closed, and the first gateway must have flat memory and no descriptor left after each round.

``MILLSTREAM_SOAK_SECONDS`` (600) says for how long.
"""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

from .contenders import CONTENDERS
from .processes import Gateway, Load, gateway, load
from .scenarios import WIRES

__all__ = ("Tally", "main", "soak")

OURS = next(one for one in CONTENDERS if one.key == "response")
STREAMS, KILLED_STREAMS = 400, 100
ROUND = 30.0
# Streams of 2.5 s, of which a round begins some thousands.
LOAD: dict[str, Any] = {"streams": 10**12, "tokens": 50, "rate": 20, "gap_ms": 2, "faults": 0.2}
# Rounds in which pools, caches and arenas fill up.
WARM = 3
# The noise of the allocator, and a leak of 200 bytes a stream.
MOST_GROWTH = 8 << 20


@dataclass
class Tally:
    """How the streams of all rounds ended."""

    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, found: dict[str, Any], what: str) -> None:
        """Add the figures of a round."""
        self.ended.update(found["ended"])
        self.wrong += [f"{what}: {one}" for one in found["wrong"]]

    def verdict(self) -> list[str]:
        """Return the failures."""
        found = [*self.wrong[:20], *self.left]
        if len(self.resident) > WARM + 3:
            kept = self.resident[WARM:]
            third = max(1, len(kept) // 3)
            growth = median(kept[-third:]) - median(kept[:third])
            if growth > MOST_GROWTH:
                found.append(f"memory grew by {growth / 2**20:.1f} MiB")
        return found


def soak(seconds: float, streams: int = STREAMS, killed: int = KILLED_STREAMS, length: float = ROUND) -> Tally:
    """Run rounds until the time is over."""
    tally = Tally()
    with load() as first, load() as second, gateway(OURS, first.upstream) as steady, _restarting(second) as mortal:
        # The gateways take long to start where the machine is busy.
        end = time.monotonic() + seconds
        for number in count():
            length = min(length, end - time.monotonic())
            if length <= 0:
                return tally
            # Each wire in turn, with heads at once and with the first chunk.
            wire, way = WIRES[number % len(WIRES)], ("stream", "wait")[number // len(WIRES) % 2]
            options = LOAD | {"path": f"/{way}/{wire}", "until_ms": length * 1000, "limit_ms": length * 1000 + 60_000}
            dying = options | {"at_once": killed, "killed": True, "pid": None}
            other = threading.Thread(target=mortal.run, args=(wire, dying, tally))
            other.start()
            stopper = threading.Timer(length / 2, mortal.restart, (number % 2 == 0,))
            stopper.start()
            found = first.run(steady, wire, **options, at_once=streams)
            other.join()
            stopper.join()
            tally.add(found, f"/{way}/{wire}")
            tally.resident.append(found["resident"]["after"])
            files = found["descriptors"]
            if files["after"] > files["before"]:
                tally.left.append(f"/{way}/{wire}: {files['after'] - files['before']} descriptors are left")
            print(
                f"{seconds - end + time.monotonic():7.1f} s  {tally.ended.total():8,} streams  {len(tally.wrong)} wrong"
                f"  {tally.resident[-1] / 2**20:7.1f} MiB  {files['after']} descriptors  /{way}/{wire}",
                flush=True,
            )
    return tally


class _Restarting:
    """A gateway that is killed or shut down, and started again at its port."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._running = gateway(OURS, load.upstream)
        self.gateway: Gateway = self._running.__enter__()

    def run(self, wire: str, options: dict[str, Any], tally: Tally) -> None:
        """Do a round."""
        tally.add(self._load.run(self.gateway, wire, **options), f"{options['path']}, killed")

    def restart(self, kill: bool) -> None:
        """End the process, by force or in order, and start another."""
        self.gateway.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.gateway.process.wait(20)
        self.close()
        self._running = gateway(OURS, self._load.upstream, self.gateway.port)
        self.gateway = self._running.__enter__()

    def close(self) -> None:
        """End the process."""
        self._running.__exit__(None, None, None)


@contextmanager
def _restarting(second: Load) -> Iterator[_Restarting]:
    found = _Restarting(second)
    try:
        yield found
    finally:
        found.close()


def main() -> int:
    """Run, and judge."""
    tally = soak(float(os.environ.get("MILLSTREAM_SOAK_SECONDS", "600")))
    for name, number in tally.ended.most_common():
        print(f"{number:8,}  {name}")
    found = tally.verdict()
    print("\n".join(found) if found else "every text is accounted for, memory is flat, no descriptor is left")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
