"""The metadata of videos: which part of them the model sees."""

from collections.abc import Mapping
from typing import Any

__all__ = ("convert_video_metadata",)

_NAMES = {"startOffset": "start_offset", "endOffset": "end_offset", "contentLayers": "content_layers"}


def convert_video_metadata(metadata: object) -> dict[str, Any]:
    """Return the metadata of a video as requests have it.

    An offset is a text such as ``"10s"``, a number of seconds, or a dict of ``seconds`` and ``nanos``. Raises
    :class:`ValueError` for offsets that are negative or in the wrong order, which the server reports as an
    internal error.
    """
    dump = getattr(metadata, "model_dump", None)
    values = dump(exclude_none=True) if callable(dump) else metadata
    if not isinstance(values, Mapping):
        raise ValueError(
            "video_metadata must be a mapping or a VideoMetadata-like object with start_offset/end_offset, got"
            f" {type(metadata).__name__}"
        )
    named: dict[str, Any] = {_NAMES.get(str(name), str(name)): value for name, value in values.items()}
    start, end = (_read_seconds(named.get(name)) for name in ("start_offset", "end_offset"))
    for name, seconds in (("start_offset", start), ("end_offset", end)):
        if seconds is not None and seconds < 0:
            raise ValueError(f"video_metadata.{name} must be non-negative, got {seconds}s")
    if start is not None and end is not None and start > end:
        raise ValueError(f"video_metadata.start_offset ({start}s) must not exceed video_metadata.end_offset ({end}s)")
    return {name: _to_offset(value) if name.endswith("_offset") else value for name, value in named.items()}


def _read_seconds(value: object) -> float | None:
    try:
        if isinstance(value, str):
            return float(value[:-1]) if value.endswith("s") else None
        if isinstance(value, Mapping):
            return float(value.get("seconds", 0)) + float(value.get("nanos", 0)) / 1e9
    except (TypeError, ValueError):
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _to_offset(value: object) -> object:
    seconds = None if isinstance(value, str) else _read_seconds(value)
    return value if seconds is None else f"{seconds:g}s"
