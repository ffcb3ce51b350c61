"""What type checkers tell a user: mypy and pyright read the files of right lines, and one of wrong ones."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from millstream import AzureChatOpenAI, ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, OpenAI
from millstream.providers.anthropic.constructors import AnthropicChatArguments
from millstream.providers.google.constructors import GoogleChatArguments
from millstream.providers.ollama.constructors import OllamaChatArguments
from millstream.providers.openai.constructors import AzureChatArguments, ChatArguments, CompletionArguments

ROOT = Path(__file__).parent.parent
FILES = ROOT / "tests" / "typing"
MARK = "# error"

Report = tuple[str, int, str]
"""The file's name, the line, and what is wrong with it."""


def by_mypy() -> Iterator[Report]:
    files = [str(path.relative_to(ROOT)) for path in sorted(FILES.glob("*.py"))]
    command = ["mypy", "--no-error-summary", "--hide-error-context", *files]
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for path, line, message in re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE):
        yield Path(path).name, int(line), message


def by_pyright() -> Iterator[Report]:
    command = ["basedpyright", "--project", str(FILES), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        yield Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("checker", [by_mypy, by_pyright])
def test_a_type_checker_reports_the_wrong_lines_and_no_other(checker: Any) -> None:
    lines = (FILES / "wrong.py").read_text().splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith(MARK)}
    reports = list(checker())
    assert [report for report in reports if report[0] != "wrong.py" or report[1] not in marked] == []
    assert sorted(marked - {line for _, line, _ in reports}) == []


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (OpenAI, CompletionArguments),
        (ChatOpenAI, ChatArguments),
        (AzureChatOpenAI, AzureChatArguments),
        (ChatAnthropic, AnthropicChatArguments),
        (ChatGoogleGenerativeAI, GoogleChatArguments),
        (ChatOllama, OllamaChatArguments),
    ],
)
def test_a_constructor_takes_for_type_checkers_what_it_takes(cls: Any, arguments: Any) -> None:
    types = {name: written(annotation) for name, annotation in arguments.__annotations__.items()}
    taken = {name: written(annotation) for name, _, annotation in cls._list_arguments()}
    assert types.keys() == taken.keys() == inspect.signature(cls).parameters.keys()
    # What a class says is anything may be done to users with more care.
    typed = {name: type for name, type in taken.items() if type != "Any"}
    assert {name: types[name] for name in typed} == typed


def written(annotation: Any) -> str:
    """Return a type as its annotation was written, without the mark of an argument that is required."""
    done = annotation.__name__ if isinstance(annotation, type) else getattr(annotation, "__forward_arg__", annotation)
    return re.sub(r"^Required\[(.*)\]$", r"\1", str(done).removeprefix("typing."))
