"""No input makes time grow faster than its length, whatever the reads.

CPU time from 32 KB to 512 KB of one event (a quarter of that where reads are tiny) grows with an
exponent of at most 1.3. The exponent is the slope over the whole range, so a machine's noise must be
a factor of two to fake a failure, and it is measured again before it is believed.
"""

import math
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

SMALL, LARGE = 32 * 1024, 512 * 1024
READS = [1, 16, 1460, 65536]
TINY = 16
EXPONENT = 1.3
ATTEMPTS = 3


def one_line(size: int) -> bytes:
    return b'data: "' + b"x" * size + b'"\n\n'


def many_data_lines(size: int) -> bytes:
    return b"data: [\n" + b"data: 1,\n" * (size // 9) + b"data: 0]\n\n"


def many_comment_lines(size: int) -> bytes:
    return b"data: 1\n" + b":\n" * (size // 2) + b"\n"


def escaped_line(size: int) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"' + b"\\n\\ud83d\\ude00" * (size // 14) + b'"}}]}\n\n'


def white_space_then_body(size: int) -> bytes:
    return b" \n" * (size // 2) + b"{}"


def body(size: int) -> bytes:
    return b'{"x":"' + b"x" * size + b'"}'


def id_lines(size: int) -> bytes:
    return b"id: 1\nevent: x\n" * (size // 15) + b"data: 1\n\n"


def frame(message: bytes, finish: bytes = b"null") -> bytes:
    return b'data: {"choices":[{"delta":{%s},"finish_reason":%s}]}\n\n' % (message, finish)


def finishes_after_calls(size: int) -> bytes:
    calls = b",".join(b'{"index":%d,"function":{"arguments":"\\ud83d"}}' % i for i in range(size // 600))
    ends = frame(b"", b'"stop"') + frame(b"", b'"length"')
    return frame(b'"tool_calls":[%s]' % calls) + ends * (size // len(ends))


def entries_of_one_call(entry: bytes) -> Callable[[int], bytes]:
    def shape(size: int) -> bytes:
        entries = b",".join(entry.replace(b"#", b"%d" % i) for i in range(size // len(entry)))
        return frame(b'"tool_calls":[%s]' % entries)

    return shape


ENTRIES = {
    "pieces of a name": b'{"index":0,"function":{"name":"x"}}',
    "names that grow": b'{"index":0,"function":{"name":"#"}}',
    "a name with each piece": b'{"index":0,"function":{"name":"f","arguments":"[1,"}}',
    "an id with each piece": b'{"index":0,"id":"i#","function":{"arguments":"[\\"a"}}',
    "objects": b'{"index":0,"function":{"arguments":{"a":[#]}}}',
}


def make_parser(impl: ModuleType) -> Callable[[], Any]:
    return lambda: impl.SSEParser().feed


def make_decoder(impl: ModuleType) -> Callable[[], Any]:
    return lambda: impl.StreamDecoder("openai.chat").feed


def make_text_decoder(impl: ModuleType) -> Callable[[], Any]:
    return lambda: impl.StreamDecoder("openai.chat").feed_text


def seconds(make: Callable[[], Any], event: Any, read: int, times: int) -> float:
    """Return the CPU time of reading ``event`` in reads of ``read`` bytes, ``times`` over."""
    pieces = [event[i : i + read] for i in range(0, len(event), read)]
    begin = time.process_time()
    for _ in range(times):
        feed = make()
        for piece in pieces:
            feed(piece)
        assert feed.__self__.failure is None
    return time.process_time() - begin


def exponent(make: Callable[[], Any], shape: Callable[[int], Any], read: int, tries: int) -> float:
    """Return the slope of CPU time over size; both sizes read the same number of bytes in all."""
    times, part = LARGE // SMALL, 4 if read <= TINY else 1
    small = min(seconds(make, shape(SMALL // part), read, times) for _ in range(tries)) / times
    large = min(seconds(make, shape(LARGE // part), read, 1) for _ in range(tries))
    return math.log(max(large, 1e-9) / max(small, 1e-9)) / math.log(LARGE / SMALL)


def check(make: Callable[[], Any], shape: Callable[[int], Any], read: int) -> None:
    found = []
    for attempt in range(ATTEMPTS):
        found.append(exponent(make, shape, read, attempt + 1))
        if found[-1] <= EXPONENT:
            return
    raise AssertionError(f"CPU time grows with exponents {found} in reads of {read} bytes")


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("shape", [one_line, many_data_lines, many_comment_lines])
@pytest.mark.parametrize("make", [make_parser, make_decoder])
def test_cpu_time_grows_with_the_length_of_an_event(
    impl: ModuleType, make: Callable[[ModuleType], Callable[[], Any]], shape: Callable[[int], bytes], read: int
) -> None:
    check(make(impl), shape, read)


@pytest.mark.parametrize("read", [16, 65536])
@pytest.mark.parametrize("shape", [escaped_line, white_space_then_body, body, id_lines])
@pytest.mark.parametrize("make", [make_decoder, make_text_decoder])
def test_cpu_time_grows_with_the_length_of_other_shapes(
    impl: ModuleType, make: Callable[[ModuleType], Callable[[], Any]], shape: Callable[[int], bytes], read: int
) -> None:
    check(make(impl), shape, read)


@pytest.mark.parametrize("read", [16, 65536])
@pytest.mark.parametrize("name", ENTRIES)
def test_cpu_time_grows_with_the_number_of_entries_of_tool_calls(impl: ModuleType, name: str, read: int) -> None:
    check(make_decoder(impl), entries_of_one_call(ENTRIES[name]), read)


def test_cpu_time_grows_with_the_number_of_finish_reasons(impl: ModuleType) -> None:
    check(make_decoder(impl), finishes_after_calls, 65536)


@pytest.mark.parametrize("read", [16, 65536])
@pytest.mark.parametrize("unit", [b"x", "\U0001f600".encode(), b"\xff"])
def test_cpu_time_grows_with_the_length_of_text(impl: ModuleType, unit: bytes, read: int) -> None:
    check(lambda: impl.TextAssembler().feed, lambda size: unit * (size // len(unit)), read)


class Changes:
    """An assembler whose changes are asked for after every piece."""

    def __init__(self, impl: ModuleType) -> None:
        self.json = impl.JSONAssembler()

    @property
    def failure(self) -> Any:
        return self.json.failure

    def feed(self, piece: str) -> None:
        # The first change brings all that the document holds by then, and cheaply: it is kept small.
        for part in (piece[:2], piece[2:]):
            self.json.feed(part)
            self.json.diff()


DOCUMENTS = {
    "a string": ('["', "x" * 16),
    "escapes": ('["', "\\n\\ud83d\\ude00\\ud83d"),
    "a number": ("[1.", "2" * 16),
    "elements": ("[1", ',{"a":1},null'),
    "members": ('{"a":0', ',"b":"c"'),
}


@pytest.mark.parametrize("read", [16, 65536])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_cpu_time_grows_with_the_length_of_a_document(impl: ModuleType, name: str, read: int) -> None:
    begin, unit = DOCUMENTS[name]
    check(lambda: Changes(impl).feed, lambda size: begin + unit * (size // len(unit)), read)


@pytest.mark.parametrize("read", READS[1:])
def test_an_event_of_16_megabytes_is_read(impl: ModuleType, read: int) -> None:
    value = b"0123456789abcdef" * (1024 * 1024)
    line = b"data: " + value + b"\n\n"
    pieces = [line[i : i + read] for i in range(0, len(line), read)]
    parser = impl.SSEParser(max_event_size=2**25)
    (event,) = [event for piece in pieces for event in parser.feed(piece)]
    assert event.data.encode() == value


def test_a_delta_of_16_megabytes_is_read(impl: ModuleType) -> None:
    text = "0123456789abcdef" * (1024 * 1024)
    line = f'data: {{"choices":[{{"delta":{{"content":"{text}"}}}}]}}\n\n'.encode()
    pieces = [line[i : i + 65536] for i in range(0, len(line), 65536)]
    decoder = impl.StreamDecoder("openai.chat", max_event_size=2**25)
    (delta,) = [delta for piece in pieces for delta in decoder.feed(piece)]
    assert delta.text == text


def test_the_default_limit_is_16_mebibytes(impl: ModuleType) -> None:
    parser = impl.SSEParser()
    parser.feed(b"data: " + b"x" * (2**24 - 6))
    assert parser.failure is None
    parser.feed(b"x")
    assert str(parser.failure) == "an event grew past max_event_size=16777216 bytes"
