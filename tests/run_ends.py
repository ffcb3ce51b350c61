"""The ends of recorded runs: each run has one, and none is left open."""

import asyncio
from typing import Any

__all__ = ("alone", "check", "has_ended")


def check(log: list[Any], *, cancelled: int = 0, waits: bool = True) -> None:
    """Check that each run has one end, after those of all runs below it, and is no chain's error.

    A step that runs in a thread is not waited for, nor is anything by a second cancellation.
    """
    open_runs: dict[Any, Any] = {}
    for _, event, args, kwargs in log:
        if event.endswith("_start"):
            open_runs[kwargs["run_id"]] = kwargs["parent_run_id"]
        elif event.endswith(("_end", "_error")):
            assert kwargs["run_id"] in open_runs, "a second end"
            del open_runs[kwargs["run_id"]]
            assert not waits or kwargs["run_id"] not in open_runs.values(), "an end before those below"
            assert cancelled or event != "on_chain_error", repr(args[0])
            if event == "on_llm_error" and not cancelled:
                assert type(args[0]) is GeneratorExit
    assert open_runs == {}, "no end"


def has_ended(log: list[Any]) -> bool:
    events = [event for _, event, _, _ in log]
    starts = sum(event.endswith("_start") for event in events)
    ends = sum(event.endswith(("_end", "_error")) for event in events)
    return bool(starts == ends)


async def alone(*logs: list[Any]) -> None:
    """Wait until all runs have ended, in threads too and for each handler, and no task is left."""
    # What is left to the collector is closed in a turn of the loop, by a task of the next one.
    for _ in range(3):
        await asyncio.sleep(0)
    while not (all(map(has_ended, logs)) and asyncio.all_tasks() == {asyncio.current_task()}):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
