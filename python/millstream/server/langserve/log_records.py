"""``LeanLog``: the patches of a run's log without what a client need not know."""

from __future__ import annotations

from typing import Any

from ...events.run_log import Operation, RunLogPatch

__all__ = ("LeanLog", "operations_of")

# The outputs of these child runs are the inputs of others.
_STEPS = ("chain", "prompt")


def operations_of(patch: RunLogPatch) -> dict[str, Any]:
    """Return what LangServe sends of a patch."""
    return {"ops": patch.ops}


class LeanLog:
    """Leaves out the inputs and the metadata of child runs, and the outputs of prompts, chains and functions."""

    __slots__ = ("_hidden",)

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def operations_of(self, patch: RunLogPatch) -> dict[str, Any]:
        """Return what is sent of a patch."""
        return {"ops": [kept for op in patch.ops if (kept := self._keep(op)) is not None]}

    def _keep(self, op: Operation) -> Operation | None:
        path = op["path"].split("/")
        if len(path) < 3 or path[1] != "logs":
            return op
        if len(path) == 3:
            entry = op.get("value") or {}
            if entry.get("type") in _STEPS:
                self._hidden.add(path[2])
            kept = {key: value for key, value in entry.items() if key != "inputs"}
            return {**op, "value": {**kept, "metadata": {}}} if entry else op
        if path[3] == "inputs" or (path[2] in self._hidden and path[3].startswith("streamed_output")):
            return None
        return {**op, "value": None} if path[2] in self._hidden and path[3] == "final_output" else op
