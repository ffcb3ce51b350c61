"""The keys of a gateway's clients: the file has their hashes, and a client sends the key."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from ..openai_api.errors import unknown_key
from .config import KeyConfig

__all__ = ("KeyRing", "hash_key", "new_key")

ANONYMOUS = KeyConfig("anonymous", f"sha256:{'0' * 64}")
"""The client of a gateway without keys."""


def new_key() -> str:
    """Return a new key: 256 random bits, so that its hash needs no salt and no slow function."""
    return f"ms-{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """Return what the configuration has of a key."""
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}"


class KeyRing:
    """The keys that a gateway knows; without any, every client may call.

    Keys are found by their hash, so that the time of a comparison says nothing about a key.
    """

    def __init__(self, keys: Sequence[KeyConfig]) -> None:
        self._by_hash = {key.hash: key for key in keys}

    def identify(self, headers: Mapping[str, str]) -> KeyConfig:
        """Return the client that sent these headers; :class:`RequestError` for an unknown one."""
        if not self._by_hash:
            return ANONYMOUS
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        found = self._by_hash.get(hash_key(key)) if key else None
        if found is None:
            raise unknown_key() if key else unknown_key("You didn't provide an API key: send it as a bearer token.")
        return found
