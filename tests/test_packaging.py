"""What we ship: what is in it, and that it runs in an empty environment."""

import fcntl
import os
import re
import shutil
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


@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo knows what is linked")
def test_the_notices_are_those_of_what_is_linked() -> None:
    run(sys.executable, ROOT / "packaging" / "third_party.py", "--check")


def test_the_version_is_cargos() -> None:
    assert millstream.__version__ == VERSION
    assert f"## {VERSION} " in (ROOT / "CHANGELOG.md").read_text()


def release(folder: Path, tag: str, day: str, files: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the check of a release on a repository in ``folder`` whose newest version has ``day`` in the changelog."""
    shutil.copytree(ROOT / "packaging", folder / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "Cargo.toml").write_text('[package]\nversion = "1.20.3"\n')
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## 1.20.3 ({day})\n\n- New.\n\n## 1.20.2 (2026-01-31)\n")
    command: list[str | Path] = [sys.executable, "-B", folder / "packaging" / "release.py", tag]
    if files:
        (folder / "dist").mkdir()
        for name in files:
            (folder / "dist" / name).touch()
        command.append(folder / "dist")
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("tag", "day", "fault"),
    [
        ("v1.20.3", "2026-02-28", ""),
        ("v1.20.2", "2026-02-28", "the version in Cargo.toml is 1.20.3"),
        ("v1x20.3", "2026-02-28", "the version in Cargo.toml is 1.20.3"),
        ("1.20.3", "2026-02-28", "the version in Cargo.toml is 1.20.3"),
        ("v1.20.3", "unreleased", "CHANGELOG.md has 'unreleased' for the day of the release of 1.20.3, not a date"),
        ("v1.20.3", "2026-02-30", "CHANGELOG.md has '2026-02-30' for the day of the release of 1.20.3, not a date"),
    ],
)
def test_a_tag_is_released_once_the_changelog_has_its_day(tmp_path: Path, tag: str, day: str, fault: str) -> None:
    done = release(tmp_path, tag, day, [])
    assert (done.stdout, done.stderr) == (f"{tag}: {fault or 'ready'}\n", "")
    assert done.returncode == (1 if fault else 0)


LINUX = [f"{oldest}_{machine}" for oldest in ("manylinux_2_17", "musllinux_1_2") for machine in ("x86_64", "aarch64")]
PLATFORMS = [re.sub("manylinux_2_17_(.*)", r"manylinux2014_\1.manylinux_2_17_\1", name) for name in LINUX]
PLATFORMS += ["macosx_10_12_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64"]
KINDS = ("cp311-cp311", "cp312-cp312", "cp313-cp313", "cp314-cp314", "cp314-cp314t")
TAGS = ["py3-none-any", *(f"{kind}-{platform}" for kind in KINDS for platform in PLATFORMS)]
FILES = ["millstream-1.20.3.tar.gz", *(f"millstream-1.20.3-{tag}.whl" for tag in TAGS)]


def test_a_release_has_every_distribution_and_nothing_else(tmp_path: Path) -> None:
    missing, other = FILES[17], "millstream-1.20.3-pp311-pypy311_pp73-macosx_11_0_arm64.whl"
    whole = release(tmp_path / "whole", "v1.20.3", "2026-02-28", FILES)
    assert (whole.stdout, whole.returncode) == ("v1.20.3: ready\n", 0)
    done = release(tmp_path / "other", "v1.20.3", "2026-02-28", [name for name in FILES if name != missing] + [other])
    pattern = missing.replace("macosx_11_0", "macosx_*")
    assert done.stdout == f"v1.20.3: 0 files are {pattern}; {other} is no part of a release\n"
    assert done.returncode == 1


def test_the_lock_file_pins_exactly_and_names_no_host() -> None:
    assert [line for line in LOCK if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_the_lock_file_holds_every_tool() -> None:
    locked = {line.partition("==")[0].lower() for line in LOCK}
    wanted = [*PROJECT["dependency-groups"]["dev"], *PROJECT["project"]["dependencies"]]
    assert {re.split(r"[<>=!~ \[]", name)[0] for name in wanted} <= locked
