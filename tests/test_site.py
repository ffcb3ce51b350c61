"""The documentation site: it builds without a warning, offline, and answers the forty questions within two clicks."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pages import ROOT

QUESTION = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


class Page(HTMLParser):
    """What a page of the site links to, loads and has anchors for. The navigation is left out of the links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self._in_article = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag has."""
        values = {name: value or "" for name, value in attrs}
        self._in_article = self._in_article or tag == "article"
        if tag == "a" and self._in_article and "href" in values:
            self.links.append(values["href"])
        if tag in ("script", "img", "iframe") and "src" in values:
            self.loads.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loads.append(values["href"])
        if "id" in values:
            self.ids.add(values["id"])

    def handle_endtag(self, tag: str) -> None:
        """Notice the article's end."""
        self._in_article = self._in_article and tag != "article"


def read(folder: Path) -> dict[str, Page]:
    return {str(path.relative_to(folder)): Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}


def follow(place: str, link: str) -> tuple[str, str]:
    """Return the page and the anchor that ``link`` leads to from the page ``place``."""
    parts = urlsplit(link)
    path = os.path.normpath(os.path.join(os.path.dirname(place), parts.path)) if parts.path else place
    return path, parts.fragment


def broken(pages: dict[str, Page]) -> list[str]:
    """Return the links that lead to no page or to no anchor of it."""
    found = []
    for place, page in pages.items():
        for link in page.links:
            path, anchor = follow(place, link)
            is_ours = not urlsplit(link).scheme and path.endswith(".html")
            if is_ours and (path not in pages or (anchor and anchor not in {*pages[path].ids, "__top"})):
                found.append(f"{place}: {link}")
    return found


@pytest.mark.timeout(600)
def test_the_site_builds_without_a_warning_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = read(tmp_path / "site")
    assert broken(pages) == []
    assert [load for page in pages.values() for load in page.loads if urlsplit(load).netloc] == []
    assert "questions.html" in (follow("index.html", link)[0] for link in pages["index.html"].links)
    answers = {follow("questions.html", link)[0] for link in pages["questions.html"].links} - {"questions.html"}
    assert answers >= {link.replace(".md", ".html") for _, link in list_answers()}


def list_answers() -> list[tuple[str, str]]:
    """Return each of the forty questions with the pages that it links to."""
    questions = QUESTION.findall((ROOT / "docs" / "questions.md").read_text())
    assert len(questions) == 40
    return [(question, link) for question in questions for link in re.findall(r"\]\(([^)#]+)", question)]


def test_each_question_is_a_link_to_a_page() -> None:
    answers = list_answers()
    assert len({question for question, _ in answers}) == 40
    assert [link for _, link in answers if not (ROOT / "docs" / link).is_file()] == []


def test_every_page_is_in_the_navigation_once() -> None:
    navigation = re.findall(r"- (\S+\.md)\n", (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2])
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert sorted(navigation) == sorted({*pages, "changelog.md", "contributing.md"})
