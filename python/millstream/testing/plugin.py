"""The pytest plugin: the fixture ``mock_server``. Installing Millstream registers it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import MockServer

__all__ = ("mock_server",)


@pytest.fixture
def mock_server() -> "Iterator[MockServer]":
    """Give a :class:`millstream.testing.MockServer` that runs for one test.

    Change its ``reply`` or extend its ``script`` to have other answers than the default.
    """
    # Imported here, so that a test run without this fixture does not pay for it.
    from .server import MockServer

    with MockServer() as server:
        yield server
