"""What failed is collected like anything else: an exception keeps nothing alive, and does not grow."""

import gc
import sys
import traceback
import tracemalloc
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from inputs import BROKEN, INPUTS, pass_over
from millstream import OpenAI
from millstream.errors import StreamError
from millstream.testing import MockServer, Reply

KINDS = pytest.mark.parametrize("kind", BROKEN)


class Probe:
    """Dies with the frame that holds it."""


def failed(impl: ModuleType, kind: str) -> tuple[Any, Any]:
    """Return an object that an error in its input has stopped, and the input."""
    name, piece, options = BROKEN[kind]
    arguments = next(input.arguments for input in INPUTS if input.name == name)
    fed = getattr(impl, name)(*arguments, **options)
    fed.feed(piece)
    return fed, piece


def use_by_hand(impl: ModuleType, kind: str) -> "weakref.ref[Probe]":
    """Use an object as a function of a user does; return what dies with the function's frame."""
    probe = Probe()
    fed, piece = failed(impl, kind)
    failure = fed.failure
    for act in (lambda: fed.feed(piece), fed.close, fed.close):
        pass_over(act, StreamError)
    assert failure is fed.failure
    return weakref.ref(probe)


@KINDS
def test_a_failed_object_is_collected_with_the_frames_that_saw_it(impl: ModuleType, kind: str) -> None:
    probes = [use_by_hand(impl, kind) for _ in range(100)]
    gc.collect()
    assert sum(probe() is not None for probe in probes) == 0


@KINDS
def test_a_hundred_failures_leave_memory_flat(impl: ModuleType, kind: str) -> None:
    def growth() -> tuple[int, int]:
        gc.collect()
        blocks, (traced, _) = sys.getallocatedblocks(), tracemalloc.get_traced_memory()
        for _ in range(100):
            use_by_hand(impl, kind)
        gc.collect()
        return sys.getallocatedblocks() - blocks, tracemalloc.get_traced_memory()[0] - traced

    tracemalloc.start()
    try:
        # The interpreter's own caches fill up in the first rounds; a leak would show in each.
        found = [growth() for _ in range(4)]
    finally:
        tracemalloc.stop()
    assert min(blocks for blocks, _ in found) <= 20
    assert min(traced for _, traced in found) <= 4096


@KINDS
def test_a_failure_that_is_raised_again_does_not_grow(impl: ModuleType, kind: str) -> None:
    fed, piece = failed(impl, kind)

    def frames(act: Callable[[], Any]) -> int:
        assert pass_over(act, StreamError) is fed.failure
        return len(traceback.extract_tb(fed.failure.__traceback__))

    for act in (lambda: fed.feed(piece), fed.close):
        assert frames(act) == [frames(act) for _ in range(10)][-1]


@pytest.mark.parametrize("field", ["usage", "error", "logprobs", "audio"])
def test_a_delta_in_a_cycle_is_collected(impl: ModuleType, field: str) -> None:
    class Holder(dict[str, Any]):
        """A mapping that can be watched."""

    holder = Holder()
    holder["me"] = impl.Delta(**{field: holder})
    probe = weakref.ref(holder)
    del holder
    gc.collect()
    assert probe() is None


def test_the_collector_sees_what_a_delta_keeps(impl: ModuleType) -> None:
    usage = {"a": 1}
    kept = gc.get_referents(impl.Delta(usage=usage, tool_calls=(impl.ToolCallDelta(),)))
    assert usage in kept or any(usage in held for held in kept if isinstance(held, tuple))


TEXT = b'data: {"choices":[{"index":0,"text":"a"}]}\n\n'
BODIES = {
    "a payload that is not JSON": TEXT + b"data: {bad\n\n",
    "an event too large": TEXT + b"data: " + b"x" * (17 << 20),
    "a body that is HTML": b"<html>" + b" " * 600,
    "an error of the provider": TEXT + b'data: {"error": {"message": "no"}}\n\n',
    "a stream cut short": TEXT,
}


@pytest.mark.parametrize("kind", BODIES)
def test_the_decoders_of_failed_streams_are_collected(half: ModuleType, kind: str, mock_server: MockServer) -> None:
    mock_server.reply = Reply(body=BODIES[kind])
    model = OpenAI(base_url=mock_server.url, api_key="k", model="m", max_retries=0)
    for _ in range(5):
        with pytest.raises(StreamError):
            list(model.stream("x"))
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is half.StreamDecoder]
