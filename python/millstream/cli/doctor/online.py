"""Whether servers can be reached, step by step: name, connection, certificate, status, key, model.

The first step that fails is a problem with its remedy, and the ones after it are left out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..errors import CommandError, reason_of
from ..providers import PROVIDERS, Provider
from ..requests import get_json, model_names
from .environment import Fact

__all__ = ("examine_servers",)

_Result = TypeVar("_Result")
_SECONDS = 5.0
_AGAIN = "try again later; the provider's status page may say more"


def examine_servers(base_url: str | None, model: str | None) -> Iterator[Fact]:
    """Yield the facts of the servers that the arguments name, or else of all whose keys are in the environment."""
    if base_url is not None or model is not None:
        provider, name = _find_provider(base_url, model)
        yield from _Examination(provider, base_url or provider.find_url(), name).run()
        return
    named = [provider for provider in PROVIDERS.values() if _is_named(provider)]
    for provider in named or [PROVIDERS["openai"]]:
        yield from _Examination(provider, provider.find_url(), None).run()


def _is_named(provider: Provider) -> bool:
    return provider.find_key() is not None or provider.find_url() != provider.default_url


def _find_provider(base_url: str | None, model: str | None) -> tuple[Provider, str | None]:
    """Return the provider that the beginning of a model's name says; with a base URL it is OpenAI's protocol."""
    from ...providers.model_names import infer_provider

    before, colon, after = (model or "").partition(":")
    before = before.replace("-", "_")
    if colon and before in PROVIDERS:
        return PROVIDERS[before], after
    provider = infer_provider(model) if model and base_url is None else "openai"
    if provider not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise CommandError(
            f"the provider of the model {model!r} is not known", f"write PROVIDER:{model} with one of {known}", status=2
        )
    return PROVIDERS[str(provider)], model


class _Failed(Exception):
    """A step failed."""


class _Examination:
    """The steps for one server."""

    def __init__(self, provider: Provider, url: str, model: str | None) -> None:
        self._provider = provider
        self._url = url if "://" in url or provider.name != "ollama" else f"http://{url}"
        self._model = model
        self._proxy = os.environ.get("OPENAI_PROXY") or None if provider.name == "openai" else None

    def run(self) -> Iterator[Fact]:
        """Yield the fact of each step, up to the first one that fails."""
        try:
            yield from self._steps()
        except _Failed as failed:
            yield failed.args[0]

    def _steps(self) -> Iterator[Fact]:
        parts, port = self._split()
        shown = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        yield self._fact("server", shown)
        if (proxy := self._find_proxy()) is not None:
            yield self._fact("proxy", f"{proxy} names one: the steps up to the certificate are the proxy's")
        else:
            host = str(parts.hostname)
            addresses = self._resolve(host, port)
            yield self._fact("dns", ", ".join(dict.fromkeys(str(address[4][0]) for address in addresses)))
            sock, took = self._connect(addresses, port)
            with sock:
                yield self._fact("tcp", f"connected to port {port} in {took * 1000:.0f} ms")
                if parts.scheme == "https":
                    yield self._fact("tls", self._shake_hands(sock, host))
        yield from self._ask()

    def _fact(self, step: str, value: str) -> Fact:
        return Fact(f"{self._provider.title} {step}", value)

    def _fail(self, step: str, value: str, remedy: str) -> _Failed:
        return _Failed(Fact(f"{self._provider.title} {step}", " ".join(value.split()), "problem", remedy))

    def _split(self) -> tuple[Any, int]:
        parts = urlsplit(self._url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or not port:
            raise self._fail("server", "its URL is not valid", "write http://HOST:PORT/v1 or https://HOST/v1")
        return parts, port

    def _find_proxy(self) -> str | None:
        """Return the environment variable that names a proxy for the server, ``None`` if there is none."""
        from ...errors import MillstreamError
        from ...transport.choice import find_proxy_variable
        from ...transport.native.origins import read_url
        from ...transport.proxies import check_proxies

        try:
            variable = "OPENAI_PROXY" if self._proxy else find_proxy_variable(read_url(self._url).origin)
            if variable is not None:
                check_proxies(self._proxy)
        except (MillstreamError, ValueError) as error:
            raise self._fail("proxy", str(error), "set or unset the variable that it names") from None
        return variable

    def _resolve(self, host: str, port: int) -> list[Any]:
        try:
            return _within(2 * _SECONDS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except TimeoutError:
            problem = f"{host}: the name server did not answer within {2 * _SECONDS:.0f} s"
            raise self._fail("dns", problem, "check this machine's network and its name server") from None
        except (OSError, UnicodeError) as error:
            problem = f"{host} has no address: {getattr(error, 'strerror', None) or error}"
            raise self._fail(
                "dns", problem, "check the name in the base URL, and the network of this machine"
            ) from None

    def _connect(self, addresses: list[Any], port: int) -> tuple[socket.socket, float]:
        error: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            begun = time.perf_counter()
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(_SECONDS)
            try:
                sock.connect(address)
            except OSError as failed:
                sock.close()
                error = error or failed
            else:
                return sock, time.perf_counter() - begun
        if isinstance(error, ConnectionRefusedError):
            raise self._fail(
                "tcp", f"port {port} refuses connections", "start the server, or name its port in the base URL"
            )
        if isinstance(error, TimeoutError):
            problem = f"port {port} did not answer within {_SECONDS:.0f} s"
            raise self._fail(
                "tcp", problem, "a firewall may be in between: set HTTPS_PROXY if this network has a proxy"
            )
        raise self._fail("tcp", f"port {port}: {error and error.strerror}", "check the network of this machine")

    def _shake_hands(self, sock: socket.socket, host: str) -> str:
        from .certificates import describe_certificate, explain_tls_error, handshake

        address = sock.getpeername()
        try:
            with handshake(sock, host) as tls:
                return f"{tls.version()}, {describe_certificate(tls.getpeercert() or {})}"
        except OSError as error:
            problem, remedy = explain_tls_error(error, address, host)
            raise self._fail("tls", problem, remedy) from None

    def _ask(self) -> Iterator[Fact]:
        """Yield what the server answers to a request for its models."""
        from ...errors import MillstreamError

        key = self._provider.find_key()
        try:
            url, headers = self._provider.models_url(self._url), self._provider.request_headers(key and key[1])
            status, document = get_json(url, headers, proxy=self._proxy)
        except (MillstreamError, ValueError) as error:
            raise self._fail("http", reason_of(error), "check that the URL is that of the provider's API") from None
        if status in (401, 403):
            yield self._fact("http", f"status {status}")
            raise self._key_error(key, document)
        yield self._status_fact(status, url)
        if status == 200:
            yield self._fact("key", f"accepted ({key[0]})" if key else "none is set, and none is needed")
            yield from self._models(model_names(document))

    def _status_fact(self, status: int, url: str) -> Fact:
        path = urlsplit(url).path
        if status == 200:
            return self._fact("http", "status 200")
        name = f"{self._provider.title} http"
        if status == 429:
            return Fact(
                name,
                "status 429: the key may send no more requests for now",
                "problem",
                "check the account's limits, or wait",
            )
        if status >= 500:
            return Fact(name, f"status {status}: the server fails", "problem", _AGAIN)
        if status in (404, 405):
            return Fact(
                name, f"status {status}: the server does not list models at {path}; the key was not checked", "note"
            )
        return Fact(name, f"status {status} for {path}", "problem", "check that the URL is that of the provider's API")

    def _key_error(self, key: tuple[str, str] | None, document: Any) -> _Failed:
        from ..._provider_errors import find_reason

        variables = " or ".join(self._provider.keys)
        if key is None:
            return self._fail("key", "none is set, and the server requires one", f"set {variables}")
        reason = find_reason(document) if isinstance(document, dict) else ""
        return self._fail(
            "key",
            f"the server refuses the key in {key[0]}{f': {reason}' if reason else ''}",
            f"put a valid key into {key[0]}",
        )

    def _models(self, names: list[str]) -> Iterator[Fact]:
        if self._model is None or not names:
            yield self._fact("models", f"{len(names)} listed")
        elif self._model in names or f"{self._model}:latest" in names:
            yield self._fact("model", f"{self._model} is listed")
        else:
            shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            yield Fact(
                f"{self._provider.title} model",
                f"{self._model} is not among the {len(names)} that are listed: {shown}",
                "problem",
                "choose one of them",
            )


def _within(seconds: float, function: Callable[[], _Result]) -> _Result:
    """Return what ``function`` returns; raise :class:`TimeoutError` if it takes longer: its thread is left behind."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result(seconds)
