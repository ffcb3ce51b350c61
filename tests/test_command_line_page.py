"""Every command of docs/how-to/command-line.md runs, against the mock server in the place of all others."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from millstream.cli import COMMANDS
from millstream.cli.chat.commands import COMMANDS as CHAT_COMMANDS
from millstream.testing import MockServer, Recorder, Reply
from pages import ROOT, point_at

PAGE = (ROOT / "docs" / "how-to" / "command-line.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
LINES = [line.partition("   #")[0].rstrip() for block in BLOCKS for line in block.splitlines()]
RUN = [line for line in LINES if not line.startswith("pip ")]
# They run until Ctrl-C; a test needs a free port.
SERVERS = ("mock", "record", "serve --upstream")


def is_server(line: str) -> bool:
    return line.removeprefix("millstream ").startswith(SERVERS)


@pytest.fixture
def folder(tmp_path: Path, mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a user in a folder with sources and a recording, whose servers are all the mock server."""
    point_at(mock_server, monkeypatch)
    mock_server.reply = Reply(pieces=["Hello"])
    (tmp_path / "millstream").write_text(f'#!/bin/sh\nexec {sys.executable} -m millstream "$@"\n')
    (tmp_path / "millstream").chmod(0o755)
    (tmp_path / "app.py").write_text("from langchain_openai import ChatOpenAI\n")
    for path in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (tmp_path / path).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", [line for line in RUN if not is_server(line)])
def test_a_command_of_the_page_succeeds(line: str, folder: Path, mock_server: MockServer) -> None:
    command = line.replace("http://127.0.0.1:8000/v1", mock_server.url)
    is_question = "chat" in line and "|" not in line and not re.search(r"chat .*(\"Write|hello)", line)
    done = subprocess.run(
        ["sh", "-c", command], input="hi" if is_question else "", capture_output=True, text=True, check=False
    )
    # The mock server lists one model: the doctor reports that another one is not among them.
    assert done.returncode == ("doctor --model" in line), done.stderr
    if "chat" in line:
        answer = (folder / "answer.txt").read_text() if ">" in line else done.stdout
        assert answer == "Hello\n"


@pytest.mark.parametrize("line", [line for line in RUN if is_server(line)])
def test_a_server_of_the_page_starts(line: str, folder: Path, mock_server: MockServer) -> None:
    command = line.replace("http://127.0.0.1:8000/v1", mock_server.url).removeprefix("millstream ")
    if "--replay" in line:
        with Recorder(mock_server.url, folder / "chat.jsonl") as recorder:
            httpx2.post(f"{recorder.url}/completions", json={"prompt": "p"})
            recorder.wait_until(lambda: recorder.recorded == 1)
    script = f"exec millstream {command} --port 0"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        signal.signal(signal.SIGINT, before)
        assert process.stderr is not None
        assert "until Ctrl-C" in process.stderr.readline()
        process.kill()


def test_the_page_has_an_example_of_each_command() -> None:
    shown = {found[1] for line in RUN if (found := re.search(r"millstream (\w+)", line))}
    assert shown == COMMANDS.keys()


def test_the_page_lists_the_commands_inside_a_chat() -> None:
    assert re.findall(r"^\| `/(\w+)", PAGE, re.MULTILINE) == list(CHAT_COMMANDS)
