"""Serves ASGI apps on the loopback interface, by uvicorn in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

__all__ = ("served",)


@contextmanager
def served(app: Any, **options: Any) -> Iterator[str]:
    """Serve ``app``, and yield its address; ``options`` are uvicorn's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, **{"log_config": None, "lifespan": "off", **options}))
        thread = threading.Thread(target=server.run, args=([listening],), name="served")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
