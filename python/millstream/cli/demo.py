"""``millstream demo``: three samples over the mock server."""

import argparse
import asyncio
from typing import Any

from .versions import installed_version

__all__ = ("run",)


def run(options: argparse.Namespace) -> int:
    """Stream the samples, and return the exit status."""
    from .. import BACKEND, OpenAI
    from ..testing import MockServer, Reply

    with MockServer(Reply(pace=options.pace)) as server:
        print(f"millstream {installed_version('millstream')}, backend: {BACKEND}, server: {server.url}")
        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512, base_url=server.url, api_key="mock")
        _heading("sync: llm.stream")
        for chunk in llm.stream(_SPARKLING):
            print(chunk, end="|", flush=True)
        print()
        asyncio.run(_demo_async(llm))
    return 0


async def _demo_async(llm: Any) -> None:
    _heading("async: llm.astream")
    async for chunk in llm.astream(_SPARKLING):
        print(chunk, end="|", flush=True)
    print()
    _heading("events: llm.astream_events")
    idx = 0
    async for event in llm.astream_events(_GOLDFISH, version="v1"):
        idx += 1
        if idx >= 5:
            print("...Truncated")
            break
        print(event, flush=True)


_SPARKLING = "Write me a 1 verse song about sparkling water."
_GOLDFISH = "Write me a 1 verse song about goldfish on the moon"


def _heading(text: str) -> None:
    print(f"\n--- {text}")
