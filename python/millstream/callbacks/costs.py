"""``CostCallbackHandler``: adds up what the answers of models cost."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from .._context import ambient_handler
from ..messages.usage import UsageMetadata, add_usage
from ..outputs.llm_result import CountedElsewhere
from .handlers import BaseCallbackHandler
from .prices import ModelPrices, compute_cost, find_price, read_prices
from .usage import find_requested_model, find_usage

__all__ = ("CostCallbackHandler", "get_cost_callback")

_UNKNOWN = "unknown"


class CostCallbackHandler(BaseCallbackHandler):
    """Adds up what the answers of models cost, at prices for a million tokens; see :class:`ModelPrices`.

    For example::

        costs = CostCallbackHandler({"gpt-4o": {"input": 2.50, "output": 10, "cache_read": 1.25}})
        chain.batch(topics, {"callbacks": [costs]})
        costs.total  # Decimal('0.00427')

    * ``total`` is the cost of all answers, in the currency of the prices, and ``costs`` that of each model;
      ``usage_metadata`` are the tokens of each model.
    * ``unpriced`` are the models without prices, with the number of their answers: their tokens are counted, and
      cost nothing in ``total``.
    * ``uncounted`` are the models with calls whose tokens are not known, with the number of these calls: the stream
      was left early or broke off, or the server did not report the usage. What they cost is missing in ``total``.

    A request that the server refused with an error status, and an answer from a cache, cost nothing. A model's prices
    are found by the name that its answers report, or else by the requested name; a name that ends with the date of a
    snapshot, as ``gpt-4o-2024-08-06``, also has the prices of the name without the date. Raises :class:`ValueError`
    for prices that are not valid.
    """

    run_inline = True

    def __init__(self, prices: Mapping[str, ModelPrices]) -> None:
        self._prices = read_prices(prices)
        self._lock = threading.Lock()
        self._requested: dict[UUID, str | None] = {}
        self.costs: dict[str, Decimal] = {}
        self.usage_metadata: dict[str, UsageMetadata] = {}
        self.unpriced: dict[str, int] = {}
        self.uncounted: dict[str, int] = {}

    @property
    def total(self) -> Decimal:
        """The cost of all answers of models with prices."""
        with self._lock:
            return sum(self.costs.values(), Decimal(0))

    def __repr__(self) -> str:
        return (
            f"CostCallbackHandler(total={self.total}, costs={self.costs}, unpriced={self.unpriced}, "
            f"uncounted={self.uncounted})"
        )

    def on_llm_start(self, *args: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep the name of the requested model."""
        name = find_requested_model(kwargs.get("invocation_params") or {}, metadata or {})
        with self._lock:
            self._requested[run_id] = name

    on_chat_model_start = on_llm_start

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Add the cost of the answer."""
        usage, model = _find_call(response)
        with self._lock:
            requested = self._requested.pop(run_id, None)
            name = model or requested or _UNKNOWN
            if usage is None or _is_empty(usage):
                _increment(self.uncounted, name)
            elif usage and usage.get("total_cost") != 0:  # which an answer from a cache has
                self._add(name, requested, usage)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: Any = None, **kwargs: Any) -> None:
        """Count a call whose tokens are not known."""
        with self._lock:
            name = self._requested.pop(run_id, None) or _UNKNOWN
            status = getattr(error, "status_code", None)
            if not (isinstance(status, int) and status >= 400):
                _increment(self.uncounted, name)

    def _add(self, name: str, requested: str | None, usage: UsageMetadata) -> None:
        known = self.usage_metadata.get(name)
        self.usage_metadata[name] = usage if known is None else add_usage(known, usage)
        prices: Any = find_price(self._prices, name, requested)
        if prices is None:
            _increment(self.unpriced, name)
        else:
            self.costs[name] = self.costs.get(name, Decimal(0)) + compute_cost(usage, prices)


@contextmanager
def get_cost_callback(prices: Mapping[str, ModelPrices]) -> Generator[CostCallbackHandler, None, None]:
    """Yield a handler that is called for all runs in the block, beside the handlers of their configurations.

    For example::

        with get_cost_callback({"gpt-4o": {"input": 2.50, "output": 10}}) as costs:
            llm.invoke("p")
            print(costs.total)
    """
    with ambient_handler(CostCallbackHandler(prices)) as handler:
        yield handler


def _find_call(response: Any) -> tuple[Any, str | None]:
    """Return the tokens of a model's result, and its name; ``None`` for what is not known, no tokens for a copy."""
    usage, model = find_usage(response)
    output = getattr(response, "llm_output", None)
    if usage is not None or not isinstance(output, dict):
        return usage, model
    counts, name = output.get("token_usage"), model or output.get("model_name")
    if isinstance(counts, CountedElsewhere):
        return {}, name
    if not isinstance(counts, dict) or not counts.get("total_tokens"):
        return None, name
    usage = UsageMetadata(
        input_tokens=counts.get("prompt_tokens") or 0,
        output_tokens=counts.get("completion_tokens") or 0,
        total_tokens=counts["total_tokens"],
    )
    return usage, name


def _is_empty(usage: Mapping[str, Any]) -> bool:
    """Return whether there is a usage without any token: the server has reported none, or has reported nulls."""
    counts = [usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")]
    return bool(usage) and usage.get("total_cost") != 0 and not any(counts)


def _increment(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
