"""What tokens cost: the prices of a model, and the cost of a usage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any, NotRequired, TypeAlias, TypedDict

__all__ = ("ModelPrices", "Price", "compute_cost", "find_price", "read_prices")

Price: TypeAlias = Decimal | float | int
"""The price of a million tokens, in any currency. A float stands for the decimal number that it is written as."""


class ModelPrices(TypedDict):
    """What a million tokens of a model cost, in any currency.

    ``input`` and ``output`` are the prices of tokens of no other kind. A kind without a price of its own costs as
    much as other input, or output: ``cache_read``, ``cache_creation`` (``cache_creation_1h`` where the cache keeps
    the tokens for an hour) and ``input_audio`` among the input tokens; ``reasoning`` and ``output_audio`` among the
    output tokens.
    """

    input: Price
    output: Price
    cache_read: NotRequired[Price]
    cache_creation: NotRequired[Price]
    cache_creation_1h: NotRequired[Price]
    input_audio: NotRequired[Price]
    output_audio: NotRequired[Price]
    reasoning: NotRequired[Price]


# The names of the details of a usage, and of the prices; the first price that is known is taken.
_INPUT_KINDS = {
    "cache_read": ("cache_read",),
    "cache_creation": ("cache_creation",),
    "ephemeral_5m_input_tokens": ("cache_creation",),
    "ephemeral_1h_input_tokens": ("cache_creation_1h", "cache_creation"),
    "audio": ("input_audio",),
}
_OUTPUT_KINDS = {"reasoning": ("reasoning",), "audio": ("output_audio",)}
_NAMES = tuple(ModelPrices.__annotations__)
_MILLION = 1_000_000
_EXACT = Context(prec=60)
# The date of a snapshot: gpt-4o-2024-08-06, claude-sonnet-4-5-20250929, claude-sonnet-4-5@20250929.
_DATE = re.compile(r"[-@]20\d\d(-?)[01]\d\1[0-3]\d\Z")


def compute_cost(usage: Mapping[str, Any], prices: ModelPrices) -> Decimal:
    """Return the cost of ``usage``, a message's ``usage_metadata``, at ``prices``; it is not rounded.

    >>> from millstream.callbacks import compute_cost
    >>> usage = {"input_tokens": 1200, "output_tokens": 350, "total_tokens": 1550}
    >>> compute_cost(usage, {"input": 2.50, "output": 10})
    Decimal('0.0065')

    Tokens of a kind that has no price of its own cost as much as other input or output. Raises
    :class:`ValueError` for a price that is not a number of at least 0, and for an unknown name.
    """
    known = _read_model_prices("the model", prices)
    sides = (
        ("input", usage.get("input_tokens") or 0, usage.get("input_token_details"), _INPUT_KINDS),
        ("output", usage.get("output_tokens") or 0, usage.get("output_token_details"), _OUTPUT_KINDS),
    )
    with localcontext(_EXACT):
        cost = Decimal(0)
        for side, count, details, kinds in sides:
            for tokens, price in _find_priced(details or {}, kinds, known):
                cost += tokens * price
                count -= tokens
            cost += max(count, 0) * known[side]
        return cost / _MILLION


def read_prices(prices: Mapping[str, ModelPrices]) -> dict[str, dict[str, Decimal]]:
    """Return the prices of each model as decimal numbers; raises :class:`ValueError` for those that are not valid."""
    return {model: _read_model_prices(repr(model), one) for model, one in prices.items()}


def find_price(prices: Mapping[str, Mapping[str, Decimal]], *names: str | None) -> Mapping[str, Decimal] | None:
    """Return the prices for the first of a model's names that is known, as it is or without the date of a snapshot."""
    for name in names:
        for one in (name, _DATE.sub("", name)) if name else ():
            if one in prices:
                return prices[one]
    return None


def _find_priced(
    details: Mapping[str, Any], kinds: Mapping[str, tuple[str, ...]], prices: Mapping[str, Decimal]
) -> Iterator[tuple[int, Decimal]]:
    """Yield the number of tokens of each kind that has a price of its own, and that price."""
    for kind, names in kinds.items():
        tokens, price = details.get(kind) or 0, next((prices[name] for name in names if name in prices), None)
        if tokens > 0 and price is not None:
            yield tokens, price


def _read_model_prices(model: str, prices: Mapping[str, Any]) -> dict[str, Decimal]:
    if not isinstance(prices, Mapping):
        raise ValueError(f"the prices of {model} must be a dict, not {prices!r}")
    if unknown := sorted(set(prices) - set(_NAMES)):
        raise ValueError(f"the prices of {model} have an unknown name {unknown[0]!r}; known are {', '.join(_NAMES)}")
    for name in ("input", "output"):
        if name not in prices:
            raise ValueError(f"the prices of {model} have no {name!r}")
    return {name: _read_price(model, name, price) for name, price in prices.items()}


def _read_price(model: str, name: str, price: object) -> Decimal:
    try:
        value = Decimal(str(price)) if isinstance(price, Decimal | float | int) and type(price) is not bool else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or value < 0:
        raise ValueError(f"the price {name!r} of {model} must be a number of at least 0, not {price!r}")
    return value
