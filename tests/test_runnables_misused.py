"""Wrong inputs of Runnables, tools and lists of messages are errors that name what is taken."""

import math
import sys
from collections.abc import Callable
from typing import Any

import pytest

from millstream.messages import convert_to_messages
from millstream.rate_limiters import InMemoryRateLimiter
from millstream.runnables import RunnableLambda
from millstream.tools import tool


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def divide(number: int, by: int) -> float:
    """Divide a number."""
    return number / by


STEP: Any = RunnableLambda(str)
TOOL: Any = double
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a configuration": (lambda: STEP.invoke(1, "tags"), "config must be a dict, not str"),
    "elements": (lambda: STEP.map().invoke(1), r"made by map\(\) takes a list of inputs, not int"),
    "a fallback": (lambda: STEP.with_fallbacks(STEP), "fallbacks must be a list of Runnables, not RunnableLambda"),
    "a step": (lambda: STEP | 1, r"Instead got an unsupported type: <class 'int'>. .* as a function: lambda _: value"),
    "messages": (lambda: convert_to_messages(1), "messages are a prompt value, a message, or a list .* not int"),
    "the input of a tool": (lambda: TOOL.invoke(1), "Invalid tool input type: <class 'int'>. A tool takes"),
    "a type to retry": (lambda: STEP.with_retry(retry_if_exception_type=ValueError), "must be a tuple of exception"),
    "no type to retry": (lambda: STEP.with_retry(retry_if_exception_type="x"), "must be a tuple of exception"),
    "a wait": (
        lambda: STEP.with_retry(exponential_jitter_params={"initail": 1}),
        "has no 'initail'; did you mean initial",
    ),
    "no type to handle": (
        lambda: STEP.with_fallbacks([STEP], exceptions_to_handle="x"),
        "must be a tuple of exception",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_input_is_named(name: str) -> None:
    call, message = CALLS[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_a_tool_without_pydantic_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(ImportError, match="install it with `pip install pydantic`"):
        tool(divide)


@pytest.mark.parametrize("name", ["requests_per_second", "check_every_n_seconds", "max_bucket_size"])
def test_a_limit_of_requests_is_a_number(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        InMemoryRateLimiter(**{name: math.nan})


def test_types_of_exceptions_may_be_a_list() -> None:
    calls: list[int] = []

    def fail(number: int) -> int:
        calls.append(number)
        raise ValueError(number)

    step: Any = RunnableLambda(fail)
    retried = step.with_retry(retry_if_exception_type=[ValueError], wait_exponential_jitter=False, stop_after_attempt=2)
    assert retried.with_fallbacks([str], exceptions_to_handle=[ValueError]).invoke(1) == "1"
    assert calls == [1, 1]
