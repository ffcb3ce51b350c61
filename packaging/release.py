"""Checks a release: ``python packaging/release.py TAG [FOLDER]``.

The tag names the version in ``Cargo.toml``, and the changelog has a heading with that version and the day of the
release. If a folder is named, it holds the source distribution and each wheel of that version, and nothing else.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from wheels import PYTHONS, TARGETS

ROOT = Path(__file__).parent.parent
MACHINES = ("macosx_*_x86_64", "macosx_*_arm64", "win_amd64", "win_arm64")
"""The platforms of the wheels that machines of their own build."""


def main(tag: str, folder: Path | None = None) -> int:
    """Print what the release lacks; return 1 if it lacks anything."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["package"]["version"]
    faults = [*check_tag(tag, version)]
    if folder is not None:
        faults += check_files([path.name for path in folder.iterdir()], list_expected(version))
    print(f"{tag}: {'; '.join(faults) or 'ready'}")
    return 1 if faults else 0


def check_tag(tag: str, version: str) -> Iterator[str]:
    """Yield a line if the tag is of another version, and one if the changelog does not describe it as released."""
    if tag != f"v{version}":
        yield f"the version in Cargo.toml is {version}"
    heading = rf"^## {re.escape(version)} \((.*)\)$"
    found = re.search(heading, (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    if found is None:
        yield f"CHANGELOG.md has no heading for {version}"
    elif not is_date(found[1]):
        yield f"CHANGELOG.md has {found[1]!r} for the day of the release of {version}, not a date"


def is_date(text: str) -> bool:
    """Return whether ``text`` is a day as in 2026-01-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def list_expected(version: str) -> list[str]:
    """Return a pattern for the name of each file of a release."""
    linux = [f"*{oldest}_{target.partition('-')[0]}*" for target, oldest in TARGETS.items()]
    kinds = [f"cp{python.rstrip('t').replace('.', '')}-cp{python.replace('.', '')}" for python in PYTHONS]
    tags = [f"{kind}-{platform}" for kind in kinds for platform in (*linux, *MACHINES)]
    return [f"millstream-{version}.tar.gz", *(f"millstream-{version}-{tag}.whl" for tag in (*tags, "py3-none-any"))]


def check_files(names: list[str], expected: list[str]) -> Iterator[str]:
    """Yield a line for each expected pattern that not exactly one name matches, and for each other name."""
    for pattern in expected:
        found = [name for name in names if fnmatchcase(name, pattern)]
        if len(found) != 1:
            yield f"{len(found)} files are {pattern}"
    for name in names:
        if not any(fnmatchcase(name, pattern) for pattern in expected):
            yield f"{name} is no part of a release"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:3])))
