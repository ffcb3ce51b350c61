"""The versions of installed distributions."""

from importlib import metadata

__all__ = ("installed_version",)


def installed_version(distribution: str) -> str | None:
    """Return the version of ``distribution``, ``None`` if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
