"""What a failure of the last attempt leaves behind: nothing."""

import gc
from contextlib import suppress
from typing import Any

import pytest

from millstream import OpenAI
from millstream.errors import APIConnectionError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda


def refuse(text: str) -> str:
    raise ValueError(text)


HOW = ["invoke", "batch", "stream", "transform", "completed"]
CASES = [(shape, how) for shape in ("retry", "fallbacks", "chain") for how in HOW]


# httpx2's own errors are in cycles.
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(("shape", "how"), [*CASES, ("model", "stream"), ("model", "transform")])
def test_a_failure_is_in_no_reference_cycle(shape: str, how: str) -> None:
    step = RunnableLambda(refuse)
    prompt = PromptTemplate.from_template("{p}")
    model = OpenAI(base_url="http://127.0.0.1:1", api_key="k", max_retries=0)
    chain: Any = {
        "retry": step.with_retry(wait_exponential_jitter=False),
        "fallbacks": step.with_fallbacks([step, step]),
        "chain": (step | str.upper).with_retry(wait_exponential_jitter=False).with_fallbacks([step | str.upper]),
        "model": prompt | model.with_fallbacks([model]) | StrOutputParser(),
    }[shape]
    value: Any = {"p": "x"} if shape == "model" else "x"

    def fail() -> None:
        with suppress(ValueError, APIConnectionError):
            if how == "invoke":
                chain.invoke(value)
            elif how == "batch":
                chain.batch([value, value], {"max_concurrency": 1})
            elif how == "completed":
                list(chain.batch_as_completed([value]))
            else:
                list(chain.stream(value) if how == "stream" else chain.transform(iter([value])))

    fail()
    gc.collect()
    gc.disable()
    try:
        fail()
        assert gc.collect() == 0
    finally:
        gc.enable()
