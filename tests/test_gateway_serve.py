"""``millstream serve``: the command, its workers, and its file."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from millstream.cli import main
from millstream.server.gateway.keys import hash_key
from millstream.testing import MockServer, Reply, Stall

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run ``millstream serve`` and yield its URL, once it answers."""
    command = [sys.executable, "-m", "millstream", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = re.fullmatch(
                r"clients use OPENAI_BASE_URL=(http://127\.0\.0\.1:\d+)/v1, until Ctrl-C\n", process.stderr.readline()
            )
            assert found is not None
            if "--workers" in options:
                wait_for_a_worker(found[1])
            yield found[1], process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            finally:
                process.kill()


def wait_for_a_worker(url: str) -> None:
    """Return once a worker listens: the command's own process does not, if there are several."""
    while True:
        try:
            httpx2.get(f"{url}/healthz", timeout=60)
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return


def ask(url: str, **headers: str) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/chat/completions", json=BODY, headers=headers)


def test_a_server_of_the_command_line_is_an_upstream() -> None:
    with MockServer(Reply(pieces=["Hi"])) as server, serving("--upstream", f"{server.url}=m") as (url, process):
        assert ask(url).json()["choices"][0]["message"]["content"] == "Hi"
        assert httpx2.get(f"{url}/v1/models").json()["data"][0]["id"] == "m"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert process.stdout is not None
        assert '"outcome": "ok"' in process.stdout.read()


def test_workers_share_the_port() -> None:
    with MockServer(Reply(pieces=["Hi"])) as server, serving("--upstream", server.url, "--workers", "2") as (url, _):
        found = [httpx2.get(f"{url}/metrics") for _ in range(3)]
        assert [response.status_code for response in found] == [200] * 3
        assert ask(url).status_code == 200


def write(path: Path, text: str) -> None:
    """Write a file as editors do: another file takes its place."""
    other = path.with_suffix(".new")
    other.write_text(text)
    os.replace(other, path)


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    with MockServer(Reply(pieces=["Hi"])) as server:
        upstream = f'[[upstream]]\nurl = "{server.url}"\n'
        write(path, upstream)
        with serving("--config", str(path)) as (url, process):
            assert ask(url).status_code == 200
            assert process.stderr is not None
            write(path, "[[upstream]]\n")
            assert wait_for(process.stderr, "was not read again: .*'url' is missing")
            assert ask(url).status_code == 200
            write(path, f'{upstream}[[key]]\nname = "k"\nhash = "{hash_key("secret")}"\n')
            assert wait_for(process.stderr, "was read again")
            assert ask(url).status_code == 401
            assert ask(url, authorization="Bearer secret").status_code == 200


def wait_for(lines: "Iterator[str]", pattern: str) -> bool:
    return any(re.search(pattern, line) for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no upstream is named; add --upstream URL, or --config FILE"),
        (["--upstream", "nowhere"], "an upstream's url is http://… or https://…, not 'nowhere'"),
        (["--config", "/no/such/file"], "No such file"),
    ],
)
def test_mistakes_are_one_line(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_new_key_is_printed_with_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--new-key"]) == 0
    key, line = capsys.readouterr().out.splitlines()
    assert key.startswith("ms-")
    assert line == f'hash = "{hash_key(key)}"'


def stop_in_the_middle(reply: Reply, *options: str) -> tuple[str, str]:
    """Stop a server while it sends a stream; return the rest of the stream, and the log."""
    with MockServer(reply) as server, serving("--upstream", server.url, *options) as (url, process):
        with httpx2.stream("POST", f"{url}/v1/chat/completions", json={**BODY, "stream": True}) as response:
            parts = response.iter_text()
            text = next(parts)
            process.send_signal(signal.SIGTERM)
            text += "".join(parts)
        process.wait(20)
        assert process.stdout is not None
        return text, process.stdout.read()


def test_a_stream_may_end_after_the_server_is_asked_to_stop() -> None:
    text, log = stop_in_the_middle(Reply(pieces=["a"] * 8, pace=0.2))
    assert text.endswith("data: [DONE]\n\n")
    assert '"outcome": "ok"' in log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stream_that_does_not_end_in_time_says_farewell(workers: str) -> None:
    options = ("--grace", "1", "--workers", workers)
    text, log = stop_in_the_middle(Reply(pieces=["a", "b"], fault=Stall(after=1)), *options)
    assert '"type":"server_shutdown"' in text
    assert "[DONE]" not in text
    assert '"outcome": "left"' in log
