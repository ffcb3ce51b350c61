"""The certificates that the tests trust by default: one, for reading a system's takes longer than most tests.

Every new HTTP client reads them. Programs that speak to a package index get the system's back.
"""

import os
from pathlib import Path

import pytest

__all__ = ("environment", "trust_one", "trust_systems")

ONE = Path(__file__).parent / "tls" / "unrelated.pem"
# Worker processes get the variable from the first one, and must not take the tests' file for the system's.
KEPT = "TESTS_SSL_CERT_FILE"


def trust_one() -> None:
    """Let this process and its children trust one issuer, who has issued nothing that the tests use."""
    os.environ.setdefault(KEPT, os.environ.get("SSL_CERT_FILE", ""))
    os.environ["SSL_CERT_FILE"] = str(ONE)


def trust_systems(patched: pytest.MonkeyPatch) -> None:
    """Give the system's certificates back, for programs that speak to a package index."""
    patched.delenv("SSL_CERT_FILE")
    if kept := environment().get("SSL_CERT_FILE"):
        patched.setenv("SSL_CERT_FILE", kept)


def environment() -> dict[str, str]:
    """Return the environment as it was before."""
    kept = os.environ.get(KEPT, "")
    others = {name: value for name, value in os.environ.items() if name not in (KEPT, "SSL_CERT_FILE")}
    return others | ({"SSL_CERT_FILE": kept} if kept else {})
