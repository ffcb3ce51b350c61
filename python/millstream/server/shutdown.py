"""The end of a server: running responses say farewell."""

from __future__ import annotations

import asyncio

from .keep_alive import running_ticker

__all__ = ("shut_down",)

# The longest wait for responses that were asked to end, in seconds.
_FAREWELL_SECONDS = 5.0


async def shut_down(*, grace: float = 5.0) -> None:
    """End the running responses of this event loop, and return when they have ended.

    For ``grace`` seconds they may end by themselves. Then each one sends its farewell (see
    :class:`EventStreamResponse`) and closes its upstream. Under uvicorn this happens when the server is asked to
    stop, without a call. Other servers wait for running responses before they end the lifespan: call this where
    the program handles the signal. ::

        loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(shut_down()))
    """
    ticker = running_ticker(asyncio.get_running_loop())
    if ticker is not None and not await ticker.wait_empty(grace):
        ticker.shut_down()
        await ticker.wait_empty(_FAREWELL_SECONDS)
