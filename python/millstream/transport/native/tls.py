"""Creates TLS contexts."""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING

from ...errors import APIConnectionError, MillstreamError

if TYPE_CHECKING:
    import ssl

__all__ = ("add_remedy", "check_protocol", "default_context", "environment_certificates")

_lock = threading.Lock()
# Where Linux distributions keep their certificates, for a Python whose OpenSSL was built for another one.
_BUNDLES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
_UNKNOWN_ISSUER = ("self-signed certificate", "self signed certificate", "issuer certificate")


def default_context() -> ssl.SSLContext:
    """Return the context of all connections without an ``ssl_context`` of their own.

    It trusts the same certificates as httpx2: ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` if they are set, else the
    system's. Creating it takes milliseconds, which the first request over TLS pays.
    """
    with _lock:
        return _make_default_context()


def environment_certificates() -> tuple[str, str] | None:
    """Return the environment variable that names the trusted certificates, and its path; ``None`` if there is none.

    Raises :class:`~millstream.errors.MillstreamError` if the path does not exist: nothing would be trusted.
    """
    for variable, is_there, kind in (
        ("SSL_CERT_FILE", os.path.isfile, "file"),
        ("SSL_CERT_DIR", os.path.isdir, "folder"),
    ):
        path = os.environ.get(variable)
        if not path:
            continue
        if not is_there(path):
            raise MillstreamError(f"the environment variable {variable} names {path!r}, which is not a {kind}")
        return variable, path
    return None


@cache
def _make_default_context() -> ssl.SSLContext:
    import ssl

    named = environment_certificates()
    if named is not None:
        variable, path = named
        is_file = variable == "SSL_CERT_FILE"
        try:
            context = ssl.create_default_context(cafile=path if is_file else None, capath=None if is_file else path)
        except OSError as error:
            raise MillstreamError(
                f"the environment variable {variable} names {path!r}, which contains no readable certificates"
            ) from error
    elif sys.platform in ("darwin", "win32"):
        # OpenSSL cannot read the certificate stores of these systems; truststore is installed with httpx2.
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        paths = ssl.get_default_verify_paths()
        bundle = None if paths.cafile or paths.capath else next(filter(os.path.isfile, _BUNDLES), None)
        context = ssl.create_default_context(cafile=bundle)
    context.set_alpn_protocols(["http/1.1"])
    return context


def add_remedy(reason: str) -> str:
    """Return ``reason``, the message of OpenSSL for a failed connection, with what to do about an unknown issuer."""
    if "CERTIFICATE_VERIFY_FAILED" not in reason or not any(words in reason for words in _UNKNOWN_ISSUER):
        return reason
    remedy = "set SSL_CERT_FILE to a file with its issuer's certificate, or load that into your ssl_context"
    return f"{reason}; to trust it, {remedy}"


def check_protocol(tls: ssl.SSLObject | ssl.SSLSocket | None) -> None:
    """Raise :class:`~millstream.errors.APIConnectionError` if the server chose another protocol than HTTP/1.1.

    It does so only if a user's ``ssl_context`` offers one.
    """
    spoken = None if tls is None else tls.selected_alpn_protocol()
    if spoken not in (None, "http/1.1"):
        raise APIConnectionError(
            f"the server negotiated {spoken}, which the ssl_context offers; this transport supports only HTTP/1.1"
        )


def _reset_after_fork() -> None:
    """Replace the lock: at the fork, another thread of the parent may have held it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
