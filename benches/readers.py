"""The contenders that read bytes: as events, as the documents in them, as the text in those."""

from functools import partial
from types import ModuleType
from typing import Any

from millstream.cli.bench.harness import Contender, over

from .contenders import halves, peer
from .fixtures import Reads
from .loops import fed, naive_split, spec_split

__all__ = ("calls", "large_readers", "payload_readers", "sse_readers", "text_readers", "tool_readers")

_SDKS = (
    ("openai", "openai {} SSEDecoder", "openai", "openai_sdk"),
    ("httpx-sse", "httpx-sse {}", "httpx-sse", "httpx_sse_reader"),
    ("httpx2", "httpx2 {} EventSource", "httpx2", "httpx2_reader"),
)


def sse_readers() -> list[Contender]:
    """Return the readers of event streams; they agree on the data of each event."""
    found = [
        Contender(key, f"{name}, SSEParser", over(partial(_events, core)), _data_of_each)
        for key, name, core in halves()
    ]
    found.append(Contender("naive", "split, naive", over(naive_split), list))
    found.append(Contender("spec", "split, as specified", over(spec_split), _data_of_each))
    for key, name, package, module in _SDKS:
        if known := peer(package, module):
            found.append(Contender(key, name.format(known[1]), over(known[0].events), _data_of_each))
    return found


def large_readers() -> list[Contender]:
    """Return the readers that can be configured for events of any size."""
    found = [
        Contender(key, f"{name}, SSEParser", over(partial(_events, core, max_event_size=1 << 30)), _data_of_each)
        for key, name, core in halves()
    ]
    return [*found, Contender("spec", "split, as specified", over(spec_split), _data_of_each)]


def calls() -> list[Contender]:
    """Return the cost of a call: methods that do nothing, and our own with nothing to do."""
    found = [
        Contender(
            "method", "a method that does nothing, in Python", lambda reads: partial(fed, _Idle().feed, reads), None
        ),
        Contender("builtin", "a method that does nothing, in C", lambda reads: partial(fed, ().count, reads), None),
    ]
    for key, name, core in halves():
        run = over(partial(_empty_feeds, core))
        found.append(Contender(f"{key}-empty", f'{name}, feed(b"")', run, None))
    return found


def payload_readers() -> list[Contender]:
    """Return the readers of each event's document, all of them by orjson."""
    found: list[Contender] = []
    if known := peer("orjson", "orjson_loop"):
        module, version = known
        for key, name, core in halves():
            run = over(partial(module.documents, core.SSEParser))
            found.append(Contender(key, f"{name}, SSEParser + orjson", run, _json_of_each))
        found.append(Contender("orjson", f"split + orjson {version}", over(module.payloads), _json_of_each))
    return found


def text_readers(kind: str) -> list[Contender]:
    """Return the readers of the text of a stream of completions or chat; they agree on each piece that is not empty."""
    found: list[Contender] = []
    for key, name, core in halves():
        found.append(Contender(key, f"{name}, feed_text", over(partial(_texts, core, f"openai.{kind}")), not_empty))
        run = over(partial(_deltas, core, f"openai.{kind}"))
        found.append(Contender(f"{key}-deltas", f"{name}, feed (Delta)", run, _text_of_each))
    for package, note in (("msgspec", ", typed structs"), ("orjson", "")):
        if known := peer(package, f"{package}_loop"):
            module, version = known
            name = f"split + {package} {version}{note}"
            found.append(Contender(package, name, over(getattr(module, f"{kind}_text")), not_empty))
    return found


def tool_readers() -> list[Contender]:
    """Return the readers of the tool calls of a chat stream; they agree on the pieces of the arguments."""
    return [
        Contender(key, f"{name}, feed (Delta)", over(partial(_deltas, core, "openai.chat")), _arguments_of_each)
        for key, name, core in halves()
    ]


def not_empty(texts: list[str]) -> list[str]:
    """Return the pieces that have text; contenders may differ in an empty piece at the finish."""
    return [text for text in texts if text]


class _Idle:
    """The cost of a call: a method that does nothing."""

    def feed(self, data: bytes) -> None:
        """Do nothing."""


def _empty_feeds(core: ModuleType, reads: Reads) -> list[Any]:
    return fed(core.SSEParser().feed, [b""] * len(reads))


def _events(core: ModuleType, reads: Reads, **options: Any) -> list[Any]:
    parser = core.SSEParser(**options)
    events = fed(parser.feed, reads)
    events += parser.close()
    return events


def _texts(core: ModuleType, format: str, reads: Reads) -> list[str]:
    decoder = core.StreamDecoder(format)
    texts = fed(decoder.feed_text, reads)
    texts += decoder.close_text()
    return texts


def _deltas(core: ModuleType, format: str, reads: Reads) -> list[Any]:
    decoder = core.StreamDecoder(format)
    deltas = fed(decoder.feed, reads)
    deltas += decoder.close()
    return deltas


def _data_of_each(events: list[Any]) -> list[str]:
    return [event.data for event in events]


def _json_of_each(documents: list[Any]) -> list[str]:
    return [repr(document) for document in documents]


def _text_of_each(deltas: list[Any]) -> list[str]:
    return [delta.text for delta in deltas if delta.text]


def _arguments_of_each(deltas: list[Any]) -> list[str]:
    return [call.args for delta in deltas for call in delta.tool_calls if call.args]
