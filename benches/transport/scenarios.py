"""The scenarios over a socket, their clients and their targets."""

from dataclasses import dataclass, field

__all__ = ("SCENARIOS", "Goal", "Scenario")

# Slow clients get a smaller share of a burst: the figures are per token.
_SHARES = {"langchain": 0.05, "openai": 0.05, "httpx2": 0.2}


@dataclass(frozen=True)
class Goal:
    """A target of ours relative to ``peer``: at least this many times cheaper, or at most this multiple."""

    peer: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Scenario:
    """Streams over loopback, on one kind of loop; a rate of 0 is unlimited.

    ``kind`` is async, sync or chat (which is async too). ``turns`` are the streams that follow each
    other on a connection; figures are per ``unit``. ``max_kilobytes`` is what a stream of ours may
    hold, its connection included.
    """

    key: str
    title: str
    loop: str
    clients: tuple[str, ...]
    streams: int
    tokens: int
    rate: float = 0
    turns: int = 1
    unit: str = "token"
    kind: str = "async"
    max_kilobytes: float | None = None
    goals: tuple[Goal, ...] = field(default=())

    def tokens_of(self, client: str) -> int:
        """Return how many tokens a stream of this client has."""
        share = _SHARES.get(client, 1.0) if self.rate == 0 and self.unit == "token" else 1.0
        return max(1, int(self.tokens * share))


def _crowds() -> list[Scenario]:
    """Return the scenarios of many streams at once."""
    peers = ("ours", "floor", "aiohttp", "httpx2", "openai", "langchain")
    found = [
        Scenario(
            f"burst-{loop}",
            "burst, 100 streams",
            loop,
            peers,
            streams=100,
            tokens=1000,
            goals=(Goal("aiohttp", at_least=3.5), Goal("langchain", at_least=130)),
        )
        for loop in ("asyncio", "uvloop")
    ]
    slower = (Goal("aiohttp", at_least=1.7), Goal("langchain", at_least=7), Goal("floor", at_most=1.5))
    quicker = (Goal("aiohttp", at_most=1.0), Goal("floor", at_most=1.5))
    found += [
        Scenario(f"paced-{loop}", "100 streams of 20 tokens/s", loop, peers, 100, 60, rate=20, goals=goals)
        for loop, goals in (("asyncio", slower), ("uvloop", quicker))
    ]
    many = ("ours", "floor", "aiohttp")
    found += [
        Scenario(f"many-{loop}", "1,000 streams of 20 tokens/s", loop, many, 1000, 60, rate=20, goals=goals)
        for loop, goals in (("asyncio", (Goal("aiohttp", at_least=1.8),)), ("uvloop", ()))
    ]
    # Ten times the length, and the same memory but for the text.
    found += [
        Scenario(f"held-{tokens}", title, "asyncio", many, 200, tokens, rate=rate, max_kilobytes=10)
        for tokens, rate, title in (
            (40, 20, "200 streams of 20 tokens/s, for 2 s"),
            (400, 100, "200 streams of 100 tokens/s, for 4 s"),
        )
    ]
    return found


def _others() -> list[Scenario]:
    """Return the scenarios of sequential streams, and of chat."""
    both = ("ours", "langchain")
    return [
        Scenario(
            "fixed",
            "one stream of one token after the other, on one connection",
            "asyncio",
            ("ours", "aiohttp", "openai", "langchain"),
            streams=1,
            tokens=1,
            turns=200,
            unit="stream",
            goals=(Goal("langchain", at_least=10),),
        ),
        Scenario("chat-burst", "chat, burst, 100 streams", "asyncio", both, 100, 1000, kind="chat"),
        Scenario("chat-paced", "chat, 100 streams of 20 tokens/s", "asyncio", both, 100, 60, rate=20, kind="chat"),
        Scenario(
            "sync",
            "burst, one thread",
            "sync",
            both,
            streams=1,
            tokens=1000,
            turns=10,
            kind="sync",
            goals=(Goal("langchain", at_least=100),),
        ),
    ]


SCENARIOS = _crowds() + _others()
