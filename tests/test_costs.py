"""What answers cost: the prices of tokens, and the handler that adds them up."""

import asyncio
import json
from decimal import Decimal, localcontext
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from langchain_chat import chat_models
from millstream import ChatOpenAI, OpenAI
from millstream.caches import InMemoryCache
from millstream.callbacks import CostCallbackHandler, ModelPrices, compute_cost, get_cost_callback
from millstream.callbacks.prices import find_price, read_prices
from millstream.messages import AIMessage
from millstream.output_parsers import StrOutputParser
from millstream.outputs import ChatGeneration, LLMResult
from millstream.prompts import PromptTemplate
from millstream.testing import Cut, ErrorStatus, MockServer, Reply

PRICES: ModelPrices = {"input": 2.50, "output": 10}
FULL: ModelPrices = {
    "input": Decimal("3"),
    "output": 15,
    "cache_read": 0.3,
    "cache_creation": 3.75,
    "cache_creation_1h": 6,
    "input_audio": 40,
    "output_audio": 80,
    "reasoning": 20,
}


def usage(input: int, output: int, of_input: Any = None, of_output: Any = None) -> dict[str, Any]:
    counts: dict[str, Any] = {"input_tokens": input, "output_tokens": output, "total_tokens": input + output}
    return {**counts, "input_token_details": of_input or {}, "output_token_details": of_output or {}}


@pytest.mark.parametrize(
    ("counts", "prices", "cost"),
    [
        (usage(0, 0), PRICES, "0"),
        (usage(1_000_000, 0), PRICES, "2.5"),
        (usage(1, 1), PRICES, "0.0000125"),
        (usage(100, 100, {"cache_read": 90}, {"reasoning": 60}), PRICES, "0.00125"),
        (usage(100, 100, {"cache_read": 90}, {"reasoning": 60}), FULL, "0.001857"),
        (usage(1000, 0, {"cache_creation": 400, "cache_read": 100, "audio": 10}), FULL, "0.0034"),
        (usage(1000, 0, {"cache_creation": 0, "ephemeral_5m_input_tokens": 400}), FULL, "0.0033"),
        (usage(1000, 0, {"ephemeral_1h_input_tokens": 400}), FULL, "0.0042"),
        (usage(1000, 0, {"ephemeral_1h_input_tokens": 400}), {**PRICES, "cache_creation": 3.75}, "0.003"),
        (usage(0, 100, None, {"audio": 90}), FULL, "0.00735"),
        # Kinds that overlap cost what each of them costs.
        (usage(100, 0, {"cache_read": 100, "audio": 100}), FULL, "0.00403"),
        (usage(100, 0, {"priority": 100, "odd": None}), FULL, "0.0003"),
        (usage(100, -5, {"cache_read": -1000}), FULL, "0.0003"),
        ({"input_tokens": 100, "output_tokens": 0, "total_tokens": 100, "input_token_details": None}, FULL, "0.0003"),
    ],
)
def test_the_cost_of_a_usage(counts: dict[str, Any], prices: ModelPrices, cost: str) -> None:
    assert compute_cost(counts, prices) == Decimal(cost)


def test_costs_are_exact() -> None:
    with localcontext(prec=3):
        cost = compute_cost(usage(123_456_789, 987_654_321), {"input": 0.1, "output": 0.075})
    assert cost == Decimal("86.419752975")
    assert str(compute_cost(usage(3, 0), {"input": 0.1, "output": 1})) == "3E-7"


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"input": 1}, "have no 'output'"),
        ({"input": 1, "output": 1, "outputs": 2}, "unknown name 'outputs'; known are input, output"),
        ({"input": -1, "output": 1}, "at least 0, not -1"),
        ({"input": float("nan"), "output": 1}, "at least 0, not nan"),
        ({"input": float("inf"), "output": 1}, "at least 0, not inf"),
        ({"input": "1", "output": 1}, "at least 0, not '1'"),
        ({"input": True, "output": 1}, "at least 0, not True"),
        (None, "must be a dict"),
    ],
)
def test_wrong_prices_are_refused(prices: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_cost(usage(1, 1), prices)
    with pytest.raises(ValueError, match=f"'m'.*{message}"):
        CostCallbackHandler({"m": prices})


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("gpt-4o",), "gpt-4o"),
        (("gpt-4o-2024-08-06",), "gpt-4o"),
        (("gpt-4o-2024-05-13",), "gpt-4o-2024-05-13"),
        (("gpt-4o-mini",), None),
        (("gpt-4o-mini-2024-07-18",), None),
        (("claude-sonnet-4-5-20250929",), "claude-sonnet-4-5"),
        (("claude-sonnet-4-5@20250929",), "claude-sonnet-4-5"),
        (("gpt-4o-2024-0806",), None),
        (("gpt-4o-0806",), None),
        (("gpt-4o-2024-08-06-ft",), None),
        ((None, "gpt-4o"), "gpt-4o"),
        (("a-router", "gpt-4o-2024-08-06"), "gpt-4o"),
        ((None, None), None),
        (("",), None),
    ],
)
def test_prices_are_found_by_the_name_of_a_model_or_of_its_snapshot(names: Any, found: str | None) -> None:
    known = ("gpt-4o", "gpt-4o-2024-05-13", "claude-sonnet-4-5")
    prices = read_prices({name: {"input": at, "output": 0} for at, name in enumerate(known)})
    assert find_price(prices, *names) is (prices[found] if found else None)


