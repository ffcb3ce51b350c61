"""The programs of a page of ``docs/``, and the files that it asks its readers to write: code blocks with a title.

It imports nothing else of the tests, so that suites with an environment of their own can use it.
"""

import re
from pathlib import Path

__all__ = ("find_files", "find_programs", "write_files")

DOCS = Path(__file__).parent.parent / "docs"
FILE = re.compile(r'^```\w+ title="(?P<name>[\w./-]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def find_files(page: str) -> dict[str, str]:
    """Return the files of ``page``, a path in ``docs/``, by their names."""
    return {found["name"]: found["text"] for found in FILE.finditer((DOCS / page).read_text("utf-8"))}


def find_programs(page: str) -> list[str]:
    """Return the programs of ``page`` that are no files."""
    return PROGRAM.findall((DOCS / page).read_text("utf-8"))


def write_files(page: str, folder: Path) -> None:
    """Write the files of ``page`` into ``folder``."""
    for name, text in find_files(page).items():
        (folder / name).write_text(text, "utf-8")
