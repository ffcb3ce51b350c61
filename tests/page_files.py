"""The files that a page of ``docs/`` asks its readers to write: code blocks with a title."""

import re
from pathlib import Path

from pages import ROOT

__all__ = ("find_files", "write_files")

FILE = re.compile(r'^```\w+ title="(?P<name>[\w./-]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)


def find_files(page: str) -> dict[str, str]:
    """Return the files of ``page``, a path in ``docs/``, by their names."""
    return {found["name"]: found["text"] for found in FILE.finditer((ROOT / "docs" / page).read_text("utf-8"))}


def write_files(page: str, folder: Path) -> None:
    """Write the files of ``page`` into ``folder``."""
    for name, text in find_files(page).items():
        (folder / name).write_text(text, "utf-8")
