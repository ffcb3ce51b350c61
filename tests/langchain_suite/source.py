"""LangChain's tests as files: fetched with pip, unpacked, and with the name of its package replaced."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

from .names import PACKAGE

__all__ = ("copy", "fetch")


def fetch(project: str, version: str, folder: Path) -> Path:
    """Download the source distribution of ``project`` and return the folder it is unpacked to."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{project.replace('-', '_')}-{version}"
    if not (folder / name).exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", project]
        subprocess.run([*command, f"{project}=={version}", "-d", str(folder)], check=True, timeout=300)
        with tarfile.open(folder / f"{name}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder / name


def copy(source: Path, target: Path, *, rewritten: bool) -> None:
    """Copy the tests under ``source``; if ``rewritten``, they import :data:`PACKAGE` in place of ``langchain_core``.

    ``conftest.py`` stays as it is: it names LangChain's files to a tool that looks for blocking calls.
    """
    for path in source.rglob("*"):
        new = target / path.relative_to(source)
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        if rewritten and path.suffix == ".py" and path.name != "conftest.py":
            content = re.sub(rb"\blangchain_core\b", PACKAGE.encode(), content)
        if not new.exists() or new.read_bytes() != content:
            new.write_bytes(content)
