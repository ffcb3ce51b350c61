"""``millstream serve``: a gateway to OpenAI-compatible servers, until Ctrl-C."""

import argparse
import json
import os
import socket
import sys

from .errors import CommandError, port_error
from .parser import count, port

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Run a gateway: OpenAI's chat completions and completions, relayed to upstreams, with keys, limits, failover,"
        " accounts and metrics. docs/how-to/gateway.md describes the file."
    )
    parser.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="URL[=MODEL,…]",
        help="an OpenAI-compatible server, and its models (default: any); its key is OPENAI_API_KEY",
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file, which is read again whenever it changes")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=4000, help="the port to listen on (%(default)s)")
    parser.add_argument("--workers", type=count, default=1, metavar="N", help="number of processes (%(default)s)")
    parser.add_argument(
        "--grace",
        type=count,
        default=30,
        metavar="SECONDS",
        help="time for streams to end at shutdown; then they end in an error (%(default)s)",
    )
    parser.add_argument("--new-key", action="store_true", help="print a new key and its hash, and exit")


def run(options: argparse.Namespace) -> int:
    """Run the gateway until it is interrupted, and return the exit status."""
    try:
        import uvicorn

        from ..server.gateway.config import ConfigError
        from ..server.gateway.keys import hash_key, new_key
        from ..server.gateway.serving import VARIABLE, load_config
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn"):
            raise
        raise CommandError(f"{missing} is not installed", "pip install 'millstream[server]'") from None
    if options.new_key:
        key = new_key()
        print(f'{key}\nhash = "{hash_key(key)}"')
        return 0
    try:
        config = load_config(options.config, options.upstream)
    except ConfigError as error:
        raise CommandError(str(error), status=2) from None
    except OSError as error:
        raise CommandError(
            f"{options.config}: {error.strerror}", "name a TOML file, or an upstream with --upstream URL", status=2
        ) from None
    if not config.upstreams:
        raise CommandError("no upstream is named", "add --upstream URL, or --config FILE", status=2)
    _check_address(options.host, options.port)
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


def _check_address(host: str, port: int) -> None:
    """Raise :class:`CommandError` if the address cannot be listened on: uvicorn reports it in several lines."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            if os.name != "nt":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
    except socket.gaierror:
        raise CommandError(f"{host} is not an address of this machine", "name one with --host", status=2) from None
    except OSError as error:
        raise port_error(port, error) from None


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
