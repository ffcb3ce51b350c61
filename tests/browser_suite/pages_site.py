"""The documentation site in headless Chromium: search finds pages, and no page is wider than the window."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PAGES = (
    "index.html",
    "questions.html",
    "tutorial.html",
    "benchmarks.html",
    "explanation/wires.html",
    "how-to/tools.html",
)
WIDEST = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - window.innerWidth"
HOSTS = "return performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the site and serve it; return its address."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@pytest.fixture(params=["light", "dark"])
def browser(request: pytest.FixtureRequest) -> Iterator[webdriver.Chrome]:
    """Start Chromium with a palette of the system."""
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ["CHROMIUM"]
    for argument in ARGUMENTS:
        options.add_argument(argument)
    with webdriver.Chrome(options, Service(os.environ["CHROMEDRIVER"])) as started:
        palette = [{"name": "prefers-color-scheme", "value": request.param}]
        started.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": palette})
        yield started


def resize(browser: webdriver.Chrome, width: int) -> None:
    """Be a window of ``width`` pixels."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_search_finds_pages_and_names_of_the_reference(site: str, browser: webdriver.Chrome) -> None:
    resize(browser, 1280)
    for query, place in (("fallback", "how-to/fallbacks.html"), ("StreamTruncatedError", "reference/errors.html")):
        browser.get(site)
        browser.find_element(By.CSS_SELECTOR, "input[data-md-component=search-query]").send_keys(query)
        results = WebDriverWait(browser, 20).until(
            lambda page: page.find_elements(By.CSS_SELECTOR, ".md-search-result__item a[href]")
        )
        links = [result.get_attribute("href") or "" for result in results]
        assert any(place in link for link in links), (query, links)


@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_the_window(site: str, browser: webdriver.Chrome, width: int) -> None:
    resize(browser, width)
    for page in PAGES:
        browser.get(site + page)
        assert browser.execute_script(WIDEST) <= 0, page
        assert {*browser.execute_script(HOSTS)} <= {site.split("/")[2]}, page
        browser.save_screenshot(str(Path(os.environ["PICTURES"], f"{Path(page).stem}-{width}.png")))
