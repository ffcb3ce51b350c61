"""``create_base_retry_decorator``: LangChain's decorator for the requests of users' models. It needs tenacity."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from .._late import guard_import
from .model_type import get_sync_manager

__all__ = ("create_base_retry_decorator",)


def create_base_retry_decorator(
    error_types: Sequence[type[BaseException]], max_retries: int = 1, run_manager: Any = None
) -> Callable[[Any], Any]:
    """Return a decorator of functions that raise: after one of ``error_types`` they are called again.

    They are called ``max_retries`` times at most, with 4 to 10 seconds between the calls. Each retry is logged, and
    reported to the handlers of ``run_manager``.
    """
    tenacity = guard_import("tenacity")
    log = tenacity.before_sleep_log(logging.getLogger("millstream"), logging.WARNING)

    def report(state: object) -> None:
        log(state)
        if run_manager is not None:
            get_sync_manager(run_manager).on_retry(state)

    async def areport(state: object) -> None:
        log(state)
        reported = None if run_manager is None else run_manager.on_retry(state)
        if isawaitable(reported):
            await reported

    def decorate(function: object) -> Any:
        return tenacity.retry(
            reraise=True,
            stop=tenacity.stop_after_attempt(max_retries),
            wait=tenacity.wait_exponential(multiplier=1, min=4, max=10),
            retry=tenacity.retry_if_exception_type(tuple(error_types)),
            before_sleep=areport if iscoroutinefunction(function) else report,
        )(function)

    return decorate
