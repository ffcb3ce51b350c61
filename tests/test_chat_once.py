"""``millstream chat`` with a question from a pipe or on the command line: one answer, in plain text."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from millstream.testing import ErrorStatus, MockServer, Reply, Stall, refusing_url
from pseudo_terminal import run_in_terminal

NO_VARIABLES = {
    **dict.fromkeys(("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_API_KEY"), ""),
    **dict.fromkeys(("GOOGLE_API_KEY", "GEMINI_API_KEY", "OLLAMA_API_KEY"), ""),
}


def run(
    *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "millstream", "chat", *arguments]
    environment = {**os.environ, **NO_VARIABLES, **(variables or {})}
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False)


def error_of(done: "subprocess.CompletedProcess[bytes]", status: int) -> str:
    """Return the one line of an error."""
    assert (done.returncode, done.stdout) == (status, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("millstream chat: ")
    return line


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ([], b"hi\n", "hi"),
        (["explain", "this"], b"", "explain this"),
        (["explain", "this"], b"a\nb\n", "explain this\n\na\nb"),
        ([], "\ufeffhéllo".encode(), "héllo"),
        ([], b"bad \xff byte", "bad \ufffd byte"),
    ],
)
def test_the_answer_is_plain_text_on_stdout(
    mock_server: MockServer, arguments: list[str], stdin: bytes, message: str
) -> None:
    mock_server.reply = Reply(pieces=["\n**one**", "\x1b[1m two"], reasoning=["Hm"])
    done = run("--base-url", mock_server.url, *arguments, stdin=stdin)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\n**one**\x1b[1m two\n", b"")
    assert mock_server.requests[-1].body["messages"] == [{"role": "user", "content": message}]


def test_reasoning_and_statistics_are_on_stderr(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one", " two"], reasoning=["Hm", "m."])
    done = run("--base-url", mock_server.url, "--reasoning", "--stats", "hi")
    assert done.stdout == b"one two\n"
    thoughts, _, stats = done.stderr.decode().splitlines()
    assert thoughts == "Hmm."
    assert stats.startswith("1 + 4 tokens, first chunk after ")
    assert "\x1b" not in stats


def test_options_are_arguments_of_the_model(mock_server: MockServer) -> None:
    options = ("--temperature", "0.5", "-o", "max_tokens=7", "-o", 'model_kwargs={"seed": 3}', "-o", "user=7up")
    assert run("--base-url", mock_server.url, "--model", "llama3:8b", *options, "hi").returncode == 0
    body = mock_server.requests[-1].body
    assert (body["model"], body["temperature"], body["seed"]) == ("llama3:8b", 0.5, 3)
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_the_first_model_of_a_server_is_the_default(mock_server: MockServer) -> None:
    mock_server.reply = Reply(model="first")
    ways: list[tuple[list[str], dict[str, str]]] = [
        (["--base-url", mock_server.url], {}),
        ([], {"OPENAI_BASE_URL": mock_server.url}),
    ]
    for arguments, variables in ways:
        assert run(*arguments, "hi", variables=variables).returncode == 0
        listing, question = mock_server.requests[-2:]
        assert (listing.method, listing.path) == ("GET", "/v1/models")
        assert question.body["model"] == "first"


@pytest.mark.parametrize(
    ("model", "path", "variables"),
    [
        ("openai:m", "/v1/chat/completions", {"OPENAI_BASE_URL": "{url}"}),
        ("m", "/v1/chat/completions", {"OPENAI_BASE_URL": "{url}"}),
        ("anthropic:m", "/v1/messages", {"ANTHROPIC_BASE_URL": "{origin}"}),
        ("claude-x", "/v1/messages", {"ANTHROPIC_BASE_URL": "{origin}"}),
        ("ollama:m", "/api/chat", {"OLLAMA_HOST": "{origin}"}),
        ("google-genai:m", "/v1/models/m:streamGenerateContent", {"GOOGLE_GEMINI_BASE_URL": "{origin}"}),
    ],
)
def test_a_name_chooses_the_provider(mock_server: MockServer, model: str, path: str, variables: dict[str, str]) -> None:
    mock_server.reply = Reply(pieces=["yes"])
    named = {name: value.format(url=mock_server.url, origin=mock_server.origin) for name, value in variables.items()}
    done = run("--model", model, "hi", variables=named)
    assert (done.stdout, done.stderr) == (b"yes\n", b"")
    assert mock_server.requests[-1].path == path


@pytest.mark.parametrize(
    ("arguments", "variables", "line"),
    [
        (["hi"], {}, "no model is named, and OPENAI_API_KEY is not set; set it, or name a server of your own with"),
        (["hi"], {"ANTHROPIC_API_KEY": "k"}, "no model is named; --model anthropic:NAME, for the key in ANTHROPIC_API"),
        (["hi", "--model", "claude-x"], {}, "Anthropic needs a key, and ANTHROPIC_API_KEY is not set; set it, or"),
        (["hi", "--model", "groq:x"], {}, "the provider of the model 'groq:x' is not known; write PROVIDER:x with one"),
        (["hi", "--model", "gpt-x", "-o", "temprature=1"], {"OPENAI_API_KEY": "k"}, "did you mean temperature?; "),
        (["hi", "-o", "temperature"], {}, "argument -o/--option: must be NAME=VALUE, not 'temperature'"),
        (["hi", "--temperature", "warm"], {}, "argument --temperature: must be a number, not 'warm'"),
        ([], {}, "there is no message; write one as an argument or to stdin"),
    ],
)
def test_what_cannot_be_asked_is_reported_in_one_line(
    arguments: list[str], variables: dict[str, str], line: str
) -> None:
    assert line in error_of(run(*arguments, variables=variables), 2)


def test_failures_are_reported_in_one_line(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(401, "bad\nkey"))
    line = error_of(run("--base-url", mock_server.url, "--model", "m", "hi"), 1)
    assert line.endswith("Error code: 401 - bad key; check the key in OPENAI_API_KEY")
    line = error_of(run("--base-url", mock_server.url, "hi"), 1)
    assert line.endswith(f"{mock_server.url} refused the key (status 401); check it in OPENAI_API_KEY")
    mock_server.reply = Reply(fault=ErrorStatus(404))
    line = error_of(run("--base-url", mock_server.url, "hi"), 2)
    assert line.endswith("does not list its models (status 404); name one with --model NAME")
    with refusing_url() as url:
        for options in (["--model", "m", "-o", "max_retries=0"], []):
            line = error_of(run("--base-url", url, *options, "hi"), 1)
            assert f"no connection to {url.removesuffix('/v1')}: " in line
            assert line.endswith("check --base-url and the network: 'millstream doctor --online' examines them")


def test_the_partial_answer_is_kept_when_the_stream_breaks(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one", " two"])
    done = run("--base-url", mock_server.url, "--model", "fault:reset:1", "hi")
    assert (done.returncode, done.stdout) == (1, b"one\n")
    (line,) = done.stderr.decode().splitlines()
    assert line.endswith("; run it again")


@contextmanager
def running(server: MockServer) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command whose answer stalls after a piece."""
    server.reply = Reply(pieces=["one", "two"], fault=Stall(after=1))
    command = [sys.executable, "-m", "millstream", "chat", "--base-url", server.url, "--model", "m", "hi"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        signal.signal(signal.SIGINT, before)
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_closes_the_connection_and_ends_the_command(mock_server: MockServer) -> None:
    with running(mock_server) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"one"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stdout.read() == b"\n"
    assert mock_server.wait_closed().closed_by == "client"


def test_a_reader_that_has_left_ends_the_command_without_a_word(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["x" * 1000] * 2000)
    command = f"{sys.executable} -m millstream chat --base-url {mock_server.url} --model m hi | head -c 1"
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"x", b"")
    assert mock_server.wait_closed().closed_by == "client"


def test_without_rich_the_answer_is_plain(mock_server: MockServer, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ModuleNotFoundError('hidden', name='rich')")
    mock_server.reply = Reply(pieces=["**one**\n", "- two"])
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = ("chat", "--base-url", mock_server.url, "--model", "m", "go")
    with run_in_terminal(*arguments, variables={**NO_VARIABLES, "PYTHONPATH": path}) as terminal:
        assert terminal.wait() == 0
    assert terminal.screen[:2] == ["**one**", "- two"]
