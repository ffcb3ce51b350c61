"""Every error of a command is one line with the remedy, and an exit status of 1 or 2."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from millstream.cli import COMMANDS, main


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command that fails; return its status and the line on stderr."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return status, line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope"], "millstream: there is no command 'nope'; 'millstream --help' explains the command line"),
        (["dcotor"], "did you mean 'doctor'?"),
        (["--nope"], "millstream: unknown arguments: --nope"),
        (["mock", "--nope"], "millstream mock: unknown arguments: --nope; 'millstream mock --help' explains"),
        (["mock", "--fault", "nope"], "argument --fault: "),
        (["mock", "--pace", "-1"], "argument --pace: must be between 0 and 60 seconds"),
        (["mock", "--times", "0"], "argument --times: must be an integer above 0, not '0'"),
        (["mock", "--port", "99999"], "argument --port: must be an integer from 0 to 65535, not '99999'"),
        (["mock", "--speed", "0"], "argument --speed: must be above 0"),
        (["mock", "--speed", "x"], "argument --speed: must be a number, not 'x'"),
        (["mock", "--chop", "words"], "argument --chop: "),
        (["demo", "--pace", "x"], "argument --pace: must be a number, not 'x'"),
        (["record"], "the following arguments are required: URL"),
        (["completion", "nope"], "argument SHELL: invalid choice: 'nope'"),
        (["serve"], "no upstream is named; add --upstream URL, or --config FILE"),
        (["serve", "--upstream", "x"], "an upstream's url is http://… or https://…, not 'x'"),
        (["serve", "--config", "/nowhere"], "/nowhere: No such file or directory; name a TOML file"),
        (["serve", "--upstream", "http://x", "--host", "no.invalid"], "no.invalid is not an address of this machine"),
        (["doctor", "/nowhere"], "/nowhere does not exist; name a file or a folder that does"),
        (["doctor", "--diff", "keep"], "--diff needs a PATH; name the sources to change"),
        (["record", "api.openai.com"], "the upstream must be a URL such as https://api.openai.com/v1"),
    ],
)
def test_an_invalid_command_line_is_refused_in_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = error_of(capsys, *arguments)
    assert status == 2
    name = arguments[0] if arguments[0] in COMMANDS else ""
    assert said.startswith(f"millstream {name}: " if name else "millstream: ")
    assert line in said


@pytest.mark.parametrize("arguments", [["mock"], ["record", "http://x"], ["serve", "--upstream", "http://x"]])
def test_a_port_in_use_is_reported_in_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, line = error_of(capsys, *arguments, "--port", str(port))
    assert (status, line) == (
        1,
        f"millstream {arguments[0]}: port {port} is in use; name another one with --port, or a free one with --port 0",
    )


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["serve", "--upstream", "http://x"], "uvicorn", "server"),
        (["serve", "--upstream", "http://x"], "starlette", "server"),
        (["completion", "bash"], "shtab", "cli"),
    ],
)
def test_a_missing_extra_is_reported_with_the_line_that_installs_it(
    arguments: list[str],
    package: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package or ".server" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    status, line = error_of(capsys, *arguments)
    expected = f"millstream {arguments[0]}: {package} is not installed; pip install 'millstream[{extra}]'"
    assert (status, line) == (1, expected)


@pytest.mark.parametrize("arguments", [["demo"], ["serve", "--upstream", "http://x"]])
def test_a_broken_core_is_reported_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    variables = os.environ | {"MILLSTREAM_PURE": "1", "MILLSTREAM_REQUIRE_NATIVE": "1"}
    command = [sys.executable, "-m", "millstream", *arguments]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"millstream {arguments[0]}: the installation is broken: MILLSTREAM_PURE and ")
    assert line.endswith("; 'millstream doctor' examines it")