def model_of(server: MockServer, model: str = "gpt-4o-2024-08-06", **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=server.url, api_key="k", max_retries=0, **options)


def test_the_costs_of_calls_streams_chains_and_batches_are_added_up() -> None:
    costs = CostCallbackHandler({"gpt-4o": PRICES})
    with MockServer(Reply()) as server:
        model = model_of(server, stream_usage=True)
        one = compute_cost(model.invoke("p").usage_metadata or {}, PRICES)
        config: Any = {"callbacks": [costs]}
        chain = PromptTemplate.from_template("{p}") | model | StrOutputParser()
        model.invoke("p", config)
        list(model.stream("p", config))
        asyncio.run(model.ainvoke("p", config))
        chain.batch([{"p": "a"}, {"p": "b"}], config)
        list(chain.stream({"p": "c"}, config))
    assert one > 0
    assert costs.total == 6 * one
    assert costs.costs == {"gpt-4o-2024-08-06": 6 * one}
    assert costs.usage_metadata["gpt-4o-2024-08-06"]["input_tokens"] == 6
    assert (costs.unpriced, costs.uncounted) == ({}, {})
    assert f"total={6 * one}" in repr(costs)


def test_models_without_prices_are_listed() -> None:
    costs = CostCallbackHandler({"gpt-4o": PRICES})
    with MockServer(Reply()) as server:
        for name in ("gpt-4o", "other", "other"):
            model_of(server, name).invoke("p", {"callbacks": [costs]})
    assert costs.unpriced == {"other": 2}
    assert costs.usage_metadata["other"]["output_tokens"] == 56
    assert list(costs.costs) == ["gpt-4o"]


def test_calls_whose_tokens_are_not_known_are_listed() -> None:
    costs = CostCallbackHandler({"m": PRICES})
    config: Any = {"callbacks": [costs]}
    with MockServer(Reply()) as server:
        model = model_of(server, "m")
        for _ in model.stream("left early", config):
            break
        list(model.stream("without usage", config))
        server.reply = Reply(fault=Cut(after=2))
        with pytest.raises(Exception, match="ended before|broke|closed|reset"):
            list(model.stream("cut", config))
        server.reply = Reply(fault=ErrorStatus(429))
        with pytest.raises(Exception, match="429"):
            model.invoke("refused", config)
    assert costs.uncounted == {"m": 3}
    assert costs.total == 0
    assert not costs.costs
    assert not costs.unpriced


def test_completions_are_counted_once_for_all_prompts_of_a_call() -> None:
    costs = CostCallbackHandler({"gpt-3.5-turbo-instruct": PRICES})
    with MockServer(Reply()) as server:
        llm = OpenAI(base_url=server.url, api_key="k")
        llm.batch(["a", "b"], {"callbacks": [costs]})
        assert costs.uncounted == {}
        llm.invoke("c", {"callbacks": [costs]})
        assert costs.total == compute_cost(usage(3, 84), PRICES)
        list(llm.stream("d", {"callbacks": [costs]}))
        assert costs.uncounted == {"gpt-3.5-turbo-instruct": 1}


def test_an_answer_from_a_cache_costs_nothing() -> None:
    costs = CostCallbackHandler({"m": PRICES})
    with MockServer(Reply()) as server:
        model = model_of(server, "m", cache=InMemoryCache())
        answers = [model.invoke("p", {"callbacks": [costs]}) for _ in range(3)]
    assert costs.total == compute_cost(answers[0].usage_metadata or {}, PRICES)
    assert costs.uncounted == {}


def test_all_runs_in_a_block_are_counted() -> None:
    with MockServer(Reply()) as server:
        model = model_of(server, "m")
        with get_cost_callback({"m": PRICES}) as costs:
            model.batch(["a", "b"])
        model.invoke("c")
    assert costs.total == compute_cost(usage(2, 56), PRICES)


def test_the_models_of_langchain_are_counted() -> None:
    costs: Any = CostCallbackHandler({"m": PRICES})
    with chat_models(Reply()) as (ours, theirs, _):
        for model in (ours, theirs):
            model.invoke("p", {"callbacks": [costs]})
    assert costs.total == compute_cost(usage(2, 56), PRICES)
    # Their fake model reports neither tokens nor a name.
    FakeListChatModel(responses=["a"]).invoke("p", {"callbacks": [costs]})
    assert sum(costs.uncounted.values()) == 1


def test_a_result_without_a_start_is_counted_under_the_name_of_its_answer() -> None:
    from uuid import uuid4

    costs = CostCallbackHandler({"m": PRICES})
    message = AIMessage("a", usage_metadata=usage(1, 1), response_metadata={"model_name": "m"})  # type: ignore[arg-type]
    costs.on_llm_end(LLMResult([[ChatGeneration(message)]]), run_id=uuid4())
    costs.on_llm_end(LLMResult([]), run_id=uuid4())
    assert (costs.total, costs.uncounted) == (Decimal("0.0000125"), {"unknown": 1})


@pytest.mark.parametrize("counts", [{}, {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}])
def test_a_usage_without_numbers_is_not_a_cost_of_nothing(counts: Any) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": counts}
    costs = CostCallbackHandler({"m": PRICES})
    with MockServer(Reply(body=json.dumps(answer).encode(), content_type="application/json")) as server:
        ChatOpenAI(model="m", api_key="k", base_url=server.url).invoke("p", {"callbacks": [costs]})
    assert (costs.costs, costs.uncounted) == ({}, {"m": 1})
