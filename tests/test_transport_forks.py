"""A fork while streams run: who leaves a stream ends it at the server, and the other process's go on."""

import os
import subprocess
import sys

import pytest

from marks import over_both
from millstream.testing import VERSE, Endless, MockServer, Reply

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SYNC = """
import os, sys
from millstream import OpenAI
llm = OpenAI(base_url={url!r}, api_key="k", transport={transport!r})
stream = iter(llm.stream("p"))
next(stream)
"""

ASYNC = """
import asyncio, os, sys
from millstream import OpenAI
llm = OpenAI(base_url={url!r}, api_key="k", transport={transport!r})
async def main():
    stream = llm.astream("p")
    await anext(stream)
{body}
asyncio.run(main())
"""


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


LEAVING = """
pid = os.fork()
if pid == 0:
    os.read(0, 1)
    os._exit(0)
{leave}
sys.stdout.write("left"); sys.stdout.flush()
os.waitpid(pid, 0)
"""


@over_both
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_leaving_a_stream_in_the_parent_ends_it_while_a_child_lives(transport: str, asynchronous: bool) -> None:
    leave = "await stream.aclose()\nawait asyncio.sleep(0)" if asynchronous else "stream.close()"
    body = LEAVING.format(leave=leave)
    with MockServer(Reply(fault=Endless(3), pace=0.001)) as server:
        if asynchronous:
            indented = "".join(f"    {line}\n" for line in body.splitlines())
            code = ASYNC.format(url=server.url, transport=transport, body=indented)
        else:
            code = SYNC.format(url=server.url, transport=transport) + body
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.read(4) == b"left"
            # The child holds a copy of the socket still.
            assert server.wait_closed().closed_by == "client"
            process.stdin.write(b"x")
            process.stdin.close()
            assert process.wait(timeout=60) == 0


@over_both
def test_leaving_a_stream_in_a_child_leaves_the_parents_alone(transport: str) -> None:
    with MockServer(Reply(pace=0.01)) as server:
        code = (
            SYNC.format(url=server.url, transport=transport)
            + f"""
pid = os.fork()
if pid == 0:
    stream.close()
    del stream
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert list(stream) == {list(VERSE)[1:]!r}
"""
        )
        run(code)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("module", "call", "argument"),
    [
        ("millstream._uuid7", "uuid7", ""),
        ("millstream.transport.native.tls", "default_context", ""),
        ("millstream.transport.clients", "sync_client", "'http://127.0.0.1:1'"),
        ("millstream.globals", "remove_handler", "None"),
        ("millstream.telemetry", "uninstrument", ""),
    ],
)
def test_a_child_does_not_wait_for_a_lock_that_its_parent_held(module: str, call: str, argument: str) -> None:
    run(
        f"""
import os
from {module} import _lock, {call}
with _lock:
    pid = os.fork()
    if pid == 0:
        {call}({argument})
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""
    )
