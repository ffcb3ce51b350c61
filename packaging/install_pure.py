"""Installs the sources into this environment as they are, without the core: ``python packaging/install_pure.py``.

It is for machines without a Rust toolchain, and does what ``maturin develop`` does elsewhere: the package is imported
from the checkout, its command and its pytest plugin are registered. A Millstream that is installed stays.
"""

import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Install a wheel that has the path of the sources in place of the package."""
    try:
        version("millstream")
    except PackageNotFoundError:
        with tempfile.TemporaryDirectory() as place:
            write(Path(place, "wheel"))
            run("wheel", "pack", "--dest-dir", place, str(Path(place, "wheel")))
            (made,) = Path(place).glob("*.whl")
            run("pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", str(made))


def write(folder: Path) -> None:
    """Write the contents of the wheel."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    number = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["package"]["version"]
    about = folder / f"{project['name']}-{number}.dist-info"
    about.mkdir(parents=True)
    (folder / "millstream.pth").write_text(f"{ROOT / 'python'}\n", "utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {number}\n", "utf-8")
    (about / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", "utf-8")
    lines: list[str] = []
    for group, points in {"console_scripts": project["scripts"], **project["entry-points"]}.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join([*lines, ""]), "utf-8")


def run(*module: str) -> None:
    """Run ``python -m MODULE``."""
    subprocess.run([sys.executable, "-m", *module], check=True)


if __name__ == "__main__":
    main()
