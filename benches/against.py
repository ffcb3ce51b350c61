"""Compares this checkout with another one of the project, row by row: ``python -m benches.against CHECKOUT``.

Three processes take turns in every round: the other checkout, this one, and the other one again.
The difference between the two processes of the same code is the noise; a row counts as slower only if this
checkout differs by more than that. All three run the benchmarks of this checkout, over their own
``millstream``, which must be built: the extension is in ``CHECKOUT/python/millstream``.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from millstream.cli.bench.harness import Contender, WrongOutputError, calibrate, check, run_once, sample
from millstream.cli.bench.results import describe_machine

from .groups import Group
from .rows import groups

__all__ = ("Compared", "main")

_HOME = Path(__file__).parents[1]
_OURS = ("rust", "python", "ours")
_SAMPLE = 4_000_000
# The code that measures is that of this checkout.
_CHILD = "import millstream.cli as cli; cli.__path__.insert(0, {!r}); from benches.against import serve; serve()"


@dataclass(frozen=True)
class Compared:
    """One row: the time of this checkout relative to the other, by round, and that of the other relative to itself."""

    title: str
    nanoseconds: float
    ratios: list[float]
    noise: list[float]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> float:
        """The noise, as a factor: nine in ten rounds of the same code differ by less."""
        both = sorted(max(one, 1 / one) for one in self.noise)
        return both[min(len(both) - 1, int(0.9 * len(both)))]

    @property
    def verdict(self) -> str:
        """The verdict on the row."""
        return "SLOWER" if self.ratio > self.spread else "faster" if self.ratio < 1 / self.spread else "same"

    def __str__(self) -> str:
        noise = f"(noise {self.spread:4.2f}×)"
        return f"{self.verdict:6}  {self.ratio:5.2f}×  {noise}  {self.nanoseconds:>12,.1f} ns  {self.title}"


@dataclass(frozen=True)
class Peak:
    """The peak memory of a contender, here and in the other checkout, in multiples of the stream's size."""

    title: str
    here: float
    other: float

    @property
    def verdict(self) -> str:
        """The verdict on the row; a difference of a tenth of the stream is ignored."""
        return "MORE" if self.here > self.other + 0.1 else "less" if self.here < self.other - 0.1 else "same"

    def __str__(self) -> str:
        return f"{self.verdict:6}  {self.here:5.2f} times the stream at the peak, {self.other:.2f} there  {self.title}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a line for each row; return 1 if one is slower."""
    parser = argparse.ArgumentParser(prog="python -m benches.against", description="Measure beside another checkout.")
    parser.add_argument("checkout", type=Path, help="the other checkout, built")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its title")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each row (%(default)s)")
    options = parser.parse_args(arguments)
    print(describe_machine(), end="\n\n")
    slower = 0
    for row in _compared(options.checkout.resolve(), options.only, options.rounds):
        slower += row.verdict in ("SLOWER", "MORE")
        print(row, flush=True)
    print(f"\n{slower} rows slower than the noise, or larger")
    return int(slower > 0)


def _compared(other: Path, only: str | None, rounds: int) -> Iterator[Compared | Peak]:
    with ExitStack() as stack:
        before, here, after = (stack.enter_context(_Child(home)) for home in (other, _HOME, other))
        for number, group in enumerate(groups()):
            if only is not None and only not in group.title:
                continue
            keys = [child.ask({"group": number}) for child in (before, here, after)]
            found = [(before.ask({}), here.ask({}), after.ask({})) for _ in range(rounds)]
            for key in keys[1]:
                if all(key in of_child for of_child in keys):
                    yield _row(f"{group.title} [{key}]", [[one[key] / group.units for one in three] for three in found])
            if group.has_peak:
                size = len(group.stream.body)
                there, peaks = before.ask({"peak": True}), here.ask({"peak": True})
                for key in (key for key in peaks if there.get(key)):
                    yield Peak(f"{group.title} [{key}]", peaks[key] / size, there[key] / size)


def _row(title: str, rounds: list[list[float]]) -> Compared:
    return Compared(
        title,
        min(here for _, here, _ in rounds),
        [2 * here / (before + after) for before, here, after in rounds],
        [after / before for before, _, after in rounds],
    )


class _Child:
    """A process that measures one round of one group on request."""

    def __init__(self, home: Path) -> None:
        path = os.pathsep.join((str(home / "python"), str(_HOME)))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(str(_HOME / "python" / "millstream" / "cli"))],
            cwd=_HOME,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: dict[str, Any]) -> Any:
        """Send ``question`` and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a measuring process ended early")
        return json.loads(answer)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()


def serve(questions: TextIO = sys.stdin) -> None:
    """Answer the parent process: a question with a group prepares it, each empty question measures it once."""
    known = list(groups())
    bound: list[tuple[Contender, Any, int]] = []
    with asyncio.Runner() as runner:
        for line in questions:
            question = json.loads(line)
            if "group" in question:
                bound = list(_bound(known[question["group"]], runner))
                answer: Any = [one.key for one, _, _ in bound]
            elif "peak" in question:
                answer = {one.key: peak(one, run, runner) for one, run, _ in bound}
            else:
                gc.collect()
                gc.disable()
                answer = {one.key: sample(one, run, loops, runner) for one, run, loops in bound}
                gc.enable()
            print(json.dumps(answer), flush=True)


def _bound(group: Group, runner: asyncio.Runner) -> Iterator[tuple[Contender, Any, int]]:
    for one in group.contenders():
        if one.key.split("-")[0] in _OURS:
            try:
                run = one.bind(group.reads)
                check(one, run, runner, group.expected)
            except (ModuleNotFoundError, WrongOutputError) as error:
                print(f"{group.title}: {error}", file=sys.stderr)
                continue
            yield one, run, calibrate(one, run, _SAMPLE, runner)


def peak(contender: Contender, run: Any, runner: asyncio.Runner) -> int | None:
    """Return how many bytes more than before the process has at the peak of one run, its output included.

    ``None`` where the system does not say.
    """
    gc.collect()
    try:
        # Resets the peak on Linux.
        Path("/proc/self/clear_refs").write_text("5")
        before = _memory("VmRSS")
        output = run_once(contender, run, runner)
        found = _memory("VmHWM") - before
    except OSError:
        return None
    del output
    return found


def _memory(name: str) -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) << 10


if __name__ == "__main__":
    sys.exit(main())
