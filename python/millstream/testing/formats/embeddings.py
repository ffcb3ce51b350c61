"""Embeddings: OpenAI's ``/v1/embeddings`` and Ollama's ``/api/embed`` and ``/api/embeddings``.

A vector depends on its text alone, and texts with common words have similar vectors.
"""

import base64
import math
import re
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ..replies import Reply
from .parts import check_fields

__all__ = ("embed_ollama", "embed_ollama_prompt", "embed_openai")

# The size of text-embedding-3-small's vectors, and that of nomic-embed-text's.
_OPENAI_SIZE, _OLLAMA_SIZE = 1536, 768
_MOST = 4096
# Number of components that each word changes.
_PLACES = 8


def embed_openai(body: Any, reply: Reply) -> Any:
    """Return the embeddings of ``input``: a text, token numbers, or a list of either."""
    body = check_fields(body, model=str)
    texts = _texts(body.get("input"), "input")
    vectors = [_embed(text, _size(body, _OPENAI_SIZE)) for text in texts]
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise ValueError("encoding_format must be 'float' or 'base64'")
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if encoding == "base64" else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = _count(texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens} | dict(reply.usage)
    return {"object": "list", "data": data, "model": reply.model or body["model"], "usage": usage}


def embed_ollama(body: Any, reply: Reply) -> Any:
    """Return the embeddings of ``input``: a text or a list of them."""
    body = check_fields(body, model=str)
    texts = _texts(body.get("input"), "input")
    return {
        "model": reply.model or body["model"],
        "embeddings": [_embed(text, _size(body, _OLLAMA_SIZE)) for text in texts],
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": _count(texts),
    }


def embed_ollama_prompt(body: Any, reply: Reply) -> Any:
    """Return the embedding of ``prompt``, as the older path does."""
    body = check_fields(body, model=str, prompt=str)
    return {"embedding": _embed(body["prompt"], _OLLAMA_SIZE)}


def _texts(given: Any, name: str) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        if all(type(item) is int for item in given):
            return [" ".join(map(str, given))]
        if all(isinstance(item, str) for item in given):
            return given
        if all(isinstance(item, list) and item and all(type(one) is int for one in item) for item in given):
            return [" ".join(map(str, item)) for item in given]
    raise ValueError(f"{name} must be a string, or a list of strings or of lists of token numbers, that is not empty")


def _size(body: dict[str, Any], default: int) -> int:
    size = body.get("dimensions")
    if size is None:
        return default
    if type(size) is not int or not 1 <= size <= _MOST:
        raise ValueError(f"dimensions must be an integer from 1 to {_MOST}")
    return size


def _embed(text: str, size: int) -> list[float]:
    """Return a vector of length 1. Each word adds or subtracts 1 at the places that its hash names."""
    vector = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        places = memoryview(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4 * _PLACES).digest()).cast("I")
        for place in places:
            vector[(place >> 1) % size] += 1.0 if place & 1 else -1.0
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not length:
        # What was added and subtracted cancelled out.
        vector[0] = length = 1.0
    return [value / length for value in vector]


def _base64(vector: Sequence[float]) -> str:
    """Return the vector as OpenAI encodes it: 32-bit floats in little-endian order."""
    numbers = array("f", vector)
    if array("H", [1]).tobytes() != b"\1\0":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _count(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)
