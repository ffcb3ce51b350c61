"""Parameters shared by many test modules: sync or async, transport, version of events."""

import pytest

__all__ = ("both_ways", "over_both", "versions")

both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
over_both = pytest.mark.parametrize("transport", ["native", "httpx2"])
versions = pytest.mark.parametrize("version", ["v1", "v2"])
