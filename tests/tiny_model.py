"""A language model with random weights, as a GGUF file: small enough to be made for a test, and real to llama.cpp."""

import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ("write_tiny_model",)

_EMBEDDING, _HIDDEN, _HEADS = 32, 64, 2
_ALIGNMENT = 32
# The types of GGUF's values, and of a tensor of 32-bit floats.
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32 = 0
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
# Longer pieces than bytes, so that a text has words as well as halves of characters.
_WORDS = ("▁the", "▁stream", "▁of", "▁water", "▁é", "lo", "ing", "▁{", '"a"', ":", "▁1", "}", "🙂", "河", "\u2028", "▁")
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_tiny_model(path: Path, *, seed: int = 0) -> None:
    """Write a model of the architecture of Llama with one layer; the same one for the same ``seed``."""
    source = random.Random(seed)
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = ["<unk>", "<s>", "</s>", *bytes_, *_WORDS]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *([_BYTE] * 256), *([_NORMAL] * len(_WORDS))]
    values = _values(tokens, kinds)
    tensors = _tensors(len(tokens), source)
    infos, data, offset = [], [], 0
    for name, dimensions, numbers in tensors:
        infos.append(_string(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, _F32, offset))
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        data.append(packed + b"\0" * (-len(packed) % _ALIGNMENT))
        offset += len(data[-1])
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_string(name) + value for name, value in values.items()) + b"".join(infos)
    path.write_bytes(head + b"\0" * (-len(head) % _ALIGNMENT) + b"".join(data))


def _values(tokens: Sequence[str], kinds: Sequence[int]) -> dict[str, bytes]:
    def uint(value: int) -> bytes:
        return struct.pack("<II", _UINT32, value)

    def text(value: str) -> bytes:
        return struct.pack("<I", _STRING) + _string(value)

    def array(kind: int, items: list[bytes]) -> bytes:
        return struct.pack("<IIQ", _ARRAY, kind, len(items)) + b"".join(items)

    return {
        "general.architecture": text("llama"),
        "general.name": text("tiny"),
        "llama.context_length": uint(512),
        "llama.embedding_length": uint(_EMBEDDING),
        "llama.block_count": uint(1),
        "llama.feed_forward_length": uint(_HIDDEN),
        "llama.rope.dimension_count": uint(_EMBEDDING // _HEADS),
        "llama.attention.head_count": uint(_HEADS),
        "llama.attention.head_count_kv": uint(_HEADS),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", _FLOAT32, 1e-5),
        "tokenizer.ggml.model": text("llama"),
        "tokenizer.ggml.tokens": array(_STRING, [_string(token) for token in tokens]),
        "tokenizer.ggml.scores": array(_FLOAT32, [struct.pack("<f", -index) for index in range(len(tokens))]),
        "tokenizer.ggml.token_type": array(_INT32, [struct.pack("<i", kind) for kind in kinds]),
        "tokenizer.ggml.bos_token_id": uint(1),
        "tokenizer.ggml.eos_token_id": uint(2),
        "tokenizer.ggml.unknown_token_id": uint(0),
        "tokenizer.ggml.add_bos_token": struct.pack("<I?", _BOOL, True),
        "tokenizer.chat_template": text(_TEMPLATE),
    }


def _tensors(vocabulary: int, source: random.Random) -> list[tuple[str, tuple[int, ...], list[float]]]:
    def noise(*dimensions: int) -> tuple[tuple[int, ...], list[float]]:
        count = 1
        for dimension in dimensions:
            count *= dimension
        return dimensions, [source.gauss(0, 0.35) for _ in range(count)]

    ones: Any = ((_EMBEDDING,), [1.0] * _EMBEDDING)
    shapes = {
        "token_embd": noise(_EMBEDDING, vocabulary),
        "output_norm": ones,
        "output": noise(_EMBEDDING, vocabulary),
        "blk.0.attn_norm": ones,
        **{f"blk.0.attn_{part}": noise(_EMBEDDING, _EMBEDDING) for part in ("q", "k", "v", "output")},
        "blk.0.ffn_norm": ones,
        "blk.0.ffn_gate": noise(_EMBEDDING, _HIDDEN),
        "blk.0.ffn_up": noise(_EMBEDDING, _HIDDEN),
        "blk.0.ffn_down": noise(_HIDDEN, _EMBEDDING),
    }
    return [(f"{name}.weight", dimensions, numbers) for name, (dimensions, numbers) in shapes.items()]


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
