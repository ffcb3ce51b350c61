"""The script that writes the seeds of the fuzz targets knows every target, and the form of an input."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent.parent / "fuzz"
TARGETS = list((FUZZ / "fuzz_targets").glob("*.rs"))
WRITTEN_BY_HAND = {"compare"}

pytestmark = pytest.mark.skipif(not FUZZ.is_dir(), reason="the fuzz targets are not here")


def test_every_target_has_seeds(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FUZZ / "seeds.py", tmp_path], check=True)
    targets = {path.stem for path in TARGETS}
    assert {path.name for path in tmp_path.iterdir()} == targets - WRITTEN_BY_HAND
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == WRITTEN_BY_HAND
    assert all(len(path.read_bytes()) >= 2 for path in tmp_path.glob("*/*"))


def test_the_page_about_fuzzing_lists_every_target() -> None:
    listed = re.findall(r"(?m)^\| `(\w+)` \|", (FUZZ / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(path.stem for path in TARGETS)
