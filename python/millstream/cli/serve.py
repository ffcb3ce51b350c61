"""``millstream serve``: a gateway to OpenAI-compatible servers, until Ctrl-C."""

import argparse
import json
import os
import sys

__all__ = ("run",)


def run(options: argparse.Namespace) -> int:
    """Run the gateway until it is interrupted, and return the exit status."""
    try:
        import uvicorn

        from ..server.gateway.config import ConfigError
        from ..server.gateway.keys import hash_key, new_key
        from ..server.gateway.serving import VARIABLE, load_config
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        print("millstream serve: install what it needs: pip install 'millstream[server]'", file=sys.stderr)
        return 1
    if options.new_key:
        key = new_key()
        print(f'{key}\nhash = "{hash_key(key)}"')
        return 0
    try:
        config = load_config(options.config, options.upstream)
    except (ConfigError, OSError) as error:
        print(f"millstream serve: {error}", file=sys.stderr)
        return 2
    if not config.upstreams:
        print("millstream serve: name an upstream: --upstream URL, or --config FILE", file=sys.stderr)
        return 2
    settings = {"config": options.config, "upstreams": options.upstream, "grace": options.grace}
    os.environ[VARIABLE] = json.dumps(settings)
    _warn(options, has_keys=bool(config.keys))
    uvicorn.run(
        "millstream.server.gateway.serving:create_app",
        factory=True,
        host=options.host,
        port=options.port,
        workers=options.workers,
        access_log=False,
        log_config=_LOGGING,
        # Then the rest have said farewell.
        timeout_graceful_shutdown=options.grace + _FAREWELL_SECONDS,
    )
    return 0


def _warn(options: argparse.Namespace, *, has_keys: bool) -> None:
    if not has_keys and options.host not in ("127.0.0.1", "::1", "localhost"):
        print("millstream serve: warning: without keys, everybody who reaches this address may call", file=sys.stderr)
    if options.workers > 1:
        print("millstream serve: limits and metrics are those of each worker", file=sys.stderr)


_FAREWELL_SECONDS = 5

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}, "line": {"format": "%(message)s"}},
    "handlers": {
        "plain": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
        "line": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"},
    },
    "loggers": {
        "uvicorn": {"handlers": ["plain"], "level": "INFO", "propagate": False},
        "millstream": {"handlers": ["plain"], "level": "INFO", "propagate": False},
        "millstream.access": {"handlers": ["line"], "level": "INFO", "propagate": False},
    },
}
