"""What the site needs that the pages do not say: a hook of MkDocs.

The pages of ``docs/`` are written to be read in the repository too, so their links lead to files. On the site, a
link to a file outside ``docs/`` leads to the repository.
"""

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ("on_config", "on_files", "on_page_markdown")

ROOT = Path(__file__).parent.parent.parent
# Files of the repository that are pages of the site too.
BESIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
# How much a page counts in a search: first the pages that answer questions, last the tables of figures.
WEIGHTS = {"how-to": 3, "explanation": 2, "migrating": 2, "benchmarks": 0.2}
LINK = re.compile(r"(?<!!)\[(?P<label>[^\]\n]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
CELL_CODE = re.compile(r"`[^`\n]+`")
UNSEEN = re.compile(r"^<!-- setup\n.*?^-->\n+", re.DOTALL | re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the address of the repository from the project's metadata.

    It is not ``repo_url``: with that, each page of the theme asks the repository's host for its figures.
    """
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    config.extra["repository"] = urls["Homepage"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of ``docs/``."""
    for name, page in BESIDE.items():
        if files.get_file_from_path(page) is None:
            files.append(File.generated(config, page, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links and examples for readers of the site, and weigh the page for the search."""
    page.meta.setdefault("search", {"boost": WEIGHTS.get(posixpath.dirname(page.file.src_uri), 1)})
    folder = _folder(page.file)
    found, at = [], 0
    markdown = UNSEEN.sub("", markdown)
    for code in CODE.finditer(markdown):
        found += [_links(markdown[at : code.start()], folder, page, config, files), _example(code[0])]
        at = code.end()
    return "".join([*found, _links(markdown[at:], folder, page, config, files)])


def _folder(file: File) -> str:
    """Return the folder of a page's source, in the repository."""
    return "" if file.src_uri in BESIDE.values() and file.generated_by else posixpath.dirname(f"docs/{file.src_uri}")


def _example(block: str) -> str:
    """Return an example of doctest as a session, without what doctest alone needs."""
    if not block.startswith("```python\n>>> "):
        return block
    session = block.replace("```python", "```pycon", 1).replace("<BLANKLINE>", "")
    return re.sub(r"\n+```$", "\n```", session)


def _links(text: str, folder: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    def rewrite(link: re.Match[str]) -> str:
        if "://" in link["target"] or link["target"].startswith("mailto:"):
            return link[0]
        path = posixpath.normpath(posixpath.join(folder, link["target"]))
        place = BESIDE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if place is not None and (ROOT / path).is_dir():
            place = f"{place}/index.md"
        if place is None or files.get_file_from_path(place) is None:
            return _outside(link["label"], path, config)
        target = posixpath.relpath(place, posixpath.dirname(page.file.src_uri) or ".")
        anchor = "" if path in BESIDE else link["anchor"] or ""
        return f"[{_label(link['label'], place, files)}]({target}{anchor})"

    return ROW.sub(_row, LINK.sub(rewrite, text))


def _row(row: re.Match[str]) -> str:
    """Return a row of a table as Python-Markdown reads it: a bar in code needs no backslash."""
    return CELL_CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0])


def _outside(label: str, path: str, config: MkDocsConfig) -> str:
    """Return a link to a file of the repository. MkDocs reports a file that does not exist."""
    is_there = (ROOT / path).exists()
    return f"[{label}]({config.extra['repository']}/blob/main/{path})" if is_there else f"[{label}]({path})"


def _label(label: str, place: str, files: Files) -> str:
    """Return the title of a page for a label that is its file's name."""
    file: Any = files.get_file_from_path(place)
    if not label.endswith(posixpath.basename(file.src_uri)) and label not in BESIDE:
        return label
    title = re.search(r"^# (.+)$", file.content_string, re.MULTILINE)
    return title[1] if title else label
