"""``python model.py PATH``: writes a tiny model with random weights, in the GGUF format of llama.cpp.

It has the architecture of Llama with two layers, and a vocabulary of pieces that tests of streams need: characters of
one to four bytes, quotes, a backslash, U+2028, and the tokens of single bytes, which it never chooses by itself but
has to where a grammar asks for a character without a token.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy
from gguf import GGUFWriter, TokenType

CONTROL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{value:02X}>" for value in range(256)]
WORDS = [
    *("▁", "e", "t", "a", "o", "s", "▁the", "▁a", "ing", "▁fish", "▁gold", "▁bowl", "swim", "▁water"),
    *("\n", '"', "\\", "'", "/", "<", ">", "&", "{", "}", "[", "]", ":", ",", ".", "!", "?", "▁0", "1", "2"),
    *("▁—", "é", "ß", "日", "本", "語", "▁日", "🐟", "👩", "\u2028"),
]
PIECES = [*CONTROL, *BYTES, *WORDS]
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
SIZE, HEADS, LAYERS, INNER = 64, 4, 2, 128


def write(path: str, seed: int = 2) -> None:
    """Write the model to ``path``; equal seeds make equal files."""
    random = numpy.random.default_rng(seed)
    file = GGUFWriter(path, "llama")
    _describe(file)

    def add(name: str, *shape: int, scale: float | None = None) -> None:
        values = random.standard_normal(shape) * (shape[-1] ** -0.5 if scale is None else scale)
        file.add_tensor(name, values.astype(numpy.float32))

    add("token_embd.weight", len(PIECES), SIZE, scale=1.0)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            file.add_tensor(f"{block}{name}.weight", numpy.ones(SIZE, numpy.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{block}{name}.weight", SIZE, SIZE)
        add(f"{block}ffn_gate.weight", INNER, SIZE)
        add(f"{block}ffn_up.weight", INNER, SIZE)
        add(f"{block}ffn_down.weight", SIZE, INNER)
    file.add_tensor("output_norm.weight", numpy.ones(SIZE, numpy.float32))
    output = random.standard_normal((len(PIECES), SIZE)).astype(numpy.float32)
    # Their logits are 0, and among so many words one has always more.
    output[: len(CONTROL) + len(BYTES)] = 0
    file.add_tensor("output.weight", output)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def _describe(file: Any) -> None:
    """Add the architecture, the tokenizer and the template of a chat."""
    file.add_name("random")
    file.add_context_length(2048)
    file.add_embedding_length(SIZE)
    file.add_block_count(LAYERS)
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(SIZE // HEADS)
    file.add_vocab_size(len(PIECES))
    file.add_file_type(0)
    file.add_tokenizer_model("llama")
    file.add_tokenizer_pre("default")
    file.add_token_list(PIECES)
    file.add_token_scores([0.0] * (len(CONTROL) + len(BYTES)) + [-float(place) for place in range(len(WORDS))])
    file.add_token_types(
        [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
        + [TokenType.BYTE] * len(BYTES)
        + [TokenType.NORMAL] * len(WORDS)
    )
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_unk_token_id(0)
    file.add_chat_template(TEMPLATE)


if __name__ == "__main__":
    write(sys.argv[1])
