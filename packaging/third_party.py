"""Writes LICENSE-THIRD-PARTY: the notices of all crates that are linked into the extension.

Reads `cargo metadata` and the crates' own files; `--check` only says whether the file is up to date.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NOTICES = ROOT / "LICENSE-THIRD-PARTY"
# The licence that we choose if a crate offers several, in order of preference.
PREFERRED = ("MIT", "Apache-2.0", "Unlicense", "BSD-3-Clause", "Zlib", "Unicode-3.0")
HEADER = """The extension module millstream._core contains the following works, each under the licence given.
The pure-Python distribution contains none of them.
"""
RUST = """================================================================================
The Rust standard library (https://www.rust-lang.org), MIT OR Apache-2.0, used under MIT

Copyright (c) The Rust Project Contributors
"""


def linked_packages() -> list[dict[str, Any]]:
    """Return the crates linked into the extension: normal dependencies, without those of build scripts and macros."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--features=python"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    linked: set[str] = set()
    waiting = [metadata["resolve"]["root"]]
    while waiting:
        identity = waiting.pop()
        if identity in linked or is_macro(packages[identity]):
            continue
        linked.add(identity)
        dependencies = nodes[identity]["deps"]
        waiting += [each["pkg"] for each in dependencies if any(kind["kind"] is None for kind in each["dep_kinds"])]
    linked.remove(metadata["resolve"]["root"])
    return sorted((packages[identity] for identity in linked), key=lambda package: str(package["name"]))


def is_macro(package: dict[str, Any]) -> bool:
    """Return whether ``package`` is a procedural macro, which runs only in the compiler."""
    return any("proc-macro" in target["kind"] for target in package["targets"])


def notice(package: dict[str, Any]) -> str:
    """Return one package's entry."""
    offered = package["license"].replace("/", " OR ").replace("(", "").replace(")", "")
    used = next(name for name in PREFERRED if name in offered.split(" OR "))
    return "\n".join(
        (
            "=" * 80,
            f"{package['name']} {package['version']} ({package['repository']}), {offered}, used under {used}",
            "",
            licence_text(Path(package["manifest_path"]).parent, used).strip(),
            "",
        )
    )


def licence_text(folder: Path, licence: str) -> str:
    """Return the text of ``licence`` from a crate's folder."""
    short = licence.partition("-")[0].upper()
    names = ("LICENSE", "LICENCE", "UNLICENSE")
    files = sorted(path for path in folder.iterdir() if path.name.upper().startswith(names))
    for path in files:
        if short in path.name.upper():
            return path.read_text()
    if len(files) == 1:
        return files[0].read_text()
    raise SystemExit(f"{folder.name}: no text of {licence} among {[path.name for path in files]}")


def main() -> None:
    """Write the file, or check it."""
    rust = RUST + "\n" + mit_terms()
    text = "\n".join((HEADER, *map(notice, linked_packages()), rust))
    if "--check" not in sys.argv:
        NOTICES.write_text(text)
    elif NOTICES.read_text() != text:
        sys.exit("LICENSE-THIRD-PARTY is out of date: run packaging/third_party.py")


def mit_terms() -> str:
    """Return the terms of the MIT licence, which are the same in ours."""
    text = (ROOT / "LICENSE").read_text()
    return text[text.index("Permission is hereby") :]


if __name__ == "__main__":
    main()
