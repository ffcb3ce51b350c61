"""``BatchProgress``: what it counts, and how it shows it."""

import asyncio
import builtins
import io
import sys
from collections.abc import Callable
from typing import Any

import langchain_core.runnables
import pytest

from millstream import ChatOpenAI
from millstream.callbacks import BatchProgress, ProgressReport
from millstream.callbacks.progress_display import describe
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import ErrorStatus, MockServer, Reply, assert_no_leaks


def fail_at_two(number: int) -> int:
    if number == 2:
        raise ValueError("two")
    return number


NESTED = RunnableLambda(lambda number: number) | RunnableLambda(fail_at_two) | RunnableLambda(lambda number: number)


def counts(reports: list[ProgressReport]) -> list[tuple[int, int]]:
    return [(report.done, report.failed) for report in reports]


async def completed(step: Any, config: Any) -> None:
    async for _ in step.abatch_as_completed([0, 1, 2, 3], config, return_exceptions=True):
        pass


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "batch": lambda step, config: step.batch([0, 1, 2, 3], config, return_exceptions=True),
    "configs": lambda step, config: step.batch([0, 1, 2, 3], [config] * 4, return_exceptions=True),
    "bound": lambda step, config: step.with_config(config).batch([0, 1, 2, 3], return_exceptions=True),
    "abatch": lambda step, config: asyncio.run(step.abatch([0, 1, 2, 3], config, return_exceptions=True)),
    "as_completed": lambda step, config: list(step.batch_as_completed([0, 1, 2, 3], config, return_exceptions=True)),
    "abatch_as_completed": lambda step, config: asyncio.run(completed(step, config)),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_input_is_counted_once_whatever_runs_inside(way: str) -> None:
    reports: list[ProgressReport] = []
    with BatchProgress(total=4, report=reports.append) as progress:
        WAYS[way](NESTED, {"callbacks": [progress], "max_concurrency": 1})
    assert [report.done for report in reports] == [1, 2, 3, 4]
    assert [report.failed for report in reports][-1] == 1
    assert {report.total for report in reports} == {4}
    assert progress.value[:3] == (4, 4, 1)


def test_an_input_of_a_chain_is_done_before_the_next_one_begins() -> None:
    log: list[Any] = []
    chain = RunnableLambda(lambda n: log.append(n)) | RunnableLambda(lambda _: None)
    with BatchProgress(report=lambda report: log.append(f"{report.done} done")) as progress:
        chain.batch([10, 20], {"callbacks": [progress], "max_concurrency": 1})
    assert log == [10, "1 done", 20, "2 done"]


def test_a_batch_inside_of_a_run_counts_its_own_inputs() -> None:
    reports: list[ProgressReport] = []

    def run(numbers: list[int]) -> list[int]:
        with BatchProgress(total=2, report=reports.append) as progress:
            return NESTED.batch(numbers, {"callbacks": [progress]})

    assert RunnableLambda(run).invoke([4, 5]) == [4, 5]
    assert counts(reports) == [(1, 0), (2, 0)]


def test_the_runs_of_langchains_steps_are_counted() -> None:
    reports: list[ProgressReport] = []
    step = langchain_core.runnables.RunnableLambda(fail_at_two)
    with BatchProgress(total=4, report=reports.append) as progress:
        config: Any = {"callbacks": [progress], "max_concurrency": 1}
        list(step.batch_as_completed([0, 1, 2, 3], config, return_exceptions=True))
        (RunnableLambda(lambda n: n) | step).batch([0, 1], config)
    assert counts(reports) == [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 1)]


