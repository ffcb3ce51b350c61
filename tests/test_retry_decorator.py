"""``create_base_retry_decorator``: tenacity's decorator for users' models, beside LangChain's."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun as TheirAsyncManager
from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
from langchain_core.callbacks import CallbackManagerForLLMRun as TheirManager
from langchain_core.language_models.llms import create_base_retry_decorator as create_theirs

from millstream.callbacks import AsyncCallbackManagerForLLMRun, BaseCallbackHandler, CallbackManagerForLLMRun
from millstream.language_models.llms import create_base_retry_decorator

ERRORS: list[type[BaseException]] = [ConnectionError, ValueError]


def attempt(create: Any, manager: Any, handler: Any, errors: list[Any], is_async: bool) -> Any:
    """Return what a call ends with, how often it was made and retried, and the waits between."""
    seen: list[Any] = []
    left = list(errors)

    class Listener(handler):  # type: ignore[misc]
        def on_retry(self, retry_state: Any, **kwargs: Any) -> None:
            seen.append(("retry", retry_state.attempt_number))

    one = manager(run_id=uuid4(), handlers=[Listener()], inheritable_handlers=[])
    decorate = create(ERRORS, max_retries=3, run_manager=one)

    def call() -> str:
        seen.append("call")
        if left:
            raise left.pop(0)
        return "answer"

    async def acall() -> str:
        return call()

    async def wait(seconds: float) -> None:
        seen.append(seconds)

    decorated = decorate(acall if is_async else call)
    decorated.retry.sleep = wait if is_async else seen.append
    try:
        result = asyncio.run(decorated()) if is_async else decorated()
    except Exception as error:
        result = type(error)
    return result, seen


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    "errors", [[], [ValueError("a")], [ConnectionError("a")] * 2, [ValueError("a")] * 5, [KeyError("a")]]
)
def test_calls_are_repeated_after_certain_errors(errors: list[Any], is_async: bool) -> None:
    own = attempt(create_base_retry_decorator, CallbackManagerForLLMRun, BaseCallbackHandler, errors, is_async)
    assert own == attempt(create_theirs, TheirManager, TheirHandler, errors, is_async)


def test_an_async_run_reports_its_retries_before_the_next_call() -> None:
    errors = [ValueError("a")]
    own = attempt(create_base_retry_decorator, AsyncCallbackManagerForLLMRun, BaseCallbackHandler, errors, True)
    assert own == ("answer", ["call", ("retry", 1), 4, "call"])
    # LangChain leaves the report to a task.
    their = attempt(create_theirs, TheirAsyncManager, TheirHandler, errors, True)
    assert their[0] == "answer"


def test_a_sync_call_reports_to_the_handlers_of_an_async_run() -> None:
    errors = [ValueError("a")]
    own = attempt(create_base_retry_decorator, AsyncCallbackManagerForLLMRun, BaseCallbackHandler, errors, False)
    assert own == ("answer", ["call", ("retry", 1), 4, "call"])


def test_no_run_is_necessary() -> None:
    @create_base_retry_decorator([ValueError])
    def call() -> str:
        raise ValueError("only one")

    with pytest.raises(ValueError, match="only one"):
        call()
