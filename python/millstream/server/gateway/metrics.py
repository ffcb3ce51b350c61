"""What a gateway counts, in Prometheus' text format. The counts are those of one process."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..._backend import ChunkTimes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .accounting import Account

__all__ = ("Gauges", "Histogram", "Metrics")

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Histogram:
    """Counts of values up to each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...] = _SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_counts(self, counts: Sequence[int], total: float) -> None:
        """Add values that were counted by the same bounds, and whose sum is ``total``."""
        self._counts = [own + more for own, more in zip(self._counts, counts, strict=True)]
        self._sum += total

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """Yield the lines of the metric."""
        totals = list(accumulate(self._counts))
        for bound, total in zip((*map(repr, self._bounds), "+Inf"), totals, strict=True):
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum!r}"
        yield f"{name}_count{{{labels}}} {totals[-1]}"


class Gauges(NamedTuple):
    """What is so now: how many requests of each key run, and the state of each upstream's circuit."""

    running: Mapping[str, int]
    circuits: Mapping[str, str]


class Metrics:
    """The counts of requests that have ended.

    Labels are names of the configuration (keys, upstreams) and wires, never what a client has made up: a client
    could fill the memory with names of models.
    """

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, str, str, int]] = Counter()
        self._tokens: Counter[tuple[str, str, str]] = Counter()
        self._first: dict[str, Histogram] = {}
        self._chunks: dict[str, Histogram] = {}
        self._whole: dict[str, Histogram] = {}

    def count(self, account: Account) -> None:
        """Count a request that has ended."""
        upstream = account.upstream or ""
        self._requests[account.key, upstream, account.wire, account.outcome, account.status] += 1
        self._tokens[account.key, upstream, "input"] += account.usage.input_tokens
        self._tokens[account.key, upstream, "output"] += account.usage.output_tokens
        if account.first_chunk_seconds is not None:
            self._first.setdefault(upstream, Histogram()).add(account.first_chunk_seconds)
        if account.chunk_counts:
            chunks = self._chunks.setdefault(upstream, Histogram(ChunkTimes.BOUNDS))
            chunks.add_counts(account.chunk_counts, account.chunk_seconds)
        self._whole.setdefault(upstream, Histogram()).add(account.seconds)

    def text(self, gauges: Gauges) -> str:
        """Return all metrics."""
        return "\n".join(self._lines(gauges)) + "\n"

    def _lines(self, gauges: Gauges) -> Iterator[str]:
        pid = os.getpid()
        yield from _head("millstream_requests_total", "counter", "Requests that have ended.")
        for (key, upstream, wire, outcome, status), count in sorted(self._requests.items()):
            labels = _labels(key=key, upstream=upstream, wire=wire, outcome=outcome, status=status, pid=pid)
            yield f"millstream_requests_total{{{labels}}} {count}"
        yield from _head("millstream_tokens_total", "counter", "Tokens of requests that have ended.")
        for (key, upstream, direction), count in sorted(self._tokens.items()):
            labels = _labels(key=key, upstream=upstream, direction=direction, pid=pid)
            yield f"millstream_tokens_total{{{labels}}} {count}"
        for name, words, found in (
            ("millstream_first_chunk_seconds", "Seconds until the first chunk.", self._first),
            ("millstream_chunk_seconds", "Seconds from one chunk of a stream to the next.", self._chunks),
            ("millstream_request_seconds", "Seconds of whole requests.", self._whole),
        ):
            yield from _head(name, "histogram", words)
            for upstream, histogram in sorted(found.items()):
                yield from histogram.lines(name, _labels(upstream=upstream, pid=pid))
        yield from _head("millstream_requests_running", "gauge", "Requests that run now.")
        for key, count in gauges.running.items():
            yield f"millstream_requests_running{{{_labels(key=key, pid=pid)}}} {count}"
        yield from _head("millstream_upstream_open", "gauge", "Whether an upstream is not asked now.")
        for upstream, state in gauges.circuits.items():
            yield f"millstream_upstream_open{{{_labels(upstream=upstream, pid=pid)}}} {int(state == 'open')}"


def _head(name: str, kind: str, words: str) -> Iterable[str]:
    return (f"# HELP {name} {words}", f"# TYPE {name} {kind}")


def _labels(**labels: object) -> str:
    return ",".join(f'{name}="{_escape(str(value))}"' for name, value in labels.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
