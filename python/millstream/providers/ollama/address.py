"""Where an Ollama server is: the forms in which its address is written, and the user in it."""

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

__all__ = ("Address", "read_address")

_DEFAULT_HOST = "127.0.0.1"
_DEFAULT_PORT = 11434


class Address(NamedTuple):
    """The URL of a server, without a slash at its end, and the ``authorization`` header for its user, if it has one."""

    url: str
    authorization: str | None


def read_address(address: str | None) -> Address:
    """Return the address that ``base_url`` or ``OLLAMA_HOST`` names: a URL, or a host with or without a port.

    Without a scheme it is ``http``, and port 11434 unless there is another; ``None`` and an empty text are this
    machine. A user and a password become the header of basic authentication. Raises :class:`ValueError` for an
    address that is neither.
    """
    scheme, mark, rest = (address or "").strip().partition("://")
    if not mark:
        scheme, rest = "http", scheme
    if scheme.lower() not in ("http", "https"):
        raise ValueError(f"base_url must begin with http:// or https://, not {scheme}://")
    parts = urlsplit(f"{scheme.lower()}://{rest}")
    try:
        port = parts.port
    except ValueError:
        # Without the address, which may contain a password, and without the error that shows it.
        raise ValueError("base_url must be a URL, or a host and a port; its port is not a number below 65536") from None
    host = parts.hostname or _DEFAULT_HOST
    if ":" in host:
        host = f"[{host}]"
    if port is None and not mark:
        port = _DEFAULT_PORT
    path = parts.path.strip("/")
    place = host if port is None else f"{host}:{port}"
    return Address(f"{parts.scheme}://{place}{f'/{path}' if path else ''}", _authorize(parts.username, parts.password))


def _authorize(user: str | None, password: str | None) -> str | None:
    if not user:
        return None
    credentials = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {b64encode(credentials.encode()).decode()}"
