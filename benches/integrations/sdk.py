"""The contenders of the OpenAI SDK's programs: its client as it is, and accelerated."""

from functools import partial
from typing import Any

from millstream.cli.bench.harness import Contender

from ..contenders import peer
from ..fixtures import Reads
from .halves import with_python_half
from .parts import changed, client_alone, core_alone

__all__ = ("sdk_apps",)


def sdk_apps(kind: str, *, waits: bool) -> list[Contender]:
    """Return the stream of an SDK's client, of ``kind`` chat or completions, sync or async."""
    known = peer("openai", "openai_apps")
    if known is None:
        return []
    theirs, number = known
    run = theirs.astream if waits else theirs.stream

    def ours(reads: Reads) -> Any:
        return run(kind, changed("openai").accelerate, reads)

    def plain(reads: Reads) -> Any:
        return run(kind, lambda sdk: None, reads)

    client = "AsyncOpenAI" if waits else "OpenAI"
    make = partial(Contender, shown=partial(_texts, kind), waits=waits, whole=_whole)
    return [
        *with_python_half(make("ours", f"openai {number} {client}, accelerated", ours)),
        make("openai", f"openai {number} {client}", plain),
        *_objects_alone(kind),
        *core_alone(kind, method="feed"),
        *client_alone(waits=waits),
    ]


def _objects_alone(kind: str) -> list[Contender]:
    """Return the making of the SDK's objects, by the shortest way there is."""
    if (known := peer("openai", "openai_objects")) is None:
        return []
    return [Contender("host", "the SDK's objects alone", partial(known[0].chunks, kind), partial(_texts, kind))]


def _texts(kind: str, chunks: list[Any]) -> list[str]:
    choices = [chunk.choices[0] for chunk in chunks]
    texts = [choice.text if kind == "completions" else choice.delta.content for choice in choices]
    return [text for text in texts if text]


def _whole(chunks: list[Any]) -> str:
    """Return the class, the fields that are set and the values of each chunk, and what it holds."""
    return repr([(type(chunk), sorted(chunk.model_fields_set), chunk.model_dump(), chunk) for chunk in chunks])
