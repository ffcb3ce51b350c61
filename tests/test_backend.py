"""Which half runs, and what is said about it: each case in an interpreter of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

import millstream

PACKAGE = Path(millstream.__file__).parent
REPORT = "import millstream; print(millstream.BACKEND, millstream.SSEParser().feed(b'data: a\\n\\n')[0].data)"
LOGGED = f"import logging; logging.basicConfig(level=20, format='%(levelname)s %(name)s: %(message)s'); {REPORT}"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package in it and no native core."""
    folder = tmp_path_factory.mktemp("bare")
    shutil.copytree(PACKAGE, folder / "millstream", ignore=shutil.ignore_patterns("_core.*", "__pycache__"))
    return folder


@pytest.fixture
def broken(bare: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, to put a core into that does not load."""
    return Path(shutil.copytree(bare, tmp_path / "broken"))


def run_python(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` with the package of ``folder``, all warnings being errors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MILLSTREAM_", "PYTHON_GIL"))}
    environment = {**kept, "PYTHONPATH": str(folder), **variables}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_native_core_runs_where_it_is_built(native: ModuleType) -> None:
    assert native.__name__ == "millstream._core"
    done = run_python(LOGGED, PACKAGE.parent)
    assert (done.stdout, done.stderr) == ("rust a\n", "")


def test_the_native_core_satisfies_a_demand_for_it(native: ModuleType) -> None:
    done = run_python(REPORT, PACKAGE.parent, MILLSTREAM_REQUIRE_NATIVE="1")
    assert (done.stdout, done.stderr) == ("rust a\n", "")


def test_python_runs_where_it_is_asked_for() -> None:
    code = f"import sys; {REPORT}; print('millstream._core' in sys.modules)"
    done = run_python(code, PACKAGE.parent, MILLSTREAM_PURE="1")
    assert (done.stdout, done.stderr) == ("python a\nFalse\n", "")


def test_an_absent_core_falls_back_with_one_line(bare: Path) -> None:
    done = run_python(LOGGED, bare)
    assert done.stdout == "python a\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("INFO millstream: ")


def test_an_absent_core_falls_back_with_no_noise(bare: Path) -> None:
    done = run_python(REPORT, bare)
    assert (done.stdout, done.stderr) == ("python a\n", "")


def test_an_absent_core_that_is_demanded_raises(bare: Path) -> None:
    done = run_python(REPORT, bare, MILLSTREAM_REQUIRE_NATIVE="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
    assert "MILLSTREAM_REQUIRE_NATIVE" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("core", "error"),
    [
        ("import millstream_dependency_that_is_missing", "ModuleNotFoundError"),
        ("from millstream._values import a_name_that_is_missing", "ImportError"),
        ("raise ImportError('undefined symbol: PyObject_Something')", "ImportError"),
        ("", "ImportError"),
    ],
)
@pytest.mark.parametrize("required", ["", "1"])
def test_a_broken_core_raises(broken: Path, core: str, error: str, required: str) -> None:
    (broken / "millstream" / "_core.py").write_text(core)
    done = run_python(LOGGED, broken, MILLSTREAM_REQUIRE_NATIVE=required)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"{error}: ")


def test_a_core_that_is_no_shared_object_raises(broken: Path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    (broken / "millstream" / f"_core{EXTENSION_SUFFIXES[0]}").write_bytes(b"not an object")
    done = run_python(REPORT, broken)
    assert done.returncode == 1
    assert "ImportError" in done.stderr.splitlines()[-1]


def test_a_broken_core_does_not_matter_where_python_is_asked_for(broken: Path) -> None:
    (broken / "millstream" / "_core.py").write_text("raise ImportError('broken')")
    done = run_python(REPORT, broken, MILLSTREAM_PURE="1")
    assert (done.stdout, done.stderr) == ("python a\n", "")


def test_a_demand_for_each_half_at_once_raises() -> None:
    done = run_python(REPORT, PACKAGE.parent, MILLSTREAM_PURE="1", MILLSTREAM_REQUIRE_NATIVE="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")


def test_backend_names_the_half_whose_classes_are_public() -> None:
    assert millstream.BACKEND in ("rust", "python")
    home = {"rust": "millstream._core", "python": "millstream._pure"}[millstream.BACKEND]
    assert millstream.SSEParser is sys.modules[home].SSEParser


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has a global lock")
def test_the_native_core_needs_no_global_lock(native: ModuleType) -> None:
    code = f"import sys, {native.__name__}; print(sys._is_gil_enabled())"
    assert run_python(code, PACKAGE.parent).stdout == "False\n"
