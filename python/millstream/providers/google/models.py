"""What depends on the model's name: how requests are built for it, and the form of its answers."""

import re

__all__ = ("has_fixed_sampling", "is_gemini_2_5", "is_gemini_3_or_later", "normalize_model_name")

# These models ignore custom sampling, and reject a request that ends with a turn of the model.
_FIXED_SAMPLING = frozenset({"gemini-3.5-flash-lite", "gemini-3.6-flash"})
_REGION = re.compile(r"^[a-z]{2,}\.(?=(?:gemini|gemma)-)")
_VERSION = re.compile(r"-\d{3}$")
_MAJOR = re.compile(r"gemini-(\d+)")


def normalize_model_name(name: str | None) -> str:
    """Return a model's name in lower case, without the path and the region before it."""
    return _REGION.sub("", (name or "").lower().rpartition("/")[2])


def is_gemini_3_or_later(name: str | None) -> bool:
    """Return whether a model is of Gemini's third generation or later; the content of its answers is a list."""
    return any(int(major) >= 3 for major in _MAJOR.findall(normalize_model_name(name)))


def is_gemini_2_5(name: str | None) -> bool:
    """Return whether a model is of Gemini 2.5."""
    return "gemini-2.5" in normalize_model_name(name)


def has_fixed_sampling(name: str | None) -> bool:
    """Return whether a model ignores custom sampling and rejects a last turn of the model."""
    return _VERSION.sub("", normalize_model_name(name)) in _FIXED_SAMPLING
