"""The cells of docs/how-to/jupyter.md in a real kernel, and cells that are left and interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from millstream.testing import VERSE, Endless, MockServer, Reply, Stall
from page_files import find_programs

TEXT = "".join(VERSE)


@pytest.fixture
def upstream(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> MockServer:
    monkeypatch.setenv("OPENAI_BASE_URL", mock_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "mock")
    return mock_server


def output_of(cell: Any) -> str:
    """Return what a cell prints, and its value."""
    outputs = [output.get("text") or output.data.get("text/plain", "") for output in cell.outputs]
    return "".join(outputs)


def test_the_cells_of_the_page_run(upstream: MockServer) -> None:
    cells = [nbformat.v4.new_code_cell(program) for program in find_programs("how-to/jupyter.md")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    printed = [output_of(cell) for cell in notebook.cells]
    assert printed[:2] == [TEXT, TEXT]
    assert "'total_tokens'" in printed[2]
    assert printed[3].count("Spark") == 6
    # The display is replaced by each update.
    assert notebook.cells[4].outputs[0].data["text/markdown"] == TEXT
    assert printed[6] == TEXT
    assert printed[7] == "'Trout.'"
    upstream.wait_until(lambda: upstream.connections.open == 0)


class Kernel:
    """A running kernel, whose cells can be interrupted."""

    def __init__(self) -> None:
        self._manager, self._client = start_new_kernel(kernel_name="python3")
        self.after: Any = None

    def run(self, code: str, until: Any = None) -> tuple[str, str | None]:
        """Run a cell, and interrupt it once ``until`` holds; return what it prints, and the name of its error."""
        parent = self._client.execute(code)
        if until is not None:
            threading.Thread(target=self._interrupt, args=(until,)).start()
        printed, error = "", None
        while True:
            message = self._client.get_iopub_msg(timeout=60)
            content = message["content"]
            if message["parent_header"].get("msg_id") != parent:
                continue
            if message["msg_type"] == "stream":
                printed += content["text"]
            elif message["msg_type"] == "error":
                error = content["ename"]
            elif content.get("execution_state") == "idle":
                return printed, error

    def _interrupt(self, until: Any) -> None:
        while not until():
            time.sleep(0.01)
        self._manager.interrupt_kernel()
        if self.after is not None:
            self.after()

    def end(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(upstream: MockServer) -> Iterator[Kernel]:
    kernel = Kernel()
    kernel.run("from millstream import ChatOpenAI\nmodel = ChatOpenAI(model='m')")
    yield kernel
    kernel.end()


SYNC = "for chunk in model.stream('hi'): "
ASYNC = "async for chunk in model.astream('hi'): "


@pytest.mark.parametrize("loop", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("leave", ["break", "raise ValueError"])
def test_a_cell_that_leaves_its_loop_closes_the_connection(
    loop: str, leave: str, kernel: Kernel, upstream: MockServer
) -> None:
    upstream.reply = Reply(fault=Stall(after=3))
    assert kernel.run(f"{loop}{leave}")[1] == (None if leave == "break" else "ValueError")
    assert upstream.wait_closed().closed_by == "client"


@pytest.mark.parametrize(
    ("code", "fault", "error"),
    [
        (f"{SYNC}pass", Endless(after=3), "KeyboardInterrupt"),
        (f"{SYNC}pass", Stall(after=3), "KeyboardInterrupt"),
        ("model.invoke('hi')", Stall(after="request"), "KeyboardInterrupt"),
        (f"{ASYNC}pass", Endless(after=3), "CancelledError"),
    ],
    ids=["sync", "sync and silent", "whole", "async"],
)
def test_an_interrupted_cell_closes_the_connection(
    code: str, fault: Any, error: str, kernel: Kernel, upstream: MockServer
) -> None:
    upstream.reply = Reply(fault=fault, pace=0.01)
    assert kernel.run(code, until=lambda: upstream.requests)[1] == error
    assert upstream.wait_closed().closed_by == "client"


def test_an_interrupted_cell_that_awaits_an_answer_ends_when_it_comes(kernel: Kernel, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=Stall(after="request"))
    kernel.after = upstream.release
    assert kernel.run("await model.ainvoke('hi')", until=lambda: upstream.requests)[1] == "CancelledError"


def test_asyncio_run_is_refused_by_a_notebook(kernel: Kernel) -> None:
    code = "import asyncio\nasync def main(): pass\nmade = main()\ntry: asyncio.run(made)\nfinally: made.close()"
    assert kernel.run(code)[1] == "RuntimeError"
