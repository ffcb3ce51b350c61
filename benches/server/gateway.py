"""One gateway in a process of its own: ``python -m benches.server.gateway MODULE:FUNCTION UPSTREAM [PORT]``.

It prints its port, and ends with its standard input or by a signal. Gateways run under uvicorn, with uvloop and
httptools.
"""

import asyncio
import gc
import os
import socket
import sys
from importlib import import_module

__all__ = ("main",)


async def main(target: str, upstream: str, port: int = 0) -> None:
    """Serve until the standard input ends, or uvicorn does."""
    module, _, function = target.partition(":")
    loop = asyncio.get_running_loop()
    app = import_module(f"benches.server.apps.{module}")
    ended = loop.create_future()
    loop.add_reader(0, lambda: os.read(0, 1) or ended.done() or ended.set_result(None))
    if function == "serve":
        print(await app.serve(upstream), flush=True)
        _calm()
        await ended
        return

    import uvicorn

    config = uvicorn.Config(
        getattr(app, function)(upstream),
        http="httptools",
        ws="none",
        lifespan=getattr(app, "LIFESPAN", "off"),
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port), backlog=4096) as listener:
        serving = loop.create_task(server.serve([listener]))
        print(listener.getsockname()[1], flush=True)
        _calm()
        await asyncio.wait((ended, serving), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving


def _calm() -> None:
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
