"""Writes the seeds of the fuzz targets, made of the test vectors: ``python fuzz/seeds.py target/seeds`` in ``fuzz/``.

A seed is two bytes, the options of the target and the seed of the split, and the input of a case.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"
CHAT, COMPLETIONS = 0, 1
# As the crate of the targets has them.
FORMATS = (
    *("openai.chat", "openai.completions", "auto", "anthropic.messages", "bedrock.anthropic", "bedrock.converse"),
    *("cohere.v2", "gemini.generate", "llamacpp.completion", "ollama.chat", "ollama.generate", "openai.responses"),
    "tgi.generate",
)
STRICT = 1


def main(folder: Path) -> None:
    """Write the seeds to a folder for each target in ``folder``."""
    for target, options, data in seeds():
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        split = crc32(data) & 0xFF
        head = bytes([options]) if target == "formats" else bytes([options, split])
        (place / f"{crc32(data):08x}-{options}").write_bytes(head + data)


def seeds() -> Iterator[tuple[str, int, bytes]]:
    """Yield the target, the options and the data of each seed."""
    for name, flushes in (("sse", 0), ("sse_flush", 1)):
        for case in load(name):
            yield "sse", flushes, data_of(case)
    for name in ("decode", "decode_errors", "decode_limits"):
        for case in load(name):
            yield "decode", options_of(case), data_of(case)
    yield from format_seeds()
    for path in sorted((VECTORS / "wire").glob("openai-c*.expected.json")):
        case = json.loads(path.read_text("utf-8"))
        body = (VECTORS / "wire" / case["file"]).read_bytes()
        yield "decode", options_of(case), body
        for more in (0, 2, 4, 12):
            yield "wire", options_of(case) | more, body
    for case in load("http"):
        yield "http", int(case.get("method") == "HEAD"), data_of(case)
    yield "http", 8, b"POST|/v1/models?a=b|authorization|Bearer \xc3\xa9\tx"
    for case in load("partial"):
        yield "partial", 0x20 | STRICT, str(case["text"]).encode("utf-8", "replace")
    for case in load("assembly"):
        if case["kind"] == "bytes":
            yield "text", 0, b"".join(map(base64.b64decode, case["chunks_b64"]))
        elif case["kind"] == "utf16":
            text = "".join(map(json.loads, case["json_literals"]))
            yield "text", 0, text.encode("utf-16-be", "surrogatepass")


def format_seeds() -> Iterator[tuple[str, int, bytes]]:
    """Yield the seeds of the target of all formats, each for its own format and for ``"auto"``."""
    for path in sorted((VECTORS / "wire").glob("*.expected.json")):
        case = json.loads(path.read_text("utf-8"))
        body = (VECTORS / "wire" / case["file"]).read_bytes()
        # The first byte is the format; what follows are the options, and the seed of the split.
        for number in (FORMATS.index(case["format"]), FORMATS.index("auto")):
            yield "formats", number, bytes([0, crc32(body) & 0xFF]) + body


def load(name: str) -> list[dict[str, Any]]:
    """Return the cases of a file of vectors."""
    cases: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["cases"]
    return cases


def data_of(case: dict[str, Any]) -> bytes:
    """Return the input of a case."""
    return base64.b64decode(case["input_b64"])


def options_of(case: dict[str, Any]) -> int:
    """Return the options for the format of a case."""
    return COMPLETIONS if case["format"] == "openai.completions" else CHAT


if __name__ == "__main__":
    main(Path(sys.argv[1]))
