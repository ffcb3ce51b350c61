"""Leaving streams of a provider's chat model early, or calls of it: tests that are the same for each.

A test module imports all of it, and defines ``make_model``, which returns a model for a mock server.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

import test_leaving
from endings import aread, read_all
from millstream.errors import StreamError
from millstream.testing import MockServer, Reply, assert_no_leaks
from test_leaving import (
    test_a_stream_that_is_held_is_closed_by_close,
    test_a_stream_that_was_never_begun_sends_nothing,
    test_a_timeout_around_the_consumer_reaches_the_consumer,
    test_aclose_closes_before_it_returns,
    test_an_abandoned_generator_is_closed_by_the_loop_at_its_end,
    test_an_exception_in_the_loop_closes,
    test_async_break_closes_within_a_turn,
    test_async_with_closes,
    test_break_closes_when_the_last_reference_goes,
    test_cancellation_at_any_step_leaves_nothing,
    test_cancelling_a_waiting_consumer_closes_and_takes_one_cancellation,
    test_del_closes,
    test_events_close_as_their_stream_does,
    test_many_streams_left_at_different_places_leave_no_connection,
    test_with_closes,
)

__all__ = (
    "both_ways",
    "check_failure",
    "model_class",
    "open_stream",
    "test_a_stream_that_is_held_is_closed_by_close",
    "test_a_stream_that_was_never_begun_sends_nothing",
    "test_a_timeout_around_the_consumer_reaches_the_consumer",
    "test_aclose_closes_before_it_returns",
    "test_an_abandoned_generator_is_closed_by_the_loop_at_its_end",
    "test_an_answer_leaves_nothing",
    "test_an_exception_in_the_loop_closes",
    "test_async_break_closes_within_a_turn",
    "test_async_with_closes",
    "test_break_closes_when_the_last_reference_goes",
    "test_cancellation_at_any_step_leaves_nothing",
    "test_cancelling_a_waiting_consumer_closes_and_takes_one_cancellation",
    "test_del_closes",
    "test_events_close_as_their_stream_does",
    "test_many_streams_left_at_different_places_leave_no_connection",
    "test_with_closes",
)

both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])

READS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke("p"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("p")),
    "stream": lambda model: list(model.stream("p")),
    "astream": lambda model: asyncio.run(aread(model.astream("p"))),
    "batch": lambda model: model.batch(["p", "q"]),
    "abatch": lambda model: asyncio.run(model.abatch(["p", "q"])),
}
"""The ways to ask a model."""


@pytest.fixture(autouse=True)
def model_class(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the tests of other models' streams over this one's."""
    monkeypatch.setattr(test_leaving, "model", request.module.make_model)


def open_stream(model: Any, asynchronous: bool) -> Any:
    return model.astream("p") if asynchronous else model.stream("p")


@pytest.mark.parametrize("how", READS)
def test_an_answer_leaves_nothing(mock_server: MockServer, request: pytest.FixtureRequest, how: str) -> None:
    with assert_no_leaks():
        READS[how](request.module.make_model(mock_server))


def check_failure(
    make_model: Callable[..., Any],
    reply: Reply,
    expected: tuple[type[Exception], str, str],
    *,
    stalls: bool,
    asynchronous: bool,
) -> None:
    """Read a stream that fails: the class of its error, a part of the message, and the text that had arrived."""
    kind, message, text = expected
    with assert_no_leaks(), MockServer(reply) as server:
        model = make_model(server, stream_chunk_timeout=0.3 if stalls else 30)
        chunks, error = read_all(open_stream(model, asynchronous))
        assert isinstance(error, StreamError)
        assert type(error) is kind
        assert message in str(error)
        assert error.text == text
        assert "".join(chunk.text for chunk in chunks) == text
        del chunks, error
        gc.collect()
