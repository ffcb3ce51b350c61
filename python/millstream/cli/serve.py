"""``millstream serve``: a gateway to OpenAI-compatible servers, until Ctrl-C."""

import argparse
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from .errors import CommandError, port_error
from .parser import count, port

if TYPE_CHECKING:
    from ..server.gateway.config import GatewayConfig

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Run a gateway: OpenAI's chat completions and completions, relayed to upstreams, with keys, limits, failover,"
        " accounts and metrics. docs/how-to/gateway.md describes the file."
    )
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="URL[=MODEL,…]",
        help="an OpenAI-compatible server, and its models (default: any); its key is OPENAI_API_KEY",
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file, which is read again whenever it changes")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=4000, help="the port; 0 selects a free one (%(default)s)")
    parser.add_argument("--workers", type=count, default=1, metavar="N", help="number of processes (%(default)s)")
    parser.add_argument(
        "--grace",
        type=count,
        default=30,
        metavar="SECONDS",
        help="time for streams to end at shutdown; then they end in an error (%(default)s)",
    )
    parser.add_argument("--new-key", action="store_true", help="print a new key and its hash, and exit")


_EXAMPLES = """\
examples:
  millstream serve --upstream https://api.openai.com/v1=gpt-4o-mini --upstream http://127.0.0.1:8000/v1
  millstream serve --config gateway.toml --host 0.0.0.0 --workers 2
"""


def run(options: argparse.Namespace) -> int:
    """Run the gateway until it is interrupted, and return the exit status."""
    try:
        import uvicorn  # noqa: F401 (a missing extra is reported before anything else)

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
    settings = {"config": options.config, "upstreams": options.upstream, "grace": options.grace}
    os.environ[VARIABLE] = json.dumps(settings)
    with _bind(options.host, options.port) as sock:
        port = sock.getsockname()[1]
        if options.workers == 1:
            # From now on, connections wait in it until the gateway has started.
            sock.listen(_BACKLOG)
        else:
            # uvicorn gives its workers a socket that it has made itself.
            sock.close()
        _warn(options, config, port)
        _serve(options, sock, port)
    return 0


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket with the address; raise :class:`CommandError` if it cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise CommandError(f"{host} is not an address of this machine", "name one with --host", status=2) from None
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise port_error(port, error) from None
    return sock


def _serve(options: argparse.Namespace, sock: socket.socket, port: int) -> None:
    """Run the workers until a signal ends them."""
    import uvicorn

    app = "millstream.server.gateway.serving:create_app"
    settings: dict[str, Any] = {
        "factory": True,
        "access_log": False,
        "log_config": _LOGGING,
        # Then the rest have said farewell.
        "timeout_graceful_shutdown": options.grace + _FAREWELL_SECONDS,
    }
    if options.workers > 1:
        uvicorn.run(app, host=options.host, port=port, workers=options.workers, **settings)
        return
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    server.run(sockets=[sock])
    if not server.started:
        raise CommandError("the gateway did not start", "the log above says why")


def _warn(options: argparse.Namespace, config: "GatewayConfig", port: int) -> None:
    """Print where clients find the gateway, and what its owner may have overlooked."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"clients use OPENAI_BASE_URL=http://{host}:{port}/v1, until Ctrl-C", file=sys.stderr)
    keyless = (
        [url for url in options.upstream if url.startswith("https:")] if not os.environ.get("OPENAI_API_KEY") else []
    )
    if keyless:
        print(f"millstream serve: warning: OPENAI_API_KEY is not set: {keyless[0]} gets no key", file=sys.stderr)
    if not config.keys and options.host not in ("127.0.0.1", "::1", "localhost"):
        print("millstream serve: warning: without keys, everybody who reaches this address may call", file=sys.stderr)
    if options.workers > 1:
        print("millstream serve: limits and metrics are those of each worker", file=sys.stderr)


_FAREWELL_SECONDS = 5
_BACKLOG = 2048

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
