"""``SecretStr``, and masking of secrets in a ``repr``, in the parameters that callbacks receive, and in files."""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ("SecretStr", "is_secret_name", "mask_secrets", "mask_url")

_SECRET_WORDS = ("api_key", "apikey", "authorization", "credential", "passwd", "password", "secret", "token")
# Counts and types of model tokens are not secrets.
_OPEN_WORDS = ("max_token", "token_id", "tokenizer", "tokens")
# Words that mark a secret in the keys of mappings. In a field's name they would match too much.
_ENTRY_WORDS = frozenset({"auth", "bearer", "cookie", "key", "pwd", "sig", "signature", "xauth"})
_OPEN_ENTRIES = frozenset({"prompt_cache_key", "sort_key"})
# Mappings in which every value may be a secret, since servers choose the keys.
_SECRET_MAPPINGS = frozenset({"default_headers", "default_query", "extra_headers", "extra_query"})
_URL_NAMES = frozenset({"base_url", "openai_api_base", "openai_proxy", "azure_endpoint"})
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_MASK = "**********"


class SecretStr:
    """A text that only :meth:`get_secret_value` returns; ``str`` and ``repr`` show asterisks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare the texts."""
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        """Return the hash of the text."""
        return hash(self._value)

    def __len__(self) -> int:
        """Return the length of the text."""
        return len(self._value)

    def __str__(self) -> str:
        """Return asterisks."""
        return _MASK if self._value else ""

    def __repr__(self) -> str:
        """Show asterisks."""
        return f"SecretStr({str(self)!r})"


def is_secret_name(name: str) -> bool:
    """Return whether ``name`` is the name of a secret: an API key, a password, a token (not a count of tokens)."""
    name = name.lower().replace("-", "_")
    return any(word in name for word in _SECRET_WORDS) and not any(word in name for word in _OPEN_WORDS)


def mask_secrets(value: object, name: str = "", outer: frozenset[int] = frozenset()) -> Any:
    """Return ``value``, the value of the field ``name``, with asterisks for every secret in it.

    Secrets are all values of headers and queries, values of other mappings whose key names a secret, and
    the user, the password and the query of a URL. A value is ``"..."`` inside of itself; ``outer`` are the identities
    of the containers around it.
    """
    if hasattr(value, "get_secret_value"):
        return _MASK
    if isinstance(value, Mapping) or type(value) in (list, tuple):
        return "..." if id(value) in outer else _mask_container(value, name, outer | {id(value)})
    if isinstance(value, str):
        return mask_url(value) if name in _URL_NAMES else _URL.sub(_mask_link, value)
    return value


def _mask_container(value: Any, name: str, outer: frozenset[int]) -> Any:
    if not isinstance(value, Mapping):
        return type(value)(mask_secrets(item, " ", outer) for item in value)
    if name in _SECRET_MAPPINGS:
        return dict.fromkeys(value, _MASK)
    return {key: _mask_entry(key, item, outer, is_parameter=not name) for key, item in value.items()}


def _mask_link(found: re.Match[str]) -> str:
    return mask_url(found[0], _is_secret_entry)


def mask_url(url: str, is_secret: Callable[[str], bool] = bool) -> str:
    """Return ``url`` with asterisks for the user, the password, and the secret values of the query."""
    address, mark, query = url.partition("?")
    scheme, colon, rest = address.rpartition("://")
    user, at, host = rest.rpartition("@")
    masked = f"{scheme}{colon}{_MASK if user or at else ''}{at}{host}"
    if not mark:
        return masked
    return f"{masked}?{'&'.join(_mask_pair(*part.partition('='), is_secret) for part in query.split('&'))}"


def _mask_pair(name: str, sign: str, value: str, is_secret: Callable[[str], bool]) -> str:
    if not sign:
        return _MASK if is_secret(name) else name
    return f"{name}={_MASK}" if value and is_secret(name) else f"{name}={value}"


def _mask_entry(key: object, value: object, outer: frozenset[int], *, is_parameter: bool) -> Any:
    if not isinstance(key, str):
        return mask_secrets(value, " ", outer)
    if isinstance(value, int | float) or value is None:
        return value
    # A model's own parameter may be named "key", as that of a fake model is. In a nested mapping it names a secret.
    is_open = is_parameter and key == "key"
    return _MASK if not is_open and _is_secret_entry(key) else mask_secrets(value, key, outer)


def _is_secret_entry(key: str) -> bool:
    words = [word.lower() for word in _WORD_BREAK.split(key)]
    name = "_".join(words)
    return is_secret_name(name) or (name not in _OPEN_ENTRIES and not _ENTRY_WORDS.isdisjoint(words))
