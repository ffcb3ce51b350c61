"""What a ``WireWriter`` writes, call by call, and what it refuses."""

import pytest

from millstream._pure import Delta, StreamDecoder, WireWriter
from millstream.errors import UnsupportedError

WIRES = ("ag-ui", "ndjson", "openai.chat", "openai.completions", "openai.responses", "text", "vercel.ui")


@pytest.mark.parametrize("wire", WIRES)
def test_nothing_is_written_after_the_end(wire: str) -> None:
    writer = WireWriter(wire, "a1", 1700000000)
    assert not writer.ended
    writer.close()
    assert writer.ended
    with pytest.raises(ValueError, match=r"^write_text\(\) after the end of the answer$"):
        writer.write_text("more")
    with pytest.raises(ValueError, match=r"^close\(\) after the end of the answer$"):
        writer.close()


@pytest.mark.parametrize("wire", WIRES)
def test_a_decoder_writes_the_records_of_the_deltas_that_it_returns(wire: str) -> None:
    body = b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    by_hand, by_decoder = (WireWriter(wire, "a1", 1700000000, model=model) for model in ("m", ""))
    deltas = StreamDecoder("openai.chat").feed(body)
    decoder = StreamDecoder("openai.chat")
    expected = b"".join(map(by_hand.write, deltas)) + by_hand.close()
    found = decoder._feed_wire(body, by_decoder) + decoder._close_wire(by_decoder) + by_decoder.close()
    assert found == expected


def test_what_a_wire_cannot_carry_is_refused_and_loses_nothing() -> None:
    writer = WireWriter("openai.chat", "a1", 1700000000)
    with pytest.raises(UnsupportedError, match="cannot carry data"):
        writer.write_data(b"{}")
    assert writer.write(Delta(0, None, "Hi")).startswith(b'data: {"id":"chatcmpl-a1"')
