"""Serves ASGI apps on the loopback interface, by uvicorn in a thread."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

__all__ = ("serve",)


@contextmanager
def serve(app: Any, *closing: Callable[[], Any], **options: Any) -> Iterator[str]:
    """Serve ``app``, and yield its address; ``options`` are uvicorn's.

    ``closing`` are coroutine functions, which are called in the server's loop at the end. With any, the lifespan of
    the app itself is not run.
    """
    settings = {"log_config": None, "lifespan": "on" if closing else "off", **options}
    config = uvicorn.Config(_with_closing(app, closing) if closing else app, **settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def _with_closing(app: Any, closing: tuple[Callable[[], Any], ...]) -> Any:
    async def with_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for close in closing:
            await close()
        await send({"type": "lifespan.shutdown.complete"})

    return with_lifespan
