"""Makes the pure-Python wheel from the native one: the same files without the compiled ones.

Takes the folder that holds the native wheel and writes ``*-py3-none-any.whl`` beside it. It is for
machines that have neither a native wheel nor a compiler.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main(folder: Path) -> None:
    """Write the pure wheel into ``folder``."""
    native = max(folder.glob("*-cp*.whl"), key=lambda wheel: wheel.stat().st_mtime, default=None)
    if native is None:
        sys.exit(f"no native wheel in {folder}")
    with tempfile.TemporaryDirectory() as place:
        wheel("unpack", "--dest", place, str(native))
        (root,) = Path(place).iterdir()
        strip(root)
        wheel("pack", "--dest-dir", str(folder), str(root))


def wheel(*arguments: str) -> None:
    """Run ``python -m wheel``."""
    subprocess.run([sys.executable, "-m", "wheel", *arguments], check=True)


def strip(root: Path) -> None:
    """Remove the shared object, its SBOM and its libraries, and tag the wheel for any platform."""
    cores = [path for path in root.glob("millstream/_core.*") if path.suffix != ".pyi"]
    compiled = [*cores, *root.glob("*.libs"), *root.glob("*.dist-info/sboms")]
    for path in compiled:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (about,) = root.glob("*.dist-info/WHEEL")
    kept = [line for line in about.read_text().splitlines() if line and not line.startswith(("Root-Is-Purelib", "Tag"))]
    about.write_text("\n".join([*kept, "Root-Is-Purelib: true", "Tag: py3-none-any", ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
