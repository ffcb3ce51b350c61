"""The pytest plugin: the fixtures ``mock_server`` and ``no_leaks``. Installing Millstream registers it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .leaks import assert_no_leaks
    from .server import MockServer

__all__ = ("mock_server", "no_leaks")


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
