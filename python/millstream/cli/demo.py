"""``millstream demo``: three samples over the mock server."""

import argparse
import asyncio
from typing import Any

from .parser import pace
from .versions import installed_version

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Stream samples from a local mock server: a completion in sync and in async code, stream events, and a chat."
        " It needs no key and no network."
    )
    parser.add_argument(
        "--pace", type=pace, default=0.04, metavar="SECONDS", help="pause between two pieces (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Stream the samples, and return the exit status."""
    from .. import BACKEND, ChatOpenAI, OpenAI
    from ..testing import MockServer, Reply

    with MockServer(Reply(pace=options.pace)) as server:
        print(f"millstream {installed_version('millstream')}, backend: {BACKEND}, server: {server.url}")
        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512, base_url=server.url, api_key="mock")
        chat = ChatOpenAI(model="gpt-4o-mini", temperature=0, base_url=server.url, api_key="mock")
        _heading("sync: llm.stream")
        for chunk in llm.stream(_SPARKLING):
            print(chunk, end="|", flush=True)
        print()
        asyncio.run(_demo_async(llm))
        _heading("chat: chat.stream")
        for message in chat.stream([("system", "Answer in one verse."), ("user", _SPARKLING)]):
            print(message.text, end="|", flush=True)
        print()
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
