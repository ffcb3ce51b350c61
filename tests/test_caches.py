"""Caches, rate limiters and the settings of the process: the interfaces that users write for."""

import asyncio
import threading
import time
from typing import Any

import langchain_core.caches as their_caches
import langchain_core.globals as their_globals
import langchain_core.rate_limiters as their_limiters
import pytest
import trio
from langchain_core.exceptions import ErrorCode as TheirErrorCode
from langchain_core.exceptions import create_message as their_create_message

from millstream import caches, globals, rate_limiters
from millstream.exceptions import ErrorCode, create_message
from millstream.outputs import Generation

LIBRARIES = pytest.mark.parametrize("library", [caches, their_caches], ids=["ours", "theirs"])
LIMITERS = pytest.mark.parametrize("library", [rate_limiters, their_limiters], ids=["ours", "theirs"])


@LIBRARIES
def test_a_cache_drops_its_oldest_answers(library: Any) -> None:
    cache = library.InMemoryCache(maxsize=2)
    for prompt in "abc":
        cache.update(prompt, "model", [Generation(prompt)])
    assert cache.lookup("a", "model") is None
    assert cache.lookup("c", "model") == [Generation("c")]
    assert cache.lookup("c", "another") is None
    cache.clear()
    assert cache.lookup("c", "model") is None


def test_an_answer_that_is_replaced_drops_no_other() -> None:
    cache = caches.InMemoryCache(maxsize=2)
    for prompt in "abb":
        cache.update(prompt, "model", [Generation(prompt)])
    assert cache.lookup("a", "model") == [Generation("a")]


@LIBRARIES
def test_a_cache_needs_room(library: Any) -> None:
    with pytest.raises(ValueError, match="maxsize must be greater than 0"):
        library.InMemoryCache(maxsize=0)


@LIBRARIES
def test_the_async_methods_of_a_cache_call_the_sync_ones(library: Any) -> None:
    class Cache(library.BaseCache):  # type: ignore[misc]
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def lookup(self, prompt: str, llm_string: str) -> Any:
            self.calls.append((prompt, llm_string))

        def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
            self.calls.append((prompt, llm_string, return_val))

        def clear(self, **kwargs: Any) -> None:
            self.calls.append(kwargs)

    async def main(cache: Any) -> None:
        assert await cache.alookup("a", "b") is None
        await cache.aupdate("a", "b", [])
        await cache.aclear(c=1)

    cache = Cache()
    asyncio.run(main(cache))
    assert cache.calls == [("a", "b"), ("a", "b", []), {"c": 1}]
    memory = library.InMemoryCache()
    memory.update("a", "b", [])
    asyncio.run(main(library.InMemoryCache()))


@LIMITERS
def test_a_limiter_allows_what_its_bucket_holds(library: Any) -> None:
    limiter = library.InMemoryRateLimiter(requests_per_second=1, max_bucket_size=3)
    assert not limiter.acquire(blocking=False)
    limiter.last = time.monotonic() - 100
    assert [limiter.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]
    limiter.last = time.monotonic() - 1.5
    assert limiter.acquire(blocking=False)
    assert limiter.available_tokens < 1


@LIMITERS
def test_a_limiter_waits_for_the_next_token(library: Any) -> None:
    limiter = library.InMemoryRateLimiter(requests_per_second=500, check_every_n_seconds=0.001)
    begin = time.monotonic()
    assert limiter.acquire()
    assert asyncio.run(limiter.aacquire())
    assert time.monotonic() - begin >= 2 / 500


def test_the_loop_runs_while_a_request_waits() -> None:
    limiter = rate_limiters.InMemoryRateLimiter(requests_per_second=0.001)

    async def main() -> list[str]:
        steps = []
        waiting = asyncio.create_task(limiter.aacquire())
        for step in "abc":
            await asyncio.sleep(0)
            steps.append(step)
        waiting.cancel()
        return steps

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_a_limiter_waits_under_trio_too() -> None:
    limiter = rate_limiters.InMemoryRateLimiter(requests_per_second=1000)
    assert trio.run(limiter.aacquire)


def test_threads_share_the_tokens_of_a_limiter() -> None:
    limiter = rate_limiters.InMemoryRateLimiter(requests_per_second=0.001, max_bucket_size=5)
    limiter.last, limiter.available_tokens = time.monotonic(), 5.0
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.extend(limiter.acquire(blocking=False) for _ in range(5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 15 + [True] * 5


@pytest.mark.parametrize(
    "options", [{"requests_per_second": 0}, {"check_every_n_seconds": 0}, {"max_bucket_size": 0.5}]
)
def test_a_limiter_that_would_wait_for_ever_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        rate_limiters.InMemoryRateLimiter(**options)


@pytest.mark.parametrize("library", [globals, their_globals], ids=["ours", "theirs"])
def test_settings_are_what_was_set_last(library: Any) -> None:
    assert (library.get_verbose(), library.get_debug(), library.get_llm_cache()) == (False, False, None)
    cache = caches.InMemoryCache()
    try:
        library.set_verbose(True)
        library.set_debug(True)
        library.set_llm_cache(cache)
        assert (library.get_verbose(), library.get_debug(), library.get_llm_cache()) == (True, True, cache)
    finally:
        library.set_verbose(False)
        library.set_debug(False)
        library.set_llm_cache(None)


def test_a_message_with_an_error_code_links_to_the_guide() -> None:
    assert [code.name for code in ErrorCode] == [code.name for code in TheirErrorCode]
    for name in ErrorCode.__members__:
        assert create_message(message="a", error_code=ErrorCode[name]) == their_create_message(
            message="a", error_code=TheirErrorCode[name]
        )
