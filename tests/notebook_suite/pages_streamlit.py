"""The scripts of docs/how-to/streamlit.md, run by Streamlit's ``AppTest`` and by its test of the page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from millstream.testing import Endless, ErrorStatus, MockServer, Reply
from page_files import write_files

SECONDS = 60
IMPORTS = """
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from millstream import ChatOpenAI, OpenAI
from millstream.output_parsers import StrOutputParser
model = ChatOpenAI(model="m")
chain = model | StrOutputParser()
"""
# Streamlit ends a script where it next calls a function of `st`: so it is asked to by an input, and by *Stop*.
STOPPED = """
def stopped(stream):
    for number, item in enumerate(stream):
        if number == 2:
            get_script_run_ctx().script_requests.request_stop()
        yield item
"""


@pytest.fixture
def upstream(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> MockServer:
    monkeypatch.setenv("OPENAI_BASE_URL", mock_server.url)
    monkeypatch.setenv("OPENAI_API_BASE", mock_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "mock")
    mock_server.reply = Reply(pieces=["Tr", "out."])
    return mock_server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files("how-to/streamlit.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts_of(app: Any) -> list[str]:
    assert not app.exception, app.exception
    return [text.value for text in app.markdown]


def test_the_chat_keeps_its_history(folder: Path, upstream: MockServer) -> None:
    app = AppTest.from_file(str(folder / "chat.py")).run(timeout=SECONDS)
    for _ in range(2):
        app.chat_input[0].set_value("Name a fish.").run(timeout=SECONDS)
    assert texts_of(app) == ["Name a fish.", "Trout."] * 2
    roles = [message["role"] for message in upstream.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_the_chat_shows_an_error_and_forgets_the_question(folder: Path, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=ErrorStatus(400))
    app = AppTest.from_file(str(folder / "chat.py")).run(timeout=SECONDS)
    app.chat_input[0].set_value("Name a fish.").run(timeout=SECONDS)
    assert "The model did not answer" in app.error[0].value
    assert app.session_state.messages == []


def test_the_usage_is_shown(folder: Path, upstream: MockServer) -> None:
    app = AppTest.from_file(str(folder / "usage.py")).run(timeout=SECONDS)
    app.chat_input[0].set_value("Name a fish.").run(timeout=SECONDS)
    assert texts_of(app) == ["Trout."]
    assert app.caption[0].value.endswith("tokens")


def test_the_readers_test_passes(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "millstream.testing.plugin"]
    done = subprocess.run([*command, "test_chat.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize(
    "stream", ["chain.stream('q')", "model.stream_events('q', version='v3').text", "OpenAI().stream('q')"]
)
def test_streams_of_text_are_shown_as_one(stream: str) -> None:
    assert texts_of(AppTest.from_string(f"{IMPORTS}st.write_stream({stream})").run(timeout=SECONDS)) == ["Trout."]


@pytest.mark.usefixtures("upstream")
def test_messages_are_shown_one_by_one() -> None:
    app = AppTest.from_string(f"{IMPORTS}st.write_stream(model.stream('q'))").run(timeout=SECONDS)
    assert len(texts_of(app)) > 2


@pytest.mark.usefixtures("upstream")
def test_an_async_stream_is_refused_with_what_to_write() -> None:
    caught = "except Exception as error:\n    st.write(str(error.__cause__))"
    code = f"{IMPORTS}try:\n    st.write_stream(chain.astream('q'))\n{caught}"
    assert "for chunk in model.stream(...)" in texts_of(AppTest.from_string(code).run(timeout=SECONDS))[0]


@pytest.mark.parametrize("stream", ["chain.stream('q')", "model.stream_events('q', version='v3').text"])
def test_a_script_that_is_stopped_closes_the_connection(stream: str, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=Endless(after=3, data=None), pace=0.001)
    app = AppTest.from_string(f"{IMPORTS}{STOPPED}\nst.write_stream(stopped({stream}))\nst.write('not reached')")
    assert "not reached" not in texts_of(app.run(timeout=SECONDS))
    assert upstream.wait_closed().closed_by == "client"
