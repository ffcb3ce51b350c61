"""The pytest plugin under which httpx-sse's tests run: they import ours, and the library of ``HTTPX_SSE_SUITE``."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn


def _missing(*arguments: Any) -> NoReturn:
    raise NotImplementedError("a private function of httpx-sse")


# The tests import httpx, whose interface httpx2 has.
sys.modules["httpx"] = import_module(os.environ["HTTPX_SSE_SUITE"])
sys.modules["httpx_sse"] = import_module("millstream.integrations.httpx_sse")
# A module of tests imports two private functions beside the public ones.
_private: Any = ModuleType("httpx_sse._api")
_private._iter_sse_lines = _private._aiter_sse_lines = _missing
sys.modules["httpx_sse._api"] = _private
