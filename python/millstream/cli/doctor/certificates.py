"""What a server's certificate says, and why it is not trusted."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

__all__ = ("describe_certificate", "explain_tls_error", "find_roots", "handshake")

_SECONDS = 5.0
# Not in the ssl module: OpenSSL's X509_V_FLAG_NO_CHECK_TIME.
_NO_CHECK_TIME = 0x200000
# OpenSSL's codes of verification.
_NOT_YET_VALID, _EXPIRED, _WRONG_NAME, _WRONG_ADDRESS = 9, 10, 62, 64
_UNKNOWN_ISSUER = (18, 19, 20, 21)
_OF_THE_SERVER = "renew the certificate on the server, or check the clock of this machine"


def handshake(sock: socket.socket, host: str) -> ssl.SSLSocket:
    """Return the TLS connection to ``host`` over ``sock``, with the certificates that models trust."""
    from ...transport.native.tls import default_context

    return default_context().wrap_socket(sock, server_hostname=host)


def find_roots() -> tuple[str, str]:
    """Return the state of the system's certificates, and where they are."""
    from ...transport.native.tls import default_context

    context = default_context()
    if type(context).__module__ != "ssl":
        return "ok", "the system's own store"
    paths = ssl.get_default_verify_paths()
    count = context.cert_store_stats()["x509_ca"]
    if count or paths.capath:
        place = paths.cafile or paths.capath
        counted = f"{count} authorities" if count else "a folder of authorities"
        return "ok", f"the system's: {counted}{f' ({place})' if place else ''}"
    return "problem", "the system has no certificates: no server can be trusted"


def describe_certificate(certificate: Mapping[str, Any]) -> str:
    """Return a certificate's names, issuer and last day."""
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    left = (ends - time.time()) / 86400
    return f"certificate for {_names(certificate)}, issued by {_issuer(certificate)}, valid for {left:.0f} days"


def explain_tls_error(error: OSError, address: Any, host: str) -> tuple[str, str]:
    """Return why a handshake failed, and the remedy; ``address`` is asked once more for its certificate."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            return "the server does not speak TLS on this port", "write http:// in the base URL, or name another port"
        if isinstance(error, TimeoutError):
            return (
                "the handshake did not end in time",
                "write http:// if the server speaks plain HTTP; else a firewall may be in between",
            )
        return f"the handshake failed: {getattr(error, 'reason', None) or error}", "check that the server speaks TLS"
    certificate = _fetch(address, host)
    if error.verify_code in (_WRONG_NAME, _WRONG_ADDRESS):
        names = _names(certificate) if certificate else "another name"
        return (
            f"the certificate is for {names}, not for {host}",
            "write the name that the certificate has, or ask who answers in its place",
        )
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID) and certificate:
        if error.verify_code == _EXPIRED:
            return f"the certificate expired on {certificate['notAfter']}", _OF_THE_SERVER
        return f"the certificate is valid from {certificate['notBefore']} on", _OF_THE_SERVER
    if error.verify_code in _UNKNOWN_ISSUER and certificate:
        return (
            f"the certificate's issuer is not trusted: {_issuer(certificate)}",
            "if it is yours or your company's, set SSL_CERT_FILE to a file with its certificate",
        )
    return f"the certificate is not valid: {error.verify_message}", "ask who runs the server"


def _names(certificate: Mapping[str, Any]) -> str:
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    names = names or [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") or "no name"


def _issuer(certificate: Mapping[str, Any]) -> str:
    parts = {kind: value for part in certificate.get("issuer", ()) for kind, value in part}
    return str(parts.get("commonName") or parts.get("organizationName") or "an authority without a name")


def _fetch(address: Any, host: str) -> Mapping[str, Any]:
    """Return what the certificate of a server says that is not trusted; empty if it cannot be read.

    The ssl module parses verified certificates alone. So it is fetched without verification, and then verified as an
    authority of its own, whatever its names and its dates. Nothing is sent over either connection.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    verified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    verified.check_hostname = False
    try:
        data = _peer_certificate(address, host, unverified, binary=True)
        verified.load_verify_locations(cadata=data)
        verified.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
        return _peer_certificate(address, host, verified, binary=False) or {}
    except (OSError, ValueError):
        return {}


def _peer_certificate(address: Any, host: str, context: ssl.SSLContext, *, binary: bool) -> Any:
    with (
        socket.create_connection(address[:2], timeout=_SECONDS) as sock,
        context.wrap_socket(sock, server_hostname=host) as tls,
    ):
        return tls.getpeercert(binary_form=binary)
