"""``millstream serve``: the gateway of a worker process, which reads its file again when that changes."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..keep_alive import set_grace
from .app import gateway
from .config import ConfigError, GatewayConfig, parse_upstream, read_config
from .exporting import open_telemetry
from .state import Gateway

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ("VARIABLE", "create_app", "load_config")

logger = logging.getLogger("millstream.gateway")

VARIABLE = "MILLSTREAM_SERVE"
"""The environment variable from which a worker reads what the command line said: it has no keys."""

_POLL_SECONDS = 1.0


def load_config(path: str | None, upstreams: list[str]) -> GatewayConfig:
    """Return the configuration of a file, with the upstreams of the command line in front of its own."""
    own = tuple(map(parse_upstream, upstreams))
    if path is None:
        return GatewayConfig(own)
    config = read_config(path, needs_upstreams=not own)
    return replace(config, upstreams=(*own, *config.upstreams))


def create_app() -> Starlette:
    """Return the app of this worker. uvicorn calls it in each."""
    options: dict[str, Any] = json.loads(os.environ[VARIABLE])
    path, upstreams = options["config"], options["upstreams"]
    set_grace(options["grace"])
    logging.getLogger("millstream.access").setLevel(logging.INFO)
    telemetry = open_telemetry()
    state = Gateway(load_config(path, upstreams), () if telemetry is None else telemetry[:1])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = None if path is None else asyncio.create_task(_watch(state, path, upstreams))
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if telemetry is not None:
                await asyncio.to_thread(telemetry[1])

    app = gateway(state)
    app.router.lifespan_context = lifespan
    return app


async def _watch(state: Gateway, path: str, upstreams: list[str]) -> None:
    """Use the file's configuration whenever the file has changed; one that is not valid changes nothing."""
    seen = _stamp(path)
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        if (stamp := _stamp(path)) == seen:
            continue
        seen = stamp
        try:
            state.use(load_config(path, upstreams))
        except (ConfigError, OSError) as error:
            logger.error("the configuration was not read again: %s", error)
        except Exception:
            # The watch goes on: the next file may be right.
            logger.exception("the configuration was not read again")
        else:
            logger.info("the configuration was read again")


def _stamp(path: str) -> tuple[int, int, int] | None:
    """Return what changes with a file, also when another file takes its place."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
