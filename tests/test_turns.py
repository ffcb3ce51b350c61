"""One call at a time: properties answer inside of it, calls from within it raise, other threads wait."""

import faulthandler
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from types import FrameType, ModuleType
from typing import Any

import pytest

from inputs import BROKEN, INPUTS, PROPERTIES, Input, outcome, pass_over
from millstream import _pure
from millstream._pure import turns
from streams import Halves

RUNNING = "RuntimeError: feed() is running"
LOST = "an exception interrupted"


@pytest.fixture(autouse=True)
def end_if_it_hangs() -> Iterator[None]:
    """End the process if a test waits for a lock: then no timeout of Python's own is noticed."""
    assert sys.__stderr__ is not None
    faulthandler.dump_traceback_later(100, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


@contextmanager
def collecting(act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` in each collection, of which there is one with nearly every object."""

    def collected(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            act()

    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)


@contextmanager
def profiling(act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` with each call and return of a function."""
    sys.setprofile(lambda frame, event, argument: act())
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def signalled(act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` in a signal handler, some thousand times a second."""
    before = signal.signal(signal.SIGVTALRM, lambda number, frame: act())
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0003, 0.0003)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


WAYS = pytest.mark.parametrize("way", [collecting, profiling, signalled])
EACH = pytest.mark.parametrize("input", INPUTS, ids=lambda input: f"{input.name}.{input.feed}")


class NestedIterator:
    """Asks an object everything, and feeds it, from inside its own calls."""

    def __init__(self, input: Input, fed: Any) -> None:
        self.input = input
        self.fed = fed
        self.acts = 0
        self.acting = False
        self.said: set[str] = set()

    def act(self) -> None:
        """Read every property, and call ``feed``, some hundred times."""
        # The next signal may come before this one is handled.
        if self.acting or self.acts > 300:
            return
        self.acting = True
        self.acts += 1
        try:
            self._ask()
        finally:
            self.acting = False

    def _ask(self) -> None:
        for name in PROPERTIES[self.input.name]:
            getattr(self.fed, name)
        repr(self.fed)
        self.said.add(outcome(self._feed))

    def _feed(self) -> None:
        getattr(self.fed, self.input.feed)(self.input.piece)


@WAYS
@EACH
def test_properties_answer_and_calls_raise_inside_of_a_call(impl: ModuleType, way: Any, input: Input) -> None:
    fed = input.make(impl)
    inside = NestedIterator(input, fed)
    items = 0
    with way(inside.act):
        for _ in range(40):
            items += input.count(getattr(fed, input.feed)(input.piece))
    assert inside.said <= {"", RUNNING}
    assert fed.failure is None
    # Whatever came from inside was read, or refused: nothing is lost and nothing comes twice.
    assert items == 40 * input.items
    assert input.count(getattr(fed, input.feed)(input.piece)) == input.items
    getattr(fed, input.close)()


@EACH
def test_a_call_from_inside_a_call_is_refused_in_the_python_half(input: Input) -> None:
    fed = input.make(_pure)
    said: list[str] = []

    def profile(frame: FrameType, event: str, argument: object) -> None:
        # The guard is a frame of its own, before and after what it guards.
        if event == "call" and frame.f_code.co_filename != turns.__file__ and "_pure" in frame.f_code.co_filename:
            said.append(outcome(lambda: getattr(fed, input.feed)(input.piece)))
            said.append(outcome(getattr(fed, input.close)))

    sys.setprofile(profile)
    try:
        getattr(fed, input.feed)(input.piece)
    finally:
        sys.setprofile(None)
    assert set(said) == {RUNNING}
    getattr(fed, input.feed)(input.piece)


@EACH
def test_other_threads_wait(impl: ModuleType, input: Input) -> None:
    fed = input.make(impl)
    feed = getattr(fed, input.feed)

    def work(_: int) -> int:
        return sum(input.count(feed(input.piece)) for _ in range(100))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) == 800 * input.items
    finally:
        sys.setswitchinterval(interval)
    assert fed.failure is None
    if input.name == "JSONAssembler":
        assert fed.value == [1] * 16_000


@WAYS
@pytest.mark.parametrize("kind", BROKEN)
def test_a_failure_is_one_object_for_every_access(impl: ModuleType, way: Any, kind: str) -> None:
    name, piece, options = BROKEN[kind]
    input = next(input for input in INPUTS if input.name == name)
    for _ in range(10):
        fed = getattr(impl, name)(*input.arguments, **options)
        found: list[Any] = []

        def act(fed: Any = fed, found: list[Any] = found) -> None:
            found.append(pass_over(lambda: fed.failure, RuntimeError))

        with way(act):
            fed.feed(piece)
            failure = fed.failure
            raised = pass_over(fed.close, ValueError)
        assert failure is not None
        assert raised is failure
        assert all(one is failure for one in found if one is not None)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("kind", BROKEN)
def test_an_exception_while_a_failure_is_made_does_not_lose_it(
    impl: ModuleType, kind: str, error: type[BaseException]
) -> None:
    name, piece, options = BROKEN[kind]
    input = next(input for input in INPUTS if input.name == name)
    fed = getattr(impl, name)(*input.arguments, **options)

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "__init__" and "errors" in frame.f_code.co_filename:
            raise error

    raised: list[BaseException] = []
    for act in (lambda: fed.feed(piece), lambda: fed.failure, fed.close, fed.close):
        sys.setprofile(profile)
        try:
            act()
        except BaseException as caught:
            raised.append(caught)
        finally:
            sys.setprofile(None)
    assert raised
    assert type(raised[0]) is error
    failure = fed.failure
    assert isinstance(failure, ValueError)
    assert pass_over(fed.close, ValueError) is failure
    assert not getattr(fed, "complete", False)


def test_a_feed_that_was_interrupted_is_not_passed_over_in_silence() -> None:
    for input in INPUTS:
        calls = _calls_of(_pure, input)
        for at in range(1, calls):
            fed = input.make(_pure)
            interrupted = False
            with interrupting(at):
                try:
                    getattr(fed, input.feed)(input.piece)
                except KeyboardInterrupt:
                    interrupted = True
            if interrupted and fed._interrupted:
                for method in (
                    lambda fed=fed, input=input: getattr(fed, input.feed)(input.piece),
                    getattr(fed, input.close),
                ):
                    with pytest.raises(RuntimeError, match=LOST):
                        method()
            else:
                getattr(fed, input.feed)(input.piece)
        assert calls > 1


@contextmanager
def interrupting(at: int) -> Iterator[list[int]]:
    """Raise :class:`KeyboardInterrupt` in the call of a function that has this number."""
    calls = [0]

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and "_pure" in frame.f_code.co_filename:
            calls[0] += 1
            if calls[0] == at:
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def _calls_of(half: ModuleType, input: Input) -> int:
    """Return how many functions a feed calls, at most 40 of them."""
    fed = input.make(half)
    with interrupting(0) as calls:
        getattr(fed, input.feed)(input.piece)
    return len(list(islice(range(calls[0]), 40)))


@pytest.mark.parametrize(
    ("reader", "name", "data"),
    [("SSEParser", "data", b""), ("TextAssembler", "piece", ""), ("JSONAssembler", "text", "")],
)
def test_the_argument_of_feed_has_its_name(halves: Halves, reader: str, name: str, data: Any) -> None:
    for half in halves:
        object_ = getattr(half, reader)()
        object_.feed(**{name: data})
        with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
            object_.feed(other=data)
        object_.feed(data)
