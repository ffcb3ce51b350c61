"""Times contenders against each other: round by round, in CPU time, on outputs that were checked first.

Absolute times move with the machine's other load, by half and more; the ratio of two contenders in
one round moves far less. So the ratio of a pair is the median over the rounds, and the absolute
figure is that of the best round.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

__all__ = (
    "Contender",
    "Effort",
    "Ratio",
    "Reads",
    "Timings",
    "WrongOutputError",
    "bind_all",
    "calibrate",
    "check",
    "measure",
    "over",
    "run_once",
    "sample",
)

Reads = Sequence[bytes]
"""The reads of a stream."""


class WrongOutputError(Exception):
    """A contender returned a wrong output."""


@dataclass(frozen=True)
class Contender:
    """One contender: ``bind`` takes the reads and returns the function to time, an async one if ``waits``.

    ``shown`` turns what came out into what all contenders must agree on; ``None``: nothing comes out.
    ``whole`` does the same for those contenders of a group that have it, and leaves nothing out.
    """

    key: str
    name: str
    bind: Callable[[Reads], Callable[[], Any]]
    shown: Callable[[Any], list[str]] | None
    waits: bool = False
    whole: Callable[[Any], str] | None = None


def over(run: Callable[[Reads], Any]) -> Callable[[Reads], Callable[[], Any]]:
    """Return the ``bind`` of a function that takes reads."""
    return lambda reads: partial(run, reads)


@dataclass(frozen=True)
class Effort:
    """How long to measure: the number of rounds, and the minimum duration of a sample in nanoseconds."""

    rounds: int
    sample: int


@dataclass(frozen=True)
class Ratio:
    """The time of one contender relative to another: the median of the rounds, and its quartiles."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Timings:
    """Nanoseconds of CPU per run, for each round, by the contender's key."""

    rounds: dict[str, list[float]]

    def best(self, key: str) -> float:
        """Return the time of the best round."""
        return min(self.rounds[key])

    def ratio(self, key: str, other: str) -> Ratio:
        """Return the time of ``key`` relative to ``other``."""
        pairs = zip(self.rounds[key], self.rounds[other], strict=True)
        ratios = [one / two for one, two in pairs]
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        return Ratio(statistics.median(ratios), low, high)


def measure(contenders: Sequence[Contender], reads: Reads, expected: list[str], effort: Effort) -> Timings:
    """Check each contender's output, then time all of them, one after the other, in every round.

    Raises :class:`WrongOutputError` where an output is not ``expected``, or two whole outputs differ. Garbage
    collection runs between the rounds and never during a sample.
    """
    with asyncio.Runner() as runner, _frozen():
        bound = bind_all(contenders, reads, expected, runner)
        loops = {one.key: calibrate(one, run, effort.sample, runner) for one, run in bound}
        rounds: dict[str, list[float]] = {one.key: [] for one in contenders}
        for _ in range(effort.rounds):
            with _collected_before():
                for one, run in bound:
                    rounds[one.key].append(sample(one, run, loops[one.key], runner))
    return Timings(rounds)


def bind_all(
    contenders: Sequence[Contender], reads: Reads, expected: list[str], runner: asyncio.Runner
) -> list[tuple[Contender, Any]]:
    """Return each contender with its function, whose output was checked; see :func:`measure`."""
    bound = [(one, one.bind(reads)) for one in contenders]
    whole: dict[str, str] = {}
    for one, run in bound:
        output = check(one, run, runner, expected)
        if one.whole is not None:
            whole[one.name] = one.whole(output)
    _check_equal(whole)
    return bound


def check(contender: Contender, run: Any, runner: asyncio.Runner, expected: list[str]) -> Any:
    """Return the output of ``run``; raise :class:`WrongOutputError` if it is not ``expected``."""
    output = run_once(contender, run, runner)
    if contender.shown is None:
        if output:
            raise WrongOutputError(f"{contender.name} returned something where nothing was due")
        return output
    shown = contender.shown(output)
    if shown != expected:
        place = next((at for at, (a, b) in enumerate(zip(shown, expected, strict=False)) if a != b), "the end")
        raise WrongOutputError(
            f"{contender.name} read {len(shown)} items where there are {len(expected)}, another one first at {place}"
        )
    return output


def _check_equal(outputs: dict[str, str]) -> None:
    """Raise :class:`WrongOutputError` if two of ``outputs``, by the contender's name, differ."""
    for (name, one), (other, two) in pairwise(outputs.items()):
        if one != two:
            at = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
            start = max(0, at - 60)
            raise WrongOutputError(f"{name} and {other} differ: {one[start : at + 60]!r}, {two[start : at + 60]!r}")


def run_once(contender: Contender, run: Any, runner: asyncio.Runner) -> Any:
    """Return the output of one run."""
    return runner.run(run()) if contender.waits else run()


def calibrate(contender: Contender, run: Any, duration: int, runner: asyncio.Runner) -> int:
    """Return the number of runs that fill ``duration`` nanoseconds: a power of two, so that noise rarely changes it."""
    loops = 1
    with _collected_before():
        while sample(contender, run, loops, runner) * loops < duration:
            loops *= 2
    return loops


def sample(contender: Contender, run: Any, loops: int, runner: asyncio.Runner) -> float:
    """Return the mean time of ``loops`` runs; dropping each run's output is included."""
    if loops > 1:
        run_once(contender, run, runner)  # What ran before has the caches; a long sample warms them itself.
    if contender.waits:
        return runner.run(_time_runs(run, loops)) / loops
    start = time.process_time_ns()
    for _ in range(loops):
        run()
    return (time.process_time_ns() - start) / loops


async def _time_runs(run: Any, loops: int) -> int:
    start = time.process_time_ns()
    for _ in range(loops):
        await run()
    return time.process_time_ns() - start


@contextmanager
def _frozen() -> Iterator[None]:
    """Exclude the objects that exist already from the garbage collections, which then take no time to speak of."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _collected_before() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
