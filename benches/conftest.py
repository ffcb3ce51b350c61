"""Both halves of the core, for the benchmarks that pytest runs."""

from importlib import import_module
from types import ModuleType

import pytest


@pytest.fixture(params=["rust", "python"])
def impl(request: pytest.FixtureRequest) -> ModuleType:
    """Return each implementation of the core in turn."""
    return import_module({"rust": "millstream._core", "python": "millstream._pure"}[request.param])
