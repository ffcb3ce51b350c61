"""The ways over which whole modules run their tests."""

import pytest

__all__ = ("both_ways", "over_both", "versions")

both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
over_both = pytest.mark.parametrize("transport", ["native", "httpx2"])
versions = pytest.mark.parametrize("version", ["v1", "v2"])
