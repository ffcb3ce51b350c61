"""The table of ``test_wire_faults.py``: faults of the wire, and how the stream ends for its reader."""

from dataclasses import dataclass, field
from typing import Any

from millstream.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import (
    VERSE,
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    Fault,
    Garble,
    Garbling,
    GiantHead,
    Interim,
    Redirect,
    Reply,
    Stall,
)

__all__ = ("CASES", "WHOLE", "Case", "Ending")

TRANSPORTS = ("native", "httpx2")
"""The transports of every case; ``MILLSTREAM_TRANSPORT`` selects one."""


@dataclass(frozen=True)
class Ending:
    """The text that arrives, and the exception after it, if there is one.

    ``caused`` says whether the exception has the transport's as its cause: always, unless the body
    ended as its framing wants it.
    """

    text: str
    error: type[Exception] | None = None
    caused: bool = True


WHOLE = Ending("".join(VERSE))
NO_HEAD = Ending("", APIConnectionError)
NO_HEAD_IN_TIME = Ending("", APITimeoutError)
REDIRECTED = Ending("", APIStatusError, caused=False)


def truncated(pieces: int, *, caused: bool = True) -> Ending:
    return Ending("".join(VERSE[:pieces]), StreamTruncatedError, caused)


def stalled(pieces: int, *, caused: bool = True) -> Ending:
    return Ending("".join(VERSE[:pieces]), StreamStalledError, caused)


@dataclass(frozen=True)
class Case:
    """One fault: the reply with it, the promised end of the stream, and the differences of a transport.

    ``limits`` are the model's own, where the stream is to run into one. ``reused`` says whether the
    next stream uses the same connection, as far as that is promised; if not, this one is closed.
    """

    name: str
    reply: Reply
    ending: Ending
    differs: dict[str, Ending] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    reused: bool | None = False


def case(
    name: str, fault: Fault | tuple[Fault, ...] | None, ending: Ending, *, framing: Any = None, **more: Any
) -> Case:
    reply = Reply(fault=fault, framing=framing or "chunked")
    return Case(name, reply, ending, **more)


HEAD_LIMIT: dict[str, Any] = {"limits": {"timeout": 0.2}}
CHUNK_LIMIT: dict[str, Any] = {"limits": {"stream_chunk_timeout": 0.2}}
# Long enough for a comment to arrive in time on a busy machine too.
COMMENT_LIMIT: dict[str, Any] = {"limits": {"stream_chunk_timeout": 0.7}}

BEFORE_THE_HEAD = [
    case("reset when accepted", Cut("accept", "reset"), NO_HEAD),
    case("closed when accepted", Cut("accept", "fin"), NO_HEAD),
    case("reset before the head", Cut("request", "reset"), NO_HEAD),
    case("closed before the head", Cut("request", "fin"), NO_HEAD),
    case("reset in the head", Cut("half-head", "reset"), NO_HEAD),
    case("closed in the head", Cut("half-head", "fin"), NO_HEAD),
    case("closed between interim heads", (Interim((100,) * 9), Cut("half-head", "fin")), NO_HEAD),
    # The server does not notice that its client leaves.
    case("stall when accepted", Stall("accept"), NO_HEAD_IN_TIME, reused=None, **HEAD_LIMIT),
    case("stall before the head", Stall("request"), NO_HEAD_IN_TIME, **HEAD_LIMIT),
    case("stall in the head", Stall("half-head"), NO_HEAD_IN_TIME, **HEAD_LIMIT),
    case("stall between interim heads", (Interim((103,) * 9), Stall("half-head")), NO_HEAD_IN_TIME, **HEAD_LIMIT),
    case("a head of 1 MB in one header", GiantHead(), NO_HEAD),
    case("a head of 1 MB in 10,000 headers", GiantHead(headers=10_000), NO_HEAD),
    case("a head of 1 MB, dripping", (GiantHead(1 << 20), Drip(4096)), NO_HEAD),
    case("a redirect with 302", Redirect(302), REDIRECTED, reused=None),
    case("a redirect with 303", Redirect(303), REDIRECTED, reused=None),
    case("a redirect to itself", Redirect(307), REDIRECTED, differs={"native": WHOLE}, reused=None),
    case("a redirect to another origin", Redirect(307, "http://127.0.0.1:9/v1/completions"), REDIRECTED, reused=None),
    case("a redirect to another scheme", Redirect(308, "https://127.0.0.1/v1/completions"), REDIRECTED, reused=None),
    case("a redirect to no URL", Redirect(308, "http://[oops/"), REDIRECTED, reused=None),
]

# What a reader could take in two ways is refused. httpx2 (h11) takes the first three in one of them: an
# encoding beats a length, and numbers have up to 20 digits.
GARBLED: dict[Garbling, dict[str, Ending]] = {
    "length-and-chunked": {"httpx2": WHOLE},
    "length-overflow": {"httpx2": WHOLE},
    "size-overflow": {"httpx2": WHOLE},
    "not-http": {},
    "tls": {},
    "status-line": {},
    "header-line": {},
    "bad-length": {},
    "conflicting-lengths": {},
    "chunked-not-last": {},
    "chunk-size": {},
    "negative-size": {},
    "bare-lf": {},
    "chunk-end": {},
}


