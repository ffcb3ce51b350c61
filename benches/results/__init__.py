"""The measurements that stand in the repository: the JSON files beside this module, from which the pages are made."""

from pathlib import Path

from millstream.cli.bench.results import Results, read_results, write_results

__all__ = ("load_results", "save_results")

_FOLDER = Path(__file__).parent


def load_results(name: str, folder: Path = _FOLDER) -> Results:
    """Return the results that were stored as ``name``: ``memory``, ``sockets`` or ``servers``."""
    return read_results((folder / f"{name}.json").read_text("utf-8"))


def save_results(name: str, results: Results, folder: Path = _FOLDER) -> None:
    """Store the results as ``name``."""
    (folder / f"{name}.json").write_text(write_results(results), "utf-8")
