"""A gateway that runs over mock servers, for its tests."""

import json
import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2

from millstream.server.gateway import Account, Gateway, GatewayConfig, KeyConfig, UpstreamConfig, gateway
from millstream.server.gateway.keys import hash_key
from millstream.testing import MockServer, Reply
from serving import serve

__all__ = ("BODY", "KEY", "PIECES", "Running", "keyed", "running", "text_of")

KEY = "ms-test"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
PIECES = ["Hel", "lo", " there"]


class Running:
    """A gateway that runs, what it sent to its upstreams, and the accounts of its requests."""

    def __init__(self, url: str, state: Gateway, accounts: "queue.SimpleQueue[Account]") -> None:
        self.url = url
        self.state = state
        self._accounts = accounts

    def account(self) -> Account:
        """Return the account of the next request that has ended: after the client has read the last byte."""
        return self._accounts.get(timeout=20)

    def post(self, body: Any = BODY, path: str = "/v1/chat/completions", **headers: str) -> httpx2.Response:
        return httpx2.post(self.url + path, json=body, headers=headers)


@contextmanager
def running(
    *replies: Reply,
    keys: tuple[KeyConfig, ...] = (),
    retries: int = 0,
    timeout: float = 20.0,
    upstream: Mapping[str, Any] = {},
    **settings: Any,
) -> Iterator[tuple[Running, Any]]:
    """Run a gateway over one upstream for each reply."""
    options: dict[str, Any] = {"retries": retries, "timeout": timeout, **upstream}
    accounts: queue.SimpleQueue[Account] = queue.SimpleQueue()
    with ExitStack() as stack:
        servers = [stack.enter_context(MockServer(reply)) for reply in replies]
        upstreams = tuple(UpstreamConfig(one.url, name=f"u{i}", **options) for i, one in enumerate(servers))
        state = Gateway(GatewayConfig(upstreams, keys=keys, **settings), (accounts.put,))
        url = stack.enter_context(serve(gateway(state)))
        yield Running(url, state, accounts), servers


def text_of(response: httpx2.Response) -> str:
    frames = [json.loads(data) for data in re.findall(r"data: (\{.*\})", response.text)]
    return "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame.get("choices", ()))


def keyed(**limits: Any) -> tuple[KeyConfig, ...]:
    return (KeyConfig("team", hash_key(KEY), **limits),)