def garbled() -> list[Case]:
    cases = []
    for how, differs in GARBLED.items():
        if not Garble(how).strikes:
            cases.append(case(f"garbled: {how}", Garble(how), NO_HEAD, differs=differs, reused=None))
            continue
        for after in (0, 3):
            # The missing CRLF is only found after the chunk's data, which has been returned by then.
            ending = truncated(after + (how == "chunk-end"))
            cases.append(
                case(f"garbled: {how} after {after}", Garble(how, after), ending, differs=differs, reused=None)
            )
    return cases


def cut() -> list[Case]:
    cases = []
    for how in ("reset", "fin"):
        cases.append(case(f"{how} after the head", Cut("head", how), truncated(0)))
        cases += [
            case(f"{how} after 3, inside: {inside}", Cut(3, how, inside), truncated(3))
            for inside in (False, "frame", "chunk")
        ]
        cases.append(case(f"{how} in a body of known length", Cut(3, how), truncated(3), framing="length"))
        cases.append(
            case(f"{how} in a body of known length, inside", Cut(3, how, True), truncated(3), framing="length")
        )
        cases.append(case(f"{how} in a compressed body", (Compress(), Cut(3, how)), truncated(3)))
        cases.append(case(f"{how} after [DONE]", Cut("done", how), WHOLE))
        cases.append(case(f"{how} after the body", Cut("body", how), WHOLE))
        cases.append(case(f"{how} after a body of known length", Cut("body", how), WHOLE, framing="length"))
        cases.append(case(f"{how} in a dripping body", (Drip(), Cut(3, how, "chunk")), truncated(3)))
    return cases


# The body ends as its framing wants it: HTTP cannot tell that anything is missing.
ENDED = [
    case("ended after the head", Cut("head", "end"), truncated(0, caused=False), reused=None),
    case("ended after 3", Cut(3, "end"), truncated(3, caused=False), reused=None),
    case("ended inside a frame", Cut(3, "end", inside=True), truncated(3, caused=False), reused=None),
    case("closed in a body without a length", Cut(3, "fin"), truncated(3, caused=False), framing="close"),
    case("closed in a body of HTTP/1.0", Cut(3, "fin"), truncated(3, caused=False), framing="http/1.0"),
    case("reset in a body without a length", Cut(3, "reset"), truncated(3), framing="close"),
]

STALLED = [
    case("stall after the head", Stall("head"), stalled(0), **CHUNK_LIMIT),
    case("stall after 3", Stall(3), stalled(3), **CHUNK_LIMIT),
    case("stall in a frame", Stall(3, inside=True), stalled(3), **CHUNK_LIMIT),
    case("stall in a chunk", Stall(3, inside="chunk"), stalled(3), **CHUNK_LIMIT),
    case("stall in a body of known length", Stall(3, inside=True), stalled(3), framing="length", **CHUNK_LIMIT),
    case("stall in a body without a length", Stall(3), stalled(3), framing="close", **CHUNK_LIMIT),
    case("stall with comments", Stall(3, comment_every=0.02), stalled(3, caused=False), **COMMENT_LIMIT),
    case("stall with comments at the start", Stall("head", 0.02), stalled(0, caused=False), **COMMENT_LIMIT),
    case("comments without end", Endless(3), stalled(3, caused=False), **COMMENT_LIMIT),
    case("comments without end at the start", Endless("head"), stalled(0, caused=False), **COMMENT_LIMIT),
]

LEGAL = [
    case("nothing", None, WHOLE, reused=True),
    case("a body of known length", None, WHOLE, framing="length", reused=True),
    case("a body without a length", None, WHOLE, framing="close"),
    case("a body of HTTP/1.0", None, WHOLE, framing="http/1.0"),
    case("interim heads", Interim(), WHOLE, reused=True),
    case("many interim heads", Interim((100, 102, 103) * 20), WHOLE, reused=True),
    case("a head of 30 KB", GiantHead(30_000), WHOLE, reused=True),
    case("chunk extensions and trailers", Chunking(), WHOLE, reused=True),
    case("many trailers", Chunking("", {f"x-{number}": "y" * 50 for number in range(20)}), WHOLE, reused=True),
    case("gzip, unasked", Compress(), WHOLE, reused=None),
    case("deflate, unasked", Compress("deflate"), WHOLE, reused=None),
    case("one byte a write", Drip(), WHOLE, reused=True),
    case("one byte a write, of known length", Drip(), WHOLE, framing="length", reused=True),
    case("one byte a write, without a length", Drip(), WHOLE, framing="close"),
    case("one byte a write, with everything", (Drip(), Interim(), Chunking()), WHOLE, reused=True),
    case("three bytes a write, gzip", (Drip(3), Compress()), WHOLE, reused=None),
    # The stream ends with [DONE], whatever follows in its body: the rest is not waited for.
    case("open after [DONE]", Stall("done"), WHOLE),
    case("open after [DONE], with comments", Stall("done", 0.01), WHOLE),
    case("comments without end after [DONE]", Endless("done"), WHOLE),
]

CASES = [*BEFORE_THE_HEAD, *garbled(), *cut(), *ENDED, *STALLED, *LEGAL]