@pytest.mark.parametrize("is_async", [False, True])
def test_tokens_and_failures_of_models_are_counted(is_async: bool) -> None:
    replies = [Reply(), Reply(fault=ErrorStatus(400)), Reply()]
    with MockServer(Reply(), script=replies) as server:
        model = ChatOpenAI(model="m", base_url=server.url, api_key="k", max_retries=0)
        chain = PromptTemplate.from_template("{p}") | model | StrOutputParser()
        with BatchProgress(total=3, report=lambda _: None) as progress:
            config: Any = {"callbacks": [progress], "max_concurrency": 1}
            inputs = [{"p": "a"}, {"p": "b"}, {"p": "c"}]
            if is_async:
                asyncio.run(chain.abatch(inputs, config, return_exceptions=True))
            else:
                chain.batch(inputs, config, return_exceptions=True)
        usage = model.invoke("a").usage_metadata
    assert usage is not None
    assert progress.value.tokens == 2 * usage["total_tokens"]
    assert progress.value[:3] == (3, 3, 1)


def test_the_rate_and_the_time_left_are_computed() -> None:
    report = ProgressReport(done=10, total=40, failed=1, tokens=5210, seconds=5.0)
    assert (report.rate, report.seconds_left) == (2.0, 15.0)
    assert describe(report) == "10/40 done (1 failed), 2/s, 15 s left, 5210 tokens"
    assert ProgressReport(0, 4, 0, 0, 1.0).seconds_left is None
    assert describe(ProgressReport(0, 4, 0, 0, 1.0)) == "0/4 done"
    assert describe(ProgressReport(4, 4, 0, 0, 100.0)) == "4/4 done, 0.04/s, 1 min 40 s in all"
    assert describe(ProgressReport(1, None, 0, 0, 7300.0)) == "1 done, 0.000137/s, 2 h 01 min in all"
    assert ProgressReport(1, 2, 0, 0, 0.0).seconds_left is None


def test_counts_begin_anew_with_each_block() -> None:
    progress = BatchProgress(total=1, report=lambda _: None)
    for _ in range(2):
        with progress:
            NESTED.invoke(1, {"callbacks": [progress]})
        assert progress.value.done == 1


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="total"):
        BatchProgress(total=-1)
    with pytest.raises(ValueError, match="interval"):
        BatchProgress(interval=-1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, **options: Any) -> str:
    """Return what a batch with progress writes to ``stream`` as the standard error stream."""
    monkeypatch.setattr(sys, "stderr", stream)
    with assert_no_leaks(), BatchProgress(total=3, **options) as progress:
        NESTED.batch([0, 1, 2], {"callbacks": [progress], "max_concurrency": 1}, return_exceptions=True)
    return stream.getvalue()


def test_a_log_has_a_line_at_the_end_and_one_each_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = shown(io.StringIO(), monkeypatch).splitlines()
    assert line.startswith("3/3 done (1 failed), ")
    lines = shown(io.StringIO(), monkeypatch, interval=0).splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "1/3 done",
        "2/3 done",
        "3/3 done (1 failed)",
        "3/3 done (1 failed)",
    ]


def test_a_terminal_without_rich_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_rich(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "rich":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    text = shown(Terminal(), monkeypatch, interval=0)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    first, *lines = text.split("\r\x1b[2K")
    assert (first, lines[0]) == ("", "0/3 done")
    assert lines[-1].startswith("3/3 done (1 failed)")


def test_a_terminal_with_rich_has_its_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(Terminal(), monkeypatch)
    assert "3/3" in text
    assert "1 failed" in text


def test_nothing_is_written_without_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with BatchProgress(total=1) as progress:
        assert NESTED.batch([1], {"callbacks": [progress]}) == [1]
    assert progress.value.done == 1


class Broken(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", ["closed", "terminal", "file"])
def test_a_batch_does_not_depend_on_its_display(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(is_terminal=stream == "terminal")
    if stream == "closed":
        broken.close()
    monkeypatch.setattr(sys, "stderr", broken)
    with assert_no_leaks(), BatchProgress(total=2, interval=0) as progress:
        assert NESTED.batch([1, 3], {"callbacks": [progress]}) == [1, 3]
    assert progress.value.done == 2
