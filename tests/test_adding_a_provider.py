"""docs/how-to/adding-a-provider.md: the invented provider's file and line are all that a new format needs."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import millstream._pure as pure
from millstream._pure import formats
from millstream.errors import StreamTruncatedError
from millstream.providers import stream_decoding
from millstream.testing import MockServer, Reply
from streams import few_ways, run

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "adding-a-provider.md").read_text()
STREAM = re.findall(r"\n```\n(data: .*?)```", PAGE, re.DOTALL)[0].encode()
FILE, LINE, USE, MODEL = re.findall(r"\n```python\n(.*?)```", PAGE, re.DOTALL)
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


def test_the_model_of_the_page_streams_and_answers(acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_decoding, "StreamDecoder", pure.StreamDecoder)
    names: dict[str, Any] = {"__name__": "acme_models"}
    exec(compile(MODEL, "page", "exec", dont_inherit=True), names)
    with MockServer(Reply(body=STREAM)) as server:
        model = names["ChatAcme"](model="acme-7", base_url=server.url, api_key="k")
        chunks = list(model.stream("p"))
        request = server.requests[0]
    total = sum(chunks[1:], chunks[0])
    assert (total.content, total.response_metadata) == ("Hello", {"model_provider": "acme", "why": "finished"})
    assert total.tool_calls == [{"name": "f", "args": {"a": 1}, "id": "c1", "type": "tool_call"}]
    assert total.usage_metadata == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    assert request.path == "/v1/talk"
    assert request.headers["authorization"] == "Bearer k"
    assert request.body == {"engine": "acme-7", "turns": [["human", "p"]], "stream": True, "heat": None}
    with MockServer(Reply(body=b'{"kind": "hello", "words": "Hello"}')) as server:
        model = names["ChatAcme"](model="acme-7", base_url=server.url, api_key="k")
        assert model.invoke("p").content == "Hello"
    with MockServer(Reply(body=STREAM[:90])) as server, pytest.raises(StreamTruncatedError):
        names["ChatAcme"](model="acme-7", base_url=server.url, api_key="k", max_retries=0).invoke("p")
