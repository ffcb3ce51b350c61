"""``millstream doctor``: which files are read, and what is said of those that are not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from millstream.cli import main
from millstream.cli.doctor.sources import MAX_SOURCE_SIZE, Skipped, Source, read_sources

LINE = "from langchain_openai import OpenAI\n"


def read(*paths: Path) -> dict[str, str | None]:
    """Return the names of the files, each with the reason that it was skipped for."""
    found = list(read_sources(list(map(str, paths))))
    return {Path(item.path).name: item.reason if isinstance(item, Skipped) else None for item in found}


def test_folders_are_searched_without_environments_builds_and_hidden_ones(tmp_path: Path) -> None:
    for folder in (
        "app/inner",
        ".venv",
        "mine",
        "node_modules",
        ".git",
        "build",
        "dist",
        "app/__pycache__",
        "a.egg-info",
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"in_{Path(folder).name}.py").write_text(LINE)
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    (tmp_path / "app" / "notes.txt").write_text(LINE)
    assert list(read(tmp_path)) == ["in_inner.py"]


def test_a_folder_that_is_named_is_searched_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / ".build").mkdir()
    (tmp_path / ".build" / "a.py").write_text(LINE)
    assert list(read(tmp_path / ".build")) == ["a.py"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LINE)
    (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list(read(tmp_path, tmp_path / "a.py", tmp_path)) == ["a.py"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"def f(:\n", "is not valid Python: line 1: invalid syntax"),
        (b"print 'two'\n", "is not valid Python: line 1: "),
        (b"\0\1", "is a binary file"),
        (b"x = '\xff'\n", "is not valid Python: "),
        (b"# coding: nothing\n", "is not valid Python: "),
        (b"(" * 10_000 + b")" * 10_000, "is "),
        (b"-" * 100_000 + b"1", "is nested too deeply"),
        (b"#" * (MAX_SOURCE_SIZE + 1), "is larger than 1 MiB"),
    ],
    ids=range(8),
)
def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_read(
    tmp_path: Path, data: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.py").write_bytes(data)
    (tmp_path / "good.py").write_text(LINE)
    found = read(tmp_path)
    assert (found["bad.py"] or "").startswith(reason)
    assert found["good.py"] is None
    assert main(["doctor", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"not read: {tmp_path / 'bad.py'}: {found['bad.py']}" in printed
    assert "\n1 source read: 1 line could change, 0 remarks\n" in printed


def test_a_pipe_with_the_name_of_a_source_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert read(tmp_path) == {}


def test_a_file_is_read_in_its_own_encoding_and_without_warnings(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9\\d'\n")
    (tmp_path / "b.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    assert read(tmp_path) == {"a.py": None, "b.py": None}


def notebook(*cells: object, language: str = "python") -> str:
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": code, "metadata": {"kernelspec": {"language": language}}, "nbformat": 4})


def test_the_cells_of_a_notebook_are_one_source_with_places_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(
        notebook(
            "!pip install x\n%load_ext y\nimport os",
            ["%%time\n", "import langchain_openai as lo\n", "if lo:\n", "    !ls\n"],
            "%%bash\nls -l",
            "this is no code",
            "llm?\nlo.OpenAI()\n",
        )
    )
    source, bad = sorted(read_sources([str(path)]), key=lambda item: isinstance(item, Skipped))
    assert isinstance(source, Source)
    assert isinstance(bad, Skipped)
    assert (bad.path, bad.reason) == (f"{path}:cell 4", "is not valid Python: line 1: invalid syntax")
    assert [source.place(line) for line in (1, 3, 4, 5, 8, 10)] == [
        f"{path}:cell {place}" for place in ("1:1", "1:3", "2:1", "2:2", "2:5", "5:2")
    ]
    main(["doctor", str(path)])
    assert f"{path}:cell 2:2: import langchain_openai as lo" in capsys.readouterr().out
    main(["doctor", "--diff", "keep", str(path)])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cells": [1]}', '{"cells": {}}', '{"cells": [{"cell_type": "code", "source": 1}]}']
)
def test_a_broken_notebook_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "n.ipynb").write_text(text)
    assert read(tmp_path) == {"n.ipynb": "is not a valid notebook"}


def test_a_notebook_of_another_language_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(notebook("x <- 1", language="R"))
    assert read(tmp_path) == {}


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LINE * 10_000)
    command = [sys.executable, "-m", "millstream", "doctor", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_terminal_without_unicode_shows_escapes(tmp_path: Path) -> None:
    (tmp_path / "é.py").write_text(LINE)
    command = [sys.executable, "-m", "millstream", "doctor", str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    printed = subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    assert rb"\xe9.py:1: from langchain_openai" in printed
