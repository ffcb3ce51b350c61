"""The contenders of LangChain's and LangGraph's programs: the same program with our names and with theirs."""

import re
from functools import partial
from typing import Any

from millstream.cli.bench.harness import Contender

from ..contenders import peer
from ..fixtures import Reads
from .halves import with_python_half
from .parts import changed, client_alone, core_alone, messages_alone

__all__ = ("langchain_apps", "langchain_models", "whole_of_outputs")

_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def langchain_apps(program: str, kind: str) -> list[Contender]:
    """Return one program of a user, named as in ``langchain_apps.PROGRAMS``, with the names of each side.

    The last contenders are parts of our cost: ``host`` is what LangChain itself does, over texts that were made
    beforehand, or the making of its messages where none of its machinery runs.
    """
    known = peer("langchain-openai", "langchain_apps")
    if known is None:
        return []
    theirs, number = known
    run = theirs.PROGRAMS[program]
    waits = program.startswith("astream")
    model = "OpenAI" if kind == "completions" else "ChatOpenAI"

    def ours(reads: Reads) -> Any:
        return run(changed("langchain"), kind, reads)

    def langchains(reads: Reads) -> Any:
        return run(theirs.THEIRS, kind, reads)

    def made(reads: Reads) -> Any:
        return theirs.made_beforehand(program, kind, reads)

    make = partial(Contender, shown=_texts, waits=waits)
    found = [
        *with_python_half(make("ours", f"integrations.langchain {model}", ours, whole=whole_of_outputs)),
        make("langchain", f"langchain-openai {number} {model}", langchains, whole=whole_of_outputs),
    ]
    if program.endswith(("a chain", "an agent")):
        found.append(make("host", "LangChain alone, over texts made beforehand", made))
    elif kind == "chat":
        found += messages_alone()
    return found + core_alone(kind) + client_alone(waits=waits)


def langchain_models(kind: str) -> list[Contender]:
    """Return the construction of a model of ``kind`` with the names of each side."""
    known = peer("langchain-openai", "langchain_apps")
    if known is None:
        return []
    theirs, number = known
    name = "OpenAI" if kind == "completions" else "ChatOpenAI"

    def ours(reads: Reads) -> Any:
        return theirs.making(changed("langchain"), kind)

    def langchains(reads: Reads) -> Any:
        return theirs.making(theirs.THEIRS, kind)

    return [
        Contender("ours", f"integrations.langchain {name}(...)", ours, None),
        Contender("langchain", f"langchain-openai {number} {name}(...)", langchains, None),
    ]


def _texts(outputs: list[Any]) -> list[str]:
    """Return the text of each output: a text, a message, an event with a chunk, or LangGraph's pair of a message."""
    return [text for text in map(_text, outputs) if text]


def _text(output: Any) -> str:
    if isinstance(output, dict):
        output = output["data"].get("chunk", "")
    if isinstance(output, tuple):
        output = output[0]
    text: str = output if isinstance(output, str) else output.content
    return text


def whole_of_outputs(outputs: list[Any]) -> str:
    """Return everything in the outputs, with the ids of runs replaced by numbers in the order of their appearance."""
    ids: dict[str, str] = {}
    return _IDS.sub(lambda found: ids.setdefault(found[0], f"id-{len(ids)}"), repr(outputs))
