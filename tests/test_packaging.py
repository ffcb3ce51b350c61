"""What we ship: what is in it, and that it runs in an empty environment."""

import fcntl
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import millstream
from certificates import environment
from millstream.testing import VERSE

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
LOCK = (ROOT / "requirements-dev.lock").read_text().splitlines()

# The build and the empty environments are to see nothing of the environment that the tests run in.
OWN = ("PYTHON", "VIRTUAL_ENV", "PYO3", "MILLSTREAM", "MAKE", "MFLAGS")
ENVIRONMENT = {name: value for name, value in environment().items() if not name.startswith(OWN)}
# What the builds are for is not their speed, and without optimization they take a third of the time.
ENVIRONMENT |= {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
ENVIRONMENT |= {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0"}

PYTHON_FILES = {
    str(path.relative_to(ROOT / "python"))
    for path in (ROOT / "python" / "millstream").rglob("*")
    if path.suffix in (".py", ".pyi") or path.name == "py.typed"
}
ABOUT = f"millstream-{VERSION}.dist-info"
ABOUT_FILES = {
    f"{ABOUT}/{name}"
    for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/LICENSE-THIRD-PARTY")
}
NATIVE_FILES = {
    f"millstream/_core.cpython-{sys.version_info.major}{sys.version_info.minor}-x86_64-linux-gnu.so",
    f"{ABOUT}/sboms/millstream.cyclonedx.json",
}

linux = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="builds for Linux on x86-64"
)


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run ``command`` and return what it printed; show it where the command fails."""
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def install(requirement: Path, folder: Path) -> Path:
    """Install ``requirement`` into a new, empty environment in ``folder``, and return that."""
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)
    return folder


def demo(environment: Path) -> str:
    """Run the demo in ``environment``, from a folder without sources, and return what it printed."""
    return run(environment / "bin" / "millstream", "demo", "--pace", "0.001", cwd=environment)


def built(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """Return the folder that ``build`` has filled: once, in whichever of the processes that run tests is first."""
    several = "PYTEST_XDIST_WORKER" in os.environ
    place = factory.getbasetemp().parent if several else factory.getbasetemp()
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder := place / name).exists():
            build(folder)
    return folder


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both wheels."""
    return built(tmp_path_factory, "wheels", lambda folder: run("make", "wheels", f"DIST={folder}"))


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution."""
    folder = built(
        tmp_path_factory, "sources", lambda folder: run(sys.executable, "-m", "maturin", "sdist", "--out", folder)
    )
    (archive,) = folder.glob("*.tar.gz")
    return archive


@linux
@pytest.mark.packaging
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("pattern", "backend", "files"),
    [
        ("*-manylinux*.whl", "rust", PYTHON_FILES | ABOUT_FILES | NATIVE_FILES),
        ("*-py3-none-any.whl", "python", PYTHON_FILES | ABOUT_FILES),
    ],
    ids=["native", "pure"],
)
def test_a_wheel_holds_what_it_should_and_runs_the_demo(
    wheels: Path, tmp_path: Path, pattern: str, backend: str, files: set[str]
) -> None:
    (wheel,) = wheels.glob(pattern)
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == files
        about = archive.read(f"{ABOUT}/WHEEL").decode()
    assert ("Root-Is-Purelib: true" in about) is (backend == "python")
    printed = demo(install(wheel, tmp_path / "environment"))
    assert f"millstream {VERSION}, backend: {backend}, " in printed
    assert "|".join(VERSE) in printed
    assert "...Truncated\n\n--- chat: chat.stream\n" in printed


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_source_distribution_builds_and_installs_without_the_makefile(sources: Path, tmp_path: Path) -> None:
    with tarfile.open(sources) as archive:
        archive.extractall(tmp_path, filter="data")
    environment = install(tmp_path / f"millstream-{VERSION}", tmp_path / "environment")
    assert f"millstream {VERSION}, backend: rust, " in demo(environment)


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_source_distribution_holds_sources_alone(sources: Path) -> None:
    with tarfile.open(sources) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    own = {f"python/{name}" for name in PYTHON_FILES} | {
        str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.rs")
    }
    beside = {"PKG-INFO", "Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "CHANGELOG.md"}
    beside |= {"LICENSE", "LICENSE-THIRD-PARTY"}
    assert own | beside <= names
    others = {name for name in names - own - beside if not re.fullmatch(r"(tests/\w+|benches/core)\.rs", name)}
    assert others == set()


def test_the_notices_are_those_of_what_is_linked() -> None:
    run(sys.executable, ROOT / "packaging" / "third_party.py", "--check")


def test_the_version_is_cargos() -> None:
    assert millstream.__version__ == VERSION
    assert f"## {VERSION} " in (ROOT / "CHANGELOG.md").read_text()


def test_the_lock_file_pins_exactly_and_names_no_host() -> None:
    assert [line for line in LOCK if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_the_lock_file_holds_every_tool() -> None:
    locked = {line.partition("==")[0].lower() for line in LOCK}
    wanted = [*PROJECT["dependency-groups"]["dev"], *PROJECT["project"]["dependencies"]]
    assert {re.split(r"[<>=!~ \[]", name)[0] for name in wanted} <= locked
