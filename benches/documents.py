"""The contenders that read a JSON document that streams, as the arguments of a tool call do."""

import json
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from millstream.cli.bench.harness import Contender
from millstream.output_parsers import JsonOutputParser

from .contenders import halves, peer
from .fixtures import Reads

__all__ = ("documents",)


def documents(*, peers: bool) -> list[Contender]:
    """Return the readers of a document in deltas; they agree on the document.

    ``peers``: those whose time grows with the square of the deltas take part.
    """
    found = []
    for key, name, core in halves():
        found.append(Contender(key, f"{name}, JSONAssembler.feed", _bound(_assembled, core), _shown))
        found.append(Contender(f"{key}-diff", f"{name}, feed and diff", _bound(_changed, core), _shown))
    found.append(Contender("ours-diff", "JsonOutputParser(diff=True)", _parsing(JsonOutputParser, diff=True), None))
    found.append(Contender("ours", "JsonOutputParser, a document per delta", _parsing(JsonOutputParser), _shown))
    found.append(Contender("once", "json.loads at the end", lambda reads: lambda: json.loads(b"".join(reads)), _shown))
    if peers and (known := peer("langchain-core", "json_parser")):
        parser, version = known
        name = f"langchain-core {version} JsonOutputParser"
        found.append(Contender("langchain", name, _parsing(parser.JsonOutputParser), _shown))
    return found


def _shown(document: Any) -> list[str]:
    return [repr(document)]


def _deltas(reads: Reads) -> list[str]:
    return [data.decode() for data in reads]


def _bound(run: Callable[[ModuleType, list[str]], Any], core: ModuleType) -> Callable[[Reads], Callable[[], Any]]:
    def bind(reads: Reads) -> Callable[[], Any]:
        deltas = _deltas(reads)
        return lambda: run(core, deltas)

    return bind


def _assembled(core: ModuleType, deltas: list[str]) -> Any:
    assembler = core.JSONAssembler()
    feed = assembler.feed
    for delta in deltas:
        feed(delta)
    return assembler.value


def _changed(core: ModuleType, deltas: list[str]) -> Any:
    assembler = core.JSONAssembler()
    feed, diff = assembler.feed, assembler.diff
    for delta in deltas:
        feed(delta)
        diff()
    return assembler.value


def _parsing(parser: Callable[..., Any], **options: Any) -> Callable[[Reads], Callable[[], Any]]:
    """Return the ``bind`` of a function that reads everything a parser yields, and returns the last value."""

    def bind(reads: Reads) -> Callable[[], Any]:
        deltas = _deltas(reads)

        def run() -> Any:
            last = deque(parser(**options).transform(iter(deltas)), maxlen=1)
            return None if options else last.pop()

        return run

    return bind
