"""The pytest plugin: ``mock_server``, ``mock_replay`` and ``no_leaks``. Installing Millstream registers it."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .leaks import assert_no_leaks
    from .server import MockServer

__all__ = ("mock_replay", "mock_server", "no_leaks")


@pytest.fixture
def mock_server() -> "Iterator[MockServer]":
    """Run a :class:`millstream.testing.MockServer` for one test.

    Change its ``reply`` or extend its ``script`` for other responses than the default.
    """
    # Imported here, so that a test run without this fixture does not pay for it.
    from .server import MockServer

    with MockServer() as server:
        yield server


@pytest.fixture
def mock_replay(request: pytest.FixtureRequest) -> "Iterator[Callable[..., MockServer]]":
    """Return a function that starts a :class:`millstream.testing.MockServer` over a recording, for one test.

    Its arguments are those of :class:`millstream.testing.Replay`. A path is relative to the test's file,
    and ``speed`` is ``math.inf`` by default.
    """
    from .chopping import Chop
    from .replaying import Replay
    from .server import MockServer

    with ExitStack() as stack:

        def start(path: str, *, speed: float = math.inf, chop: Chop | None = None) -> MockServer:
            replay = Replay(request.path.parent / path, speed=speed, chop=chop)
            return stack.enter_context(MockServer(replay))

        yield start


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> "Iterator[assert_no_leaks]":
    """Fail a test that leaks: see :class:`millstream.testing.assert_no_leaks`.

    The test may set ``idle_connections`` of the fixture's value. A test that fails is not checked.
    """
    from .leaks import assert_no_leaks

    failed = request.session.testsfailed
    with assert_no_leaks() as block:
        yield block
        if request.session.testsfailed != failed:
            block.stop()
