"""The chat of ``examples/chat`` in headless Chromium: it streams, stops, comes back, and shows errors as words."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from millstream.testing import ErrorStatus, MockServer, Reply, Stall

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=900,700"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WORDS = ["Sparkling", " water", " rises", " cold", " and", " clear,", " a", " thousand", " little", " stars."]
TEXT = "".join(WORDS)


class Server:
    """The example's server, which can be killed and started again on its port."""

    def __init__(self, model: MockServer, store: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "key",
            "CHAT_STORE": str(store),
            "PYTHONPATH": str(ROOT / "python"),
        }
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT / "examples" / "chat"), "app:app"]
        options = ["--port", str(self.port), "--timeout-graceful-shutdown", "5"]
        self._process = subprocess.Popen([*command, *options], env=self._environment, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Application startup complete" in line:
                return
        raise AssertionError("the server did not start")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server."""
        with self._process:
            self._process.send_signal(how)
            self._process.wait(30)


class Cable:
    """Carries connections to a port on the loopback interface, until they are cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break every connection, and take no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._ends += (near, far)
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=ends, daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with source, suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Page:
    """The page in a browser."""

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser = browser
        browser.get(url)

    def ask(self, text: str) -> None:
        """Write a message, and send it."""
        self.browser.find_element(By.ID, "text").send_keys(text)
        self.browser.find_element(By.ID, "send").click()

    def read(self, selector: str) -> str:
        """Return the text of the last element that matches."""
        found = self.browser.find_elements(By.CSS_SELECTOR, selector)
        return found[-1].text if found else ""

    @property
    def answer(self) -> str:
        """The text of the last answer."""
        return self.read("article.assistant .text")

    def until(self, selector: str, text: str, seconds: float = 60) -> None:
        """Wait until the last element that matches has a text in it."""
        WebDriverWait(self.browser, seconds, 0.02).until(lambda _: text in self.read(selector), f"no {text!r}")

    def picture(self, name: str) -> None:
        """Write a picture."""
        self.browser.save_screenshot(str(Path(os.environ["PICTURES"], f"{name}.png")))

    def complaints(self) -> list[Any]:
        """Return what the browser reports of scripts; a request that failed is no mistake of the page."""
        found: list[Any] = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [one for one in found if one["source"] != "network"]


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ["CHROMIUM"]
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ARGUMENTS:
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=Service(os.environ["CHROMEDRIVER"]))
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def chatting(browser: webdriver.Chrome, tmp_path: Path, reply: Reply) -> Iterator[tuple[Page, Server, MockServer]]:
    with ExitStack() as stack:
        model = stack.enter_context(MockServer(reply))
        server = Server(model, tmp_path / "chat.db")
        stack.callback(server.stop)
        page = Page(browser, f"http://127.0.0.1:{server.port}/")
        yield page, server, model
        assert page.complaints() == []


def test_an_answer_comes_piece_by_piece(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS, fault=Stall(after=3))) as (page, _, model):
        page.picture("empty")
        page.ask("Write me a verse.")
        page.until("article.assistant .text", "Sparkling water rises")
        assert page.answer == "Sparkling water rises"
        assert page.read("article.user .text") == "Write me a verse."
        assert page.read("#send") == "Stop"
        page.picture("streaming")
        model.release()
        page.until("#send", "Send")
        assert page.answer == TEXT


def test_a_conversation_is_sent_with_its_answers(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS)) as (page, _, model):
        for turn in ("one", "two"):
            page.ask(turn)
            page.until("#send", "Send")
            assert page.answer == TEXT
        sent = [(message["role"], message["content"]) for message in model.requests[-1].body["messages"]]
        assert sent == [("user", "one"), ("assistant", TEXT), ("user", "two")]
        page.picture("conversation")


def test_an_answer_is_stopped(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS, fault=Stall(after=3))) as (page, _, model):
        page.ask("one")
        page.until("article.assistant .text", "rises")
        browser.find_element(By.ID, "send").click()
        page.until("article.assistant .error", "topped")
        assert model.wait_closed().closed_by == "client"
        assert page.answer == "Sparkling water rises"
        assert page.read("#send") == "Send"


def test_a_page_that_is_loaded_again_goes_on_with_the_answer(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS, fault=Stall(after=3))) as (page, _, model):
        page.ask("one")
        page.until("article.assistant .text", "rises")
        browser.refresh()
        page.until("article.assistant .text", "Sparkling water rises")
        model.release()
        page.until("#send", "Send")
        assert page.answer == TEXT
        assert len(model.requests) == 1


def test_a_connection_that_breaks_is_opened_again_where_it_was(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS, fault=Stall(after=3))) as (_, server, model):
        cable = Cable(server.port)
        page = Page(browser, f"http://127.0.0.1:{cable.port}/")
        page.ask("one")
        page.until("article.assistant .text", "rises")
        cable.cut()
        page.until("#status", "Connecting again")
        model.release()
        page.until("#send", "Send")
        assert page.answer == TEXT
        assert len(model.requests) == 1
        cable.close()


def test_an_answer_that_its_server_lost_is_kept_and_asked_for_again(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(pieces=WORDS, fault=Stall(after=3))) as (page, server, model):
        page.ask("one")
        page.until("article.assistant .text", "rises")
        server.stop(signal.SIGKILL)
        page.until("#status", "Connecting again")
        server.start()
        page.until("article.assistant .error", "lost")
        assert page.answer == "Sparkling water rises"
        page.picture("lost")
        model.script.append(Reply(pieces=WORDS))
        browser.find_element(By.CSS_SELECTOR, "article.assistant .again").click()
        page.until("#send", "Send")
        assert page.answer == TEXT


def test_an_error_is_shown_as_words(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with chatting(browser, tmp_path, Reply(fault=ErrorStatus(401))) as (page, _, _model):
        page.ask("one")
        page.until("article.assistant .error", "refused the credentials")
        assert page.read("#send") == "Send"
        page.picture("error")
