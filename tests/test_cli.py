"""The command ``millstream``."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import httpx2
import pytest

import millstream
from millstream.cli import COMMANDS, main
from millstream.cli.waiting import wait_for_interrupt
from millstream.testing import GOLDFISH, VERSE, ErrorStatus, MockServer, Reply


def test_the_demo_shows_its_samples_piece_by_piece(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--pace", "0"]) == 0
    first, sync, asynchronous, events, chat = re.split(r"\n--- .*\n", capsys.readouterr().out)
    assert first.startswith(f"millstream {metadata.version('millstream')}, backend: {millstream.BACKEND}, server: http")
    assert sync == "|".join([*VERSE, "\n"])
    assert asynchronous == "|".join([*VERSE, "\n"])
    lines = events.splitlines()
    assert [re.findall(r"on_llm_\w+", line) for line in lines] == [["on_llm_start"], *[["on_llm_stream"]] * 3, []]
    assert [f"'chunk': {piece!r}" in line for piece, line in zip(GOLDFISH, lines[1:4], strict=False)] == [True] * 3
    assert lines[-1] == "...Truncated"
    # The first chunk has the role, the last ones the finish reason and the usage.
    assert [piece for piece in chat.split("|") if piece] == [*filter(None, VERSE), "\n"]


@contextmanager
def mock(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run ``millstream mock`` and yield its base URL."""
    command = [sys.executable, "-m", "millstream", "mock", "--port", "0", "--pace", "0", *options]
    pipe = subprocess.PIPE
    # What ignores the signal, as a shell's background job does, passes that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        signal.signal(signal.SIGINT, before)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().removeprefix("OPENAI_BASE_URL="), process
        finally:
            process.kill()


def test_mock_serves_until_it_is_interrupted() -> None:
    with mock("--text", "two words", "--model", "m") as (url, process):
        answer = httpx2.post(url + "/completions", json={"prompt": "p"}).json()
        assert (answer["choices"][0]["text"], answer["model"]) == ("two words", "m")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


def test_an_interrupt_that_another_thread_receives_ends_a_wait_too() -> None:
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait()
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    def wait() -> None:
        threading.Timer(0.05, begun.set).start()
        wait_for_interrupt()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            wait()
    finally:
        signal.signal(signal.SIGINT, before)
        thread.join()


def test_mock_limits_the_number_of_faults() -> None:
    with mock("--fault", "status:503", "--times", "2", "--varied", "5") as (url, _):
        statuses = [httpx2.post(url + "/completions", json={"prompt": "p"}).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_mock_accepts_a_fault_named_by_the_request() -> None:
    with mock("--pieces-per-write", "3", "--bytes-per-write", "5") as (url, _):
        body = {"prompt": "p", "model": "fault:status:429"}
        assert httpx2.post(url + "/completions", json=body).status_code == 429
        assert httpx2.post(url + "/completions", json={"prompt": "p", "stream": True}).text.count("data: ") == 30


def test_a_port_in_use_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with mock() as (url, _):
        assert main(["mock", "--port", str(httpx2.URL(url).port)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("millstream mock: ")


def test_mock_prints_a_line_for_each_request() -> None:
    with mock("--echo", "--first-token-delay", "0.01") as (url, process):
        assert process.stderr is not None
        shown = process.stderr
        assert "http" in shown.readline()
        page = {"origin": "http://localhost:3000"}
        answer = httpx2.post(url + "/completions", json={"prompt": "one two", "model": "a\x1b[1m"}, headers=page)
        assert answer.json()["choices"][0]["text"] == "one two"
        assert answer.headers["access-control-allow-origin"] == "*"
        # A line is printed after its response, on a connection of its own: the next request waits for it.
        lines = [shown.readline()]
        httpx2.post(url + "/completions", json={"prompt": "one two", "model": "m", "stream": True})
        lines.append(shown.readline())
        with pytest.raises(httpx2.ReadError):
            httpx2.post(url + "/completions", json={"prompt": "p", "stream": True}, headers={"x-mock-fault": "reset:1"})
        lines.append(shown.readline())
    path = "POST  /v1/completions"
    clocks, said = zip(*(line.split(maxsplit=1) for line in lines), strict=True)
    assert [re.sub(r"\d\.\d{3} s\n", "T", line) for line in said] == [
        f"{path}  a?[1m  200  T",
        f"{path}  m  200  2 pieces  T",
        f"{path}  200  1 piece  cut  T",
    ]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", clock) for clock in clocks)


def test_alone_it_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    alone = capsys.readouterr().out
    assert alone.startswith("usage: millstream ")
    assert set(re.findall(r"^    (\w+) ", alone, re.MULTILINE)) >= COMMANDS.keys()
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert (caught.value.code, capsys.readouterr().out) == (0, alone)


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == main(["-V"]) == 0
    assert capsys.readouterr().out == f"millstream {metadata.version('millstream')}\n" * 2


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: millstream {command} ")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)])
def test_help_loads_only_the_command_line(arguments: list[str]) -> None:
    code = "import sys; from millstream.cli import main\n"
    code += f"try: main({arguments!r})\nexcept SystemExit: pass\n"
    code += "print(*(name for name in sys.modules if name.startswith('millstream.')), file=sys.stderr)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # `_late` is what makes the rest of the package lazy.
    allowed = ("millstream.cli", "millstream._late")
    assert [name for name in done.stderr.split() if not name.startswith(allowed)] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_the_completion_of_a_shell_knows_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command in script for command in COMMANDS)
    assert "pieces-per-write" in script


def test_the_command_and_the_module_are_one() -> None:
    (entry,) = metadata.entry_points(group="console_scripts", name="millstream")
    assert entry.load() is main


@pytest.mark.parametrize("arguments", ["--help", "chat --help", "--version", "completion bash", "demo --pace 0"])
def test_a_reader_that_has_left_ends_the_command_without_a_word(arguments: str) -> None:
    # The pipe is closed before the command writes: its reader exits at once.
    script = f"exec 3>&1; ({sys.executable} -m millstream {arguments}; echo $? >&3) | :"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout in ("0\n", "141\n")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_narrow_terminal_in_another_encoding(command: str) -> None:
    variables = os.environ | {"COLUMNS": "20", "PYTHONIOENCODING": "ascii"}
    line = [sys.executable, "-m", "millstream", *command.split(), "--help"]
    done = subprocess.run(line, env=variables, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_a_message_of_a_server_does_not_control_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    fault = ErrorStatus(400, "bad \x1b[2J\x1b]0;title\x07\x9b31m")
    with MockServer(Reply(fault=fault)) as server:
        assert main(["chat", "--model", "openai:m", "--base-url", server.url, "hello"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "bad [2J]0;title31m" in line
    assert line.isprintable()
