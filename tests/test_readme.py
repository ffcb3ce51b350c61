"""The README's snippets, executed as they stand against the mock server."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from millstream.testing import MockServer
from pages import point_at
from serving import serve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def run(snippet: str, server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(server, monkeypatch)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(snippet, "README.md", "exec"), namespace)
    if (app := namespace.get("app")) is not None:
        with serve(app) as url:
            print(httpx2.post(url, content=b"hello").text)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_runs(
    snippet: str, mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(snippet, mock_server, monkeypatch)
    printed = capsys.readouterr().out
    assert printed
    if "EventStreamResponse" in snippet:
        assert '{"type":"text-delta","id":"0","delta":"Spark"}' in printed
        assert printed.endswith("data: [DONE]\n\n\n")
    if 'end="|"' in snippet:
        assert printed.startswith("\n\n|Spark|ling| water|,| oh| so clear|")
    assert "cut after" not in printed


def test_the_commands_are_targets_with_a_help_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert commands == ["demo", "test"]
    for target in (*commands, "lint", "bench", "build", "wheels"):
        assert re.search(rf"^{target}:.*  ## \w", makefile, re.MULTILINE), target


def test_the_files_it_points_to_exist() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_measured_table_has_its_place() -> None:
    assert README.count("<!-- bench:begin -->\n") == README.count("<!-- bench:end -->\n") == 1


def test_importing_a_name_does_not_load_the_http_client() -> None:
    code = "import sys; from millstream import OpenAI; sys.exit('httpx2' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
