"""The commands ``millstream record`` and ``millstream mock --replay``."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anthropic
import httpx2
import openai
import pytest
from google import genai

from millstream.cli import main
from millstream.testing import MockServer, Recorder, Reply

BODY = {"prompt": "p", "stream": True}


@contextmanager
def command(*arguments: str) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """Run a command until the block ends, and yield the variables that it prints."""
    pipe = subprocess.PIPE
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    line = [sys.executable, "-m", "millstream", *arguments, "--port", "0"]
    with subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True) as process:
        signal.signal(signal.SIGINT, before)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stderr.readline()
            count = 1 if arguments[0] == "record" else 6
            lines = [process.stdout.readline().strip() for _ in range(count)]
            yield dict(line.split("=", 1) for line in lines), process
        finally:
            process.kill()


def test_a_recorded_stream_is_replayed_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    with (
        MockServer(Reply(pieces=["a", "é"])) as upstream,
        command("record", upstream.url, "--output", str(path)) as (printed, process),
    ):
        data = httpx2.post(printed["BASE_URL"] + "/completions", json=BODY).content
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr is not None
        exchange, last = process.stderr.read().splitlines()
        assert re.fullmatch(r"\S+  POST  /v1/completions  200  \d\.\d{3} s", exchange)
        assert last == f"exchanges in {path}: 1"
    for options in ((), ("--speed", "inf"), ("--chop", "events"), ("--chop", "1"), ("--speed", "9", "--chop", "bytes")):
        with command("mock", "--replay", str(path), *options) as (printed, _):
            assert httpx2.post(printed["OPENAI_BASE_URL"] + "/completions", json=BODY).content == data


def test_the_mock_server_prints_the_variables_of_each_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    with command("mock", "--pace", "0", "--text", "one two") as (printed, _):
        for name, value in printed.items():
            monkeypatch.setenv(name, value)
        assert list(printed) == [
            "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "CO_API_URL", "OLLAMA_HOST",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        ]  # fmt: skip
        with anthropic.Anthropic(api_key="k") as claude:
            message = claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "p"}])
            assert message.to_dict()["content"] == [{"type": "text", "text": "one two"}]
        with openai.OpenAI(api_key="k") as client:
            assert client.completions.create(model="m", prompt="p").choices[0].text == "one two"
        with genai.Client(api_key="k") as google:
            assert google.models.generate_content(model="m", contents="p").text == "one two"


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_what_cannot_be_recorded_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken.jsonl"
    taken.touch()
    with MockServer() as other:
        for arguments, status, line in (
            (["api.openai.com"], 2, "the upstream must be a URL such as https://api.openai.com/v1"),
            (["http://x", "--output", str(taken)], 2, f"{taken} exists; remove it, or name another file with --output"),
            (["http://x", "--output", str(tmp_path / "no" / "r")], 1, "name another file with --output"),
            (["http://x", "--output", str(tmp_path / "r"), "--port", str(other.port)], 1, "another one with --port"),
        ):
            assert main(["record", "--port", "0", *arguments]) == status
            (said,) = lines(capsys)
            assert said.startswith("millstream record: ")
            assert line in said


def test_what_cannot_be_replayed_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r"
    with MockServer() as upstream, Recorder(upstream.url, path) as recorder:
        httpx2.post(f"{recorder.url}/completions", json=BODY)
        recorder.wait_until(lambda: recorder.recorded == 1)
    other = tmp_path / "other"
    other.write_text("{}")
    for arguments, line in (
        (["--replay", str(tmp_path / "missing")], "record it with 'millstream record URL --output"),
        (["--replay", str(other)], "is not a recording: write one with 'millstream record URL'"),
        (["--replay", str(path), "--text", "a", "--times", "3"], "leave out --text, --times"),
        (["--speed", "2"], "name one with --replay FILE"),
        (["--chop", "lines"], "name one with --replay FILE"),
    ):
        assert main(["mock", "--port", "0", *arguments]) == 2
        (said,) = lines(capsys)
        assert said.startswith("millstream mock: ")
        assert line in said
