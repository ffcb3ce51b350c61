"""The pytest plugin under which LangChain's tests run: names are ours, what a rule excludes is deselected."""

from __future__ import annotations

from typing import Any

import pytest

from . import names, rules
from .outcomes import deselect

names.install()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Deselect the tests that a rule excludes."""
    names.collected()
    deselect(config, items, rules.excluded_by)
