"""The pages of benchmarks, and the README's part: ``python -m benches.pages`` renews what stands between their marks.

The pages are written by hand. Each part that is made of results stands between ``<!-- bench:begin NAME -->`` and
``<!-- bench:end -->``; :data:`PARTS` has the functions that make them. The results are those in ``benches/results/``.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from millstream.cli.bench.results import Results

from . import breakdown, charts, parts
from .results import load_results

__all__ = ("PAGES", "PARTS", "fill_page", "write_pages")

_HOME = Path(__file__).parents[1]
_DOCS = _HOME / "docs"
_MARKED = re.compile(r"(<!-- bench:begin ?([\w-]*) ?-->\n).*?(<!-- bench:end -->)", re.DOTALL)

Found = Mapping[str, Results]

PAGES = (_HOME / "README.md", _DOCS / "benchmarks.md", *sorted((_DOCS / "benchmarks").glob("*.md")))

PARTS: dict[str, Callable[[Found], str]] = {
    "": parts.readme,
    "machine": parts.machine,
    "summary": parts.summary,
    "goals": parts.goals,
    "formats": parts.formats,
    "core-rows": lambda found: parts.overview(found, "core"),
    "core-tables": lambda found: parts.raw_tables(found, "core"),
    "models-rows": lambda found: parts.overview(found, "models"),
    "models-tables": lambda found: parts.raw_tables(found, "models"),
    "apps-parts": lambda found: breakdown.table_of_parts(found["memory"].tables),
    "apps-rows": lambda found: parts.overview(found, "apps"),
    "apps-tables": lambda found: parts.raw_tables(found, "apps"),
    "sockets-rows": parts.sockets,
    "sockets-tables": lambda found: parts.raw_tables(found, "sockets"),
    "servers-rows": parts.servers,
    "servers-tables": lambda found: parts.raw_tables(found, "servers"),
}
"""The function that makes each part, by the name in its marks; the README's has none."""

CHARTS: dict[str, Callable[[Found], str]] = {
    "speed.svg": charts.speed,
    "apps.svg": lambda found: breakdown.chart(found["memory"].tables),
    "transport.svg": charts.sockets,
    "server.svg": charts.servers,
}


def write_pages() -> None:
    """Renew the parts of all pages, and the charts."""
    found = {name: load_results(name) for name in ("memory", "sockets", "servers")}
    for page in PAGES:
        page.write_text(fill_page(page.read_text("utf-8"), found), "utf-8")
    for name, draw in CHARTS.items():
        (_DOCS / name).write_text(draw(found), "utf-8")


def fill_page(page: str, found: Found) -> str:
    """Return the page with its parts made anew; raise :class:`ValueError` if it has none."""
    filled, count = _MARKED.subn(lambda marks: f"{marks[1]}{PARTS[marks[2]](found)}\n{marks[3]}", page)
    if not count or count != page.count("<!-- bench:begin"):
        raise ValueError("the page has no parts, or one without an end: <!-- bench:begin NAME --> … <!-- bench:end -->")
    return filled


if __name__ == "__main__":
    write_pages()
