"""The tests that docs/how-to/pytest.md shows pass, in a run of their own."""

import subprocess
import sys
from pathlib import Path

from millstream.testing import MockServer
from page_files import find_files, write_files
from server_processes import user_environment

PAGE = "how-to/pytest.md"


def test_the_tests_of_the_page_pass(tmp_path: Path, mock_server: MockServer) -> None:
    write_files(PAGE, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environment = user_environment(mock_server)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout
    count = sum(text.count("\ndef test_") for text in find_files(PAGE).values())
    assert f"{count} passed" in done.stdout
    assert mock_server.requests == []
