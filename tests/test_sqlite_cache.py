"""``SQLiteCache``: what it keeps, for whom, and what becomes of broken files."""

import asyncio
import copy
import gc
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from millstream import ChatOpenAI, OpenAI
from millstream.caches import SQLiteCache
from millstream.caches.stored_answers import dump_answer, load_answer
from millstream.errors import MillstreamError
from millstream.globals import set_llm_cache
from millstream.messages import AIMessage, AIMessageChunk, HumanMessage
from millstream.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk
from millstream.testing import MockServer, Reply

TABLE = "millstream_answers"
CALL: Any = {"name": "add", "args": {"a": 1, "b": [None, 2.5]}, "id": "call-1", "type": "tool_call"}
INVALID_CALL: Any = {**CALL, "args": "{", "error": "no", "type": "invalid_tool_call"}
USAGE: Any = {
    "input_tokens": 3,
    "output_tokens": 5,
    "total_tokens": 8,
    "input_token_details": {"cache_read": 2},
    "output_token_details": {"reasoning": 4},
}
BLOCKS: Any = [{"type": "reasoning", "reasoning": "häm 😀"}, {"type": "text", "text": "a", "annotations": []}]
ANSWERS: dict[str, list[Generation]] = {
    "texts": [Generation("a"), Generation("", {"finish_reason": "stop", "logprobs": {"x": [-0.5, float("-inf")]}})],
    "a chunk": [GenerationChunk("a", {"n": 1})],
    "a message": [
        ChatGeneration(
            AIMessage(
                BLOCKS,
                id="run-1",
                tool_calls=[CALL],
                invalid_tool_calls=[INVALID_CALL],
                usage_metadata=USAGE,
                response_metadata={"model_name": "m", "headers": {"x": "y"}},
                additional_kwargs={"refusal": None, "parsed": {"a": 1}},
            ),
            {"finish_reason": "tool_calls"},
        )
    ],
    "a message's chunk": [
        ChatGenerationChunk(
            AIMessageChunk(
                "a", tool_call_chunks=[{"name": "f", "args": "{", "id": None, "index": 0}], usage_metadata=USAGE
            )
        )
    ],
    "another message": [ChatGeneration(HumanMessage("a", name="n"))],
    "none": [],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.db"


@pytest.fixture
def cache(path: Path) -> Iterator[SQLiteCache]:
    with SQLiteCache(path) as cache:
        yield cache


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_returned_as_it_was_kept(name: str, path: Path) -> None:
    answer = ANSWERS[name]
    with SQLiteCache(path) as first:
        first.update("p", "m", answer)
    with SQLiteCache(path) as second:
        assert second.lookup("p", "m") == answer
        assert second.lookup("p", "m2") is None
        assert second.lookup("pm", "") is None
    assert load_answer(dump_answer(answer)) == answer


def test_an_answer_is_replaced_and_all_are_removed(cache: SQLiteCache) -> None:
    cache.update("p", "m", [Generation("a")])
    cache.update("p", "m", [Generation("b")])
    cache.update("\ud800", "m", [Generation("\ud801")])
    assert cache.lookup("p", "m") == [Generation("b")]
    assert cache.lookup("\ud800", "m") == [Generation("\ud801")]
    cache.clear()
    assert cache.lookup("p", "m") is None


def test_answers_are_kept_for_a_time(path: Path) -> None:
    with SQLiteCache(path) as cache:
        for prompt in ("old", "new"):
            cache.update(prompt, "m", [Generation("a")])
    with sqlite3.connect(path) as connection:
        # One answer is as old as it can be.
        connection.execute(f"UPDATE {TABLE} SET kept_at = 0 WHERE key = (SELECT max(key) FROM {TABLE})")
    connection.close()
    with SQLiteCache(path) as forever:
        assert [forever.lookup(prompt, "m") for prompt in ("old", "new")] == [[Generation("a")]] * 2
    with SQLiteCache(path, ttl=3600) as cache:
        assert sorted(cache.lookup(prompt, "m") is None for prompt in ("old", "new")) == [False, True]
    with SQLiteCache(path) as rest:
        assert sorted(rest.lookup(prompt, "m") is None for prompt in ("old", "new")) == [False, True]
    with pytest.raises(ValueError, match="ttl"):
        SQLiteCache(path, ttl=0)


def ask(model: Any, *, is_async: bool) -> Any:
    return asyncio.run(model.ainvoke("p")) if is_async else model.invoke("p")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_global", [False, True])
def test_a_model_is_asked_once(is_global: bool, is_async: bool, path: Path) -> None:
    try:
        with MockServer(Reply()) as server:
            answers = []
            for _ in range(2):
                with SQLiteCache(path) as cache:
                    set_llm_cache(cache if is_global else None)
                    model = ChatOpenAI(model="m", base_url=server.url, api_key="k", cache=None if is_global else cache)
                    answers.append(ask(model, is_async=is_async))
            assert len(server.requests) == 1
        assert answers[0].content == answers[1].content
        assert answers[1].usage_metadata["total_cost"] == 0
    finally:
        set_llm_cache(None)


def test_the_prompts_of_a_completion_model_are_asked_once(cache: SQLiteCache) -> None:
    with MockServer(Reply()) as server:
        llm = OpenAI(base_url=server.url, api_key="k", cache=cache)
        texts = [llm.batch(["a", "b"]), llm.batch(["b", "a", "c"]), asyncio.run(llm.abatch(["a", "c"]))]
        assert [request.body["prompt"] for request in server.requests] == [["a", "b"], ["c"]]
    assert len({text for batch in texts for text in batch}) == 1


SCRIPT = """
import sys
from millstream import ChatOpenAI
from millstream.caches import SQLiteCache
with SQLiteCache(sys.argv[1]) as cache:
    print(ChatOpenAI(model="m", base_url=sys.argv[2], api_key=sys.argv[3], cache=cache).invoke("p").content)
"""


def test_another_process_has_the_answers_and_another_key_too(path: Path) -> None:
    with MockServer(Reply()) as server:
        texts = [
            subprocess.run(
                [sys.executable, "-c", SCRIPT, path, server.url, key], capture_output=True, text=True, check=True
            ).stdout
            for key in ("k", "another")
        ]
        assert len(server.requests) == 1
    assert texts[0] == texts[1]
    assert b"another" not in path.read_bytes()


WRITER = """
import sys
from millstream.caches import SQLiteCache
from millstream.outputs import Generation
with SQLiteCache(sys.argv[1]) as cache:
    for number in range(50):
        cache.update(f"{sys.argv[2]}-{number}", "m", [Generation(str(number))])
        assert cache.lookup(f"{sys.argv[2]}-{number}", "m") == [Generation(str(number))]
"""


def test_processes_and_threads_write_at_the_same_time(path: Path) -> None:
    with SQLiteCache(path) as cache:
        processes = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(name)]) for name in range(2)]
        threads = [
            threading.Thread(target=cache.update, args=(f"2-{number}", "m", [Generation("a")])) for number in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [process.wait() for process in processes] == [0, 0]
        assert all(cache.lookup(f"{name}-{number}", "m") is not None for name in range(3) for number in range(50))


FORK = """
import os, sys
from millstream.caches import SQLiteCache
from millstream.outputs import Generation
with SQLiteCache(sys.argv[1]) as cache:
    cache.update("p", "m", [Generation("a")])
    child = os.fork()
    if not child:
        assert cache.lookup("p", "m") == [Generation("a")]
        cache.update("c", "m", [Generation("child")])
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.lookup("c", "m") == [Generation("child")]
    cache.update("after", "m", [Generation("a")])
    assert cache.lookup("after", "m") == [Generation("a")]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_opens_the_file_anew(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("runner", [lambda use: asyncio.run(use()), trio.run], ids=["asyncio", "trio"])
def test_async_code_uses_threads(runner: Any, cache: SQLiteCache, monkeypatch: pytest.MonkeyPatch) -> None:
    loop_thread = threading.get_ident()
    seen: list[int] = []

    async def use() -> Any:
        await cache.aupdate("p", "m", [Generation("a")])
        found = await cache.alookup("p", "m")
        await cache.aclear()
        return found, await cache.alookup("p", "m")

    real = SQLiteCache._run

    def noting(self: SQLiteCache, *args: Any) -> Any:
        seen.append(threading.get_ident())
        return real(self, *args)

    monkeypatch.setattr(SQLiteCache, "_run", noting)

    assert runner(use) == ([Generation("a")], None)
    assert loop_thread not in seen
    assert len(seen) == 4


def test_a_closed_cache_opens_the_file_again(cache: SQLiteCache) -> None:
    cache.update("p", "m", [Generation("a")])
    cache.close()
    cache.close()
    assert cache.lookup("p", "m") == [Generation("a")]


def test_a_cache_that_is_dropped_closes_its_file(path: Path) -> None:
    cache = SQLiteCache(path)
    cache.update("p", "m", [Generation("a")])
    wal = path.with_name(path.name + "-wal")
    assert wal.exists()
    del cache
    gc.collect()
    assert not wal.exists()


def test_a_file_that_is_not_a_database_is_refused(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(MillstreamError, match=r"answers\.db cannot be opened: file is not a database; name another"):
        SQLiteCache(path)
    with pytest.raises(MillstreamError, match="unable to open database file"):
        SQLiteCache(path.parent / "missing" / "answers.db")
    assert path.read_bytes() == b"no database" * 1000


ROWS = [
    [{"class": "os", "generation_info": None}],
    [{"class": "Generation", "generation_info": None, "text": 7}],
    [{"class": "Generation", "generation_info": 7, "text": "a"}],
]


@pytest.mark.parametrize("row", ["", "{", "null", "7", "{}", "[7]", "[{}]", *map(json.dumps, ROWS)])
def test_a_broken_row_is_no_answer_and_is_replaced(
    row: str, cache: SQLiteCache, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.update("p", "m", [Generation("a")])
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {TABLE} SET answer = ?", (row,))
    connection.close()
    assert cache.lookup("p", "m") is None
    assert "no answer is taken from the cache" in caplog.text
    cache.update("p", "m", [Generation("b")])
    assert cache.lookup("p", "m") == [Generation("b")]


def test_a_file_that_breaks_later_costs_no_answer(
    cache: SQLiteCache, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with MockServer(Reply()) as server:
        model = ChatOpenAI(model="m", base_url=server.url, api_key="k", cache=cache)
        with sqlite3.connect(path) as connection:
            connection.execute(f"DROP TABLE {TABLE}")
        connection.close()
        assert model.invoke("p").content
    assert "no answer is taken from the cache" in caplog.text
    assert "an answer is not kept in the cache" in caplog.text
    with pytest.raises(MillstreamError, match="cannot be cleared: no such table"):
        cache.clear()


@pytest.mark.parametrize("value", [{1: "a"}, {"a": (1, 2)}, {"a": object()}, {"a": {1, 2}}, {"a": b"b"}])
def test_an_answer_that_json_would_change_is_not_kept(
    value: Any, cache: SQLiteCache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.update("p", "m", [Generation("a", value)])
    assert cache.lookup("p", "m") is None
    assert "an answer is not kept in the cache: the answer cannot be written as JSON" in caplog.text


def test_the_representation_has_the_arguments(path: Path) -> None:
    with SQLiteCache(path, ttl=5) as cache:
        assert repr(cache) == f"SQLiteCache({str(path)!r}, ttl=5)"
    with SQLiteCache(":memory:") as cache:
        assert repr(cache) == "SQLiteCache(':memory:')"
        cache.update("p", "m", [Generation("a")])
        assert cache.lookup("p", "m") == [Generation("a")]


def test_a_pickled_cache_opens_the_same_file(path: Path) -> None:
    with SQLiteCache(path, ttl=60) as cache:
        cache.update("p", "s", [Generation("a")])
        for other in (pickle.loads(pickle.dumps(cache)), copy.deepcopy(cache)):
            assert repr(other) == repr(cache)
            assert other.lookup("p", "s") == [Generation("a")]
            other.close()
