"""Runs the Python blocks of a page of ``docs/``, as a reader does who types them in one after another."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from millstream.testing import MockServer
from serving import serve

__all__ = ("Block", "find_blocks", "name_of", "point_at", "run_block")

ROOT = Path(__file__).parent.parent
# A block of code, or one that readers do not see (a comment), and the text that it prints.
BLOCK = re.compile(
    r"^(?:```python|<!-- setup)\n(?P<code>.*?)^(?:```|-->)$(?:\n+```text\n(?P<printed>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
# The place where a page's app is served, as `uvicorn app:app` does it.
ADDRESS = "http://127.0.0.1:8000"


class Block(NamedTuple):
    """A block of a page: its code, its first line's number, and what it prints if the page says so."""

    code: str
    line: int
    printed: str | None


def name_of(page: Path) -> str:
    """Return the path of ``page`` in the repository."""
    return str(page.relative_to(ROOT))


def find_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page, without those that doctest runs."""
    for found in BLOCK.finditer(text):
        if not found["code"].startswith(">>> "):
            yield Block(found["code"], text.count("\n", 0, found.start("code")), found["printed"])


def point_at(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user whose environment names ``server`` and a key for each provider."""
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, server.url)
    anthropic = ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL")
    for name in (*anthropic, "AZURE_OPENAI_ENDPOINT", "GOOGLE_GEMINI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.setenv(name, server.origin)
    for provider in ("OPENAI", "ANTHROPIC", "AZURE_OPENAI", "GOOGLE"):
        monkeypatch.setenv(f"{provider}_API_KEY", "mock")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")


def run_block(block: Block, page: str, namespace: dict[str, Any]) -> None:
    """Run ``block``; a request to the page's app is answered by the ``app`` of ``namespace``.

    A block may await at its top level, as in a notebook. Tracebacks have the lines of the page.
    """
    serving = serve(namespace["app"]) if ADDRESS in block.code and "app" in namespace else nullcontext(ADDRESS)
    with serving as address:
        source = "\n" * block.line + block.code.replace(ADDRESS, address)
        code = compile(source, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, namespace))
        else:
            exec(code, namespace)
