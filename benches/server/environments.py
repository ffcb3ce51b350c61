"""Environments for gateways whose packages do not go with the others."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..contenders import left_out

__all__ = ("interpreter",)

_HOME = Path(__file__).parents[2] / "target"


def interpreter(key: str, requirements: Sequence[str], *, create: bool) -> str | None:
    """Return the interpreter of the environment ``key``, made if ``create``; ``None`` if there is none."""
    home = _HOME / key
    python, made = home / "bin" / "python", home / "complete"
    if made.exists():
        return str(python)
    if not create:
        left_out[key] = f"{key} is left out: its environment, {home.relative_to(_HOME.parent)}, was not made"
        return None
    print(f"installing {key} into {home.relative_to(_HOME.parent)}", file=sys.stderr, flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        subprocess.run(install, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]
        left_out[key] = f"{key} is left out: it cannot be installed ({reason})"
        return None
    made.touch()
    return str(python)
