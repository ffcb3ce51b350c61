"""The page of docs/tutorial.md in headless Chromium: it streams, stops, and shows that an answer broke off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from browser_suite.pages_chat import Page, browser
from millstream.testing import Cut, ErrorStatus, MockServer, Reply, Stall
from page_files import write_files
from server_processes import run_server, user_environment

__all__ = ("browser",)

PIECES = ["Sparkling", " water", " rises", "."]
COMMAND = [sys.executable, "-m", "uvicorn", "app:app", "--port", "PORT", "--log-level", "warning"]


@pytest.fixture
def begin(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Callable[[Reply], tuple[Page, MockServer]]]:
    """Return a function that opens the page of a relay whose model answers with a reply, and asks a question."""
    write_files("tutorial.md", tmp_path)
    with ExitStack() as stack:

        def begin(reply: Reply) -> tuple[Page, MockServer]:
            model = stack.enter_context(MockServer(reply))
            server = stack.enter_context(run_server(COMMAND, tmp_path, user_environment(model)))
            page = Page(browser, server.url)
            browser.find_element(By.ID, "text").send_keys("one\n")
            return page, model

        yield begin


def test_the_answer_comes_piece_by_piece(begin: Callable[[Reply], tuple[Page, MockServer]]) -> None:
    page, model = begin(Reply(pieces=PIECES, fault=Stall(after=2)))
    page.until(".ai", "Sparkling water")
    assert page.read(".ai") == "Sparkling water"
    assert page.read(".human") == "one"
    model.release()
    page.until(".ai", "rises.")
    assert page.read(".error") == ""
    assert page.complaints() == []
    page.picture("tutorial")


def test_the_answer_is_stopped(begin: Callable[[Reply], tuple[Page, MockServer]]) -> None:
    page, model = begin(Reply(pieces=PIECES, fault=Stall(after=2)))
    page.until(".ai", "Sparkling water")
    page.browser.find_element(By.ID, "stop").click()
    page.until(".error", "stopped")
    assert model.wait_closed().closed_by == "client"


@pytest.mark.parametrize(
    ("fault", "says"), [(Cut(after=2), "the answer broke off"), (ErrorStatus(400), "the answer broke off: status")]
)
def test_an_answer_that_breaks_off_says_so(
    fault: Cut | ErrorStatus, says: str, begin: Callable[[Reply], tuple[Page, MockServer]]
) -> None:
    page, _ = begin(Reply(pieces=PIECES, fault=fault))
    page.until(".error", says)
    assert page.read(".ai") == ("Sparkling water" if isinstance(fault, Cut) else "")
