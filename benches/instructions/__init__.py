"""How many instructions the hot loops of the core take per event: a guard that noise does not move.

``python -m benches.instructions`` builds the program beside this module, counts its instructions under valgrind's
callgrind, and compares them with ``counts.json``, which ``--write`` renews. Counts depend on the compiler and on the
processor's vector units: those of another toolchain are printed, and are not compared.
"""

import argparse
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from ..fixtures import READ_SIZES, Fixture, arguments, fixture, split_reads
from ..formats import format_stream

__all__ = ("CASES", "compare", "count", "main")

_HOME = Path(__file__).parent
_COUNTS = _HOME / "counts.json"
_TARGET = _HOME.parents[1] / "target" / "instructions"
_TOLERANCE = 0.02

CASES: dict[str, tuple[str, Fixture, str]] = {
    "sse, one event per read": ("sse", fixture("completions", 1000), "event"),
    "sse, reads of 64 KB": ("sse", fixture("completions", 1000), "64 KB"),
    "openai.completions, text": ("text", fixture("completions", 1000), "event"),
    "openai.chat, text": ("text", fixture("chat", 1000), "event"),
    "openai.chat, text, reads of 64 KB": ("text", fixture("chat", 1000), "64 KB"),
    "openai.chat, text, many scripts": ("text", fixture("chat", 1000, "world"), "event"),
    "openai.responses, text": ("text", format_stream("openai.responses"), "event"),
    "anthropic.messages, text": ("text", format_stream("anthropic.messages"), "event"),
    "gemini.generate, text": ("text", format_stream("gemini.generate"), "event"),
    "ollama.chat, text": ("text", format_stream("ollama.chat"), "event"),
    "openai.chat, records": ("records", fixture("chat", 1000), "event"),
    "JSON, changes of each piece": ("json", arguments(1000), "event"),
}
"""The loops: their name in the program, the stream, and its reads."""


def main(options: Sequence[str] | None = None) -> int:
    """Count and compare; return 1 if a loop takes more instructions than it did."""
    parser = argparse.ArgumentParser(prog="python -m benches.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the counts")
    write = parser.parse_args(options).write
    program, toolchain = _build(), _describe_toolchain()
    counts = {name: count(program, name) for name in CASES}
    print(f"instructions per event, {toolchain}")
    if write:
        text = json.dumps({"toolchain": toolchain, "counts": counts}, indent=1, ensure_ascii=False)
        _COUNTS.write_text(text + "\n", "utf-8")
    known = json.loads(_COUNTS.read_text("utf-8"))
    for name, found in counts.items():
        print(f"  {found:>8,.1f}  {known['counts'].get(name, 0):>8,.1f} stored  {name}")
    if known["toolchain"] != toolchain:
        print(f"not compared: the stored counts are of {known['toolchain']}")
        return 0
    higher = list(compare(counts, known["counts"]))
    print("".join(f"more instructions: {line}\n" for line in higher), end="")
    return 1 if higher else 0


def compare(counts: Mapping[str, float], known: Mapping[str, float]) -> Iterator[str]:
    """Yield a line for each loop that takes more instructions than is known, or is not known."""
    for name, found in counts.items():
        if name not in known or found > known[name] * (1 + _TOLERANCE):
            yield f"{name}: {found:,.1f}, {known.get(name, 0):,.1f} stored; {_TOLERANCE:.0%} more is tolerated"


def count(program: Path, name: str) -> float:
    """Return the instructions that a loop takes per event."""
    loop, stream, read = CASES[name]
    reads = split_reads(stream, READ_SIZES[read])
    counted = ["--toggle-collect=*measured*", "--callgrind-out-file=/dev/null"]
    command = ["valgrind", "--tool=callgrind", *counted, str(program), loop, stream.format]
    with TemporaryFile() as file:
        file.write(b"".join(len(data).to_bytes(4, "big") + data for data in reads))
        file.seek(0)
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None or not int(done.stdout):
        raise RuntimeError(f"{name} was not counted:\n{done.stderr}")
    if loop == "text" and int(done.stdout) != len("".join(stream.pieces).encode()):
        raise RuntimeError(f"{name}: the program read {done.stdout.strip()} bytes of text")
    return round(int(found[1]) / len(stream.frames), 1)


def _build() -> Path:
    """Return the program, built."""
    manifest = str(_HOME / "Cargo.toml")
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", str(_TARGET)]
    # The profile is that of the manifest, whatever the environment says.
    env = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_PROFILE_")}
    subprocess.run(command, check=True, env=env)
    return _TARGET / "release" / "millstream-instructions"


def _describe_toolchain() -> str:
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split(" (")[0]
    try:
        vectors = "avx2" if " avx2 " in Path("/proc/cpuinfo").read_text() else "no avx2"
    except OSError:
        vectors = "unknown vector units"
    return f"{compiler}, {platform.machine()}, {vectors}"
