"""What type checkers infer of batches, costs, caches and waits: every line here is right."""

from decimal import Decimal
from typing import assert_type

from millstream import APIStatusError, ChatOpenAI, ProviderError
from millstream.caches import BaseCache, SQLiteCache
from millstream.callbacks import (
    BatchProgress,
    CostCallbackHandler,
    ModelPrices,
    ProgressReport,
    compute_cost,
    get_cost_callback,
)
from millstream.messages import AIMessage

llm = ChatOpenAI(model="m", cache=SQLiteCache("answers.db", ttl=60))
PRICES: ModelPrices = {"input": 2.50, "output": Decimal("10"), "cache_read": 1}


def show(report: ProgressReport) -> None:
    assert_type(report.done, int)
    assert_type(report.total, int | None)
    assert_type(report.seconds_left, float | None)


with BatchProgress(total=2, report=show) as progress:
    assert_type(progress, BatchProgress)
    assert_type(llm.batch(["a", "b"], {"callbacks": [progress], "max_concurrency": 2}), list[AIMessage])
    assert_type(progress.value, ProgressReport)
BatchProgress(report=lambda report: print(report.rate))

with get_cost_callback({"m": PRICES}) as costs:
    assert_type(costs, CostCallbackHandler)
    assert_type(costs.total, Decimal)
    assert_type(costs.unpriced, dict[str, int])
CostCallbackHandler({"m": {"input": 1, "output": 2}})
if usage := llm.invoke("a").usage_metadata:
    assert_type(compute_cost(usage, PRICES), Decimal)

with SQLiteCache() as cache:
    kept: BaseCache = cache


def wait_of(error: APIStatusError | ProviderError) -> float | None:
    assert_type(error.retry_after, float | None)
    return error.retry_after
