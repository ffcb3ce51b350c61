"""docs/adding-a-provider.md: the invented provider's file and line are all that a new format needs."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import millstream._pure as pure
from millstream._pure import formats
from streams import few_ways, run

PAGE = (Path(__file__).parent.parent / "docs" / "adding-a-provider.md").read_text()
STREAM = re.findall(r"\n```\n(data: .*?)```", PAGE, re.DOTALL)[0].encode()
FILE, LINE, USE = re.findall(r"\n```python\n(.*?)```", PAGE, re.DOTALL)
NAME = "millstream._pure.delta.acme"


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the invented format to the pure half, as the page says; return its name."""
    module = ModuleType(NAME)
    module.__package__ = "millstream._pure.delta"
    monkeypatch.setitem(sys.modules, NAME, module)
    exec(compile(FILE, "acme.py", "exec"), vars(module))
    row: Any = eval(LINE, {**vars(formats), **vars(module)})
    monkeypatch.setitem(formats.FORMATS, row.name, row)
    name: str = row.name
    return name


def test_the_stream_of_the_page_is_read_at_every_split(acme: str) -> None:
    for name in (acme, "auto"):
        for pieces in few_ways(STREAM, 7):
            decoder = pure.StreamDecoder(name)
            outcome = run(decoder, pieces)
            assert [item[3] for item in outcome.items] == [None, "Hel", "lo", None, None, None]
            assert outcome.items[3][6] == [("ToolCallDelta", 0, "c1", "f", '{"a":1}')]
            assert (decoder.finish_reason, decoder.ended, decoder.format) == ("finished", "event", acme)


def test_the_use_on_the_page_is_true(acme: str) -> None:
    exec(compile(USE, "page", "exec"), {"StreamDecoder": pure.StreamDecoder, "stream": STREAM})


def test_errors_and_cut_streams_need_no_code_of_the_format(acme: str) -> None:
    decoder = pure.StreamDecoder(acme)
    decoder.feed(STREAM[: STREAM.index(b'data: {"kind":"call"')] + b'data: {"message":"too many","code":429}\n\n')
    assert (decoder.ended, decoder.error) == ("error", {"message": "too many", "code": 429})
    decoder = pure.StreamDecoder(acme)
    decoder.feed(STREAM[: STREAM.index(b'data: {"kind":"bye"')])
    decoder.close()
    assert decoder.ended == "truncated"
