"""No input of another framing, and no stream of another format, makes time grow faster than its length."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest

from format_strategies import message
from test_growth import check

Shape = Callable[[int], bytes]


def line(size: int) -> bytes:
    return b'{"message":{"content":"' + b"x" * size + b'"},"done":false}\n'


def blank_lines(size: int) -> bytes:
    return b'{"done":false}' + b"\r\n" * (size // 2)


def element(size: int) -> bytes:
    return b'[{"candidates":[{"content":{"parts":[{"text":"' + b'\\"]}' * (size // 4) + b'"}]}}]}]'


def scalars(size: int) -> bytes:
    return b"[" + b'1,"[",{},' * (size // 9) + b"0]"


def brackets(size: int) -> bytes:
    return b"[" + b"[" * 100 + b"[]," * (size // 3) + b"0" + b"]" * 100 + b"]"


def one_message(size: int) -> bytes:
    payload = {"contentBlockIndex": 0, "delta": {"text": "x" * size}}
    return message({":event-type": "contentBlockDelta"}, json.dumps(payload).encode())


def many_messages(size: int) -> bytes:
    one = message({":event-type": "contentBlockDelta"}, b'{"contentBlockIndex":0,"delta":{"text":"x"}}')
    return one * (size // len(one))


def pieces_of_arguments(size: int) -> bytes:
    block = {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f"}}
    delta = {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "[1,"}}
    first, one = (b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in (block, delta))
    return first + one * (size // len(one))


def blocks(size: int) -> bytes:
    begin = 'data: {"type":"content_block_start","index":%d,"content_block":{"type":"text","text":"a"}}\n\n'
    return "".join(begin % index for index in range(size // len(begin))).encode()


def done_events(size: int) -> bytes:
    done = 'data: {"type":"response.output_text.done","output_index":%d,"text":"a"}\n\n'
    return "".join(done % index for index in range(size // len(done))).encode()


def output_of_a_response(size: int) -> bytes:
    item = '{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]}'
    output = ",".join([item] * (size // len(item)))
    return f'data: {{"type":"response.completed","response":{{"output":[{output}]}}}}\n\n'.encode()


def parts(size: int) -> bytes:
    part = b'{"text":"a"},{"text":"b","thought":true},'
    return b'data: {"candidates":[{"content":{"parts":[' + part * (size // len(part)) + b"{}]}}]}\n\n"


SHAPES: list[tuple[str, Shape]] = [
    ("ollama.chat", line),
    ("ollama.chat", blank_lines),
    ("auto", blank_lines),
    ("gemini.generate", element),
    ("gemini.generate", scalars),
    ("gemini.generate", brackets),
    ("bedrock.converse", one_message),
    ("bedrock.converse", many_messages),
    ("anthropic.messages", pieces_of_arguments),
    ("anthropic.messages", blocks),
    ("openai.responses", done_events),
    ("openai.responses", output_of_a_response),
    ("gemini.generate", parts),
]


@pytest.mark.parametrize("read", [16, 65536])
@pytest.mark.parametrize(("name", "shape"), SHAPES, ids=[f"{name}-{shape.__name__}" for name, shape in SHAPES])
def test_cpu_time_grows_with_the_length_of_a_stream(impl: ModuleType, name: str, shape: Shape, read: int) -> None:
    check(lambda: impl.StreamDecoder(name).feed, shape, read)
