"""``UsageMetadata``: token counts, and their sums."""

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict, cast

from .._merge import add_counts
from .._typed_dicts import with_pydantic_schema
from .validation import order_usage

__all__ = ("InputTokenDetails", "OutputTokenDetails", "UsageMetadata", "add_usage", "subtract_usage", "sum_usages")


@with_pydantic_schema
class InputTokenDetails(TypedDict, total=False):
    """Input tokens by type. Providers may report other types too, and the counts need not sum up."""

    audio: int
    cache_creation: int
    cache_read: int


@with_pydantic_schema
class OutputTokenDetails(TypedDict, total=False):
    """Output tokens by type. Providers may report other types too, and the counts need not sum up."""

    audio: int
    reasoning: int


@with_pydantic_schema
class UsageMetadata(TypedDict):
    """The numbers of input, output and total tokens; the details break the counts down."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: NotRequired[InputTokenDetails]
    output_token_details: NotRequired[OutputTokenDetails]


def add_usage(left: UsageMetadata | None, right: UsageMetadata | None) -> UsageMetadata:
    """Return the sum of two usages, details included; zero if both are ``None``."""
    return sum_usages((left, right)) or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)


def subtract_usage(left: UsageMetadata | None, right: UsageMetadata | None) -> UsageMetadata:
    """Return ``left`` without ``right``, details included; no count is less than zero.

    Returns the other one if one is ``None``, and zero if both are.
    """
    if not left or not right:
        return left or right or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
    return cast("UsageMetadata", order_usage(_subtract(left, right)))


def _subtract(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    for name in (*left, *(name for name in right if name not in left)):
        one, other = left.get(name), right.get(name)
        if isinstance(one or 0, int) and isinstance(other or 0, int):
            rest[name] = max((one or 0) - (other or 0), 0)
        elif isinstance(one or {}, Mapping) and isinstance(other or {}, Mapping):
            rest[name] = _subtract(one or {}, other or {})
        else:
            raise ValueError(f"{name}: counts must be numbers or dicts of numbers, not {one!r} and {other!r}")
    return rest


def sum_usages(usages: Iterable[Mapping[str, Any] | None]) -> UsageMetadata | None:
    """Return the sum of usages, details included; ``None`` if there are none."""
    nonempty = [usage for usage in usages if usage]
    if not nonempty:
        return None
    zero = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    return cast("UsageMetadata", order_usage(add_counts((zero, *nonempty))))
