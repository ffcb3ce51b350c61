"""A callback handler for both libraries, which notes the runs of chains in the order of its calls."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler


class RunNotes(BaseCallbackHandler):
    """Notes starts, ends and errors: names instead of ids."""

    run_inline = True

    def __init__(self) -> None:
        self.notes: list[tuple[Any, ...]] = []
        self.open: list[UUID] = []
        self._names: dict[Any, str] = {None: ""}

    def on_chain_start(self, serialized: Any, inputs: Any, **info: Any) -> None:
        name = self._names[info["run_id"]] = info["name"]
        self.open.append(info["run_id"])
        self.notes.append(("start", name, self._names[info["parent_run_id"]], inputs, info["tags"]))

    def on_chain_end(self, outputs: Any, **info: Any) -> None:
        self.open.remove(info["run_id"])
        self.notes.append(("end", self._names[info["run_id"]], outputs))

    def on_chain_error(self, error: BaseException, **info: Any) -> None:
        self.open.remove(info["run_id"])
        self.notes.append(("error", self._names[info["run_id"]], repr(error)))
