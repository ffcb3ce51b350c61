"""The configuration of a gateway: its upstreams, the names of models, and the keys of its clients."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..._secrets import SecretStr
from ...transport.headers import check_headers, check_text

__all__ = ("ConfigError", "GatewayConfig", "KeyConfig", "UpstreamConfig", "parse_upstream", "read_config")

_HASH = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class ConfigError(ValueError):
    """A gateway's configuration is not valid; the message names the place."""


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """An OpenAI-compatible server.

    ``url`` is its address with the path before ``/chat/completions``. ``key`` is sent as a bearer token; in a file,
    ``key_env`` names the environment variable that has it. ``models`` are those it is asked for; empty for
    any. ``timeout`` is the longest wait for its answer to begin, and between two parts of it, in seconds.
    ``retries`` are those of one request before the next upstream is tried. ``has_usage`` says that it understands
    ``stream_options.include_usage``, and ``has_continuous_usage`` that it understands ``continuous_usage_stats``
    there: answers that a client leaves are counted exactly then.
    """

    url: str
    name: str = ""
    key: SecretStr | None = None
    models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 120.0
    retries: int = 1
    has_usage: bool = True
    has_continuous_usage: bool = False

    def __post_init__(self) -> None:
        netloc = _check_url(self.url)
        if self.timeout <= 0 or self.retries < 0:
            raise ConfigError("an upstream's timeout must be greater than 0, and its retries at least 0")
        try:
            check_headers(self.headers)
            if self.key is not None:
                check_text("an upstream's key", self.key.get_secret_value())
        except (TypeError, ValueError) as error:
            raise ConfigError(str(error)) from None
        object.__setattr__(self, "url", self.url.rstrip("/"))
        if not self.name:
            object.__setattr__(self, "name", netloc.rpartition("@")[2])


@dataclass(frozen=True, slots=True)
class KeyConfig:
    """A client's key, by its hash: ``sha256:`` and 64 hexadecimal digits (``millstream serve --new-key`` makes one).

    ``models`` are the names that it may ask for; empty for all. Limits are of one worker process; ``None`` for none.
    """

    name: str
    hash: str
    models: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    streams: int | None = None

    def __post_init__(self) -> None:
        if _HASH.fullmatch(self.hash) is None:
            raise ConfigError(f"the hash of the key {self.name!r} is sha256: and 64 hexadecimal digits")
        for limit in (self.requests_per_minute, self.tokens_per_minute, self.streams):
            if limit is not None and limit < 1:
                raise ConfigError(f"a limit of the key {self.name!r} must be at least 1")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What a gateway does.

    ``aliases`` are names of models that clients ask for: each is a list of models in the order in which they are
    tried, ``"model"`` or ``"upstream/model"``. Without ``keys``, every client may call. A client has
    ``body_timeout`` seconds to send its request. A circuit opens after ``circuit_failures`` failures of an upstream
    in a row, for ``circuit_seconds``.
    """

    upstreams: tuple[UpstreamConfig, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[KeyConfig, ...] = ()
    max_body_size: int = 32 * 2**20
    body_timeout: float = 60.0
    max_response_size: int = 64 * 2**20
    ping_interval: float | None = 15.0
    send_timeout: float | None = 60.0
    circuit_failures: int = 5
    circuit_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name in ("max_body_size", "body_timeout", "max_response_size", "circuit_failures", "circuit_seconds"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be greater than 0")
        for limit in (self.ping_interval, self.send_timeout):
            if limit is not None and limit <= 0:
                raise ConfigError("ping_interval and send_timeout must be greater than 0")
        for names, what in (
            ([one.name for one in self.upstreams], "upstreams"),
            ([one.name for one in self.keys], "keys"),
            ([one.hash for one in self.keys], "keys' hashes"),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ConfigError(f"two {what} are called {min(twice)!r}")


def read_config(path: str | Path, *, needs_upstreams: bool = True) -> GatewayConfig:
    """Return the configuration in a TOML file; :class:`ConfigError` if it is not valid.

    The file has tables ``[[upstream]]`` and ``[[key]]`` with the fields of :class:`UpstreamConfig` and
    :class:`KeyConfig`, a table ``[aliases]``, and the other fields of :class:`GatewayConfig` at its top.
    """
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        config = _parse(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if needs_upstreams and not config.upstreams:
        raise ConfigError(f"{path}: a gateway needs an [[upstream]]")
    return config


def parse_upstream(text: str) -> UpstreamConfig:
    """Return the upstream of a command line: ``URL`` or ``URL=model,model``; its key is ``OPENAI_API_KEY``.

    >>> parse_upstream("http://127.0.0.1:8000/v1=llama,qwen").models
    ('llama', 'qwen')
    """
    url, _, models = text.partition("=")
    key = os.environ.get("OPENAI_API_KEY")
    names = tuple(name.strip() for name in models.split(",") if name.strip())
    return UpstreamConfig(url, key=SecretStr(key) if key else None, models=names)


def _parse(document: dict[str, Any]) -> GatewayConfig:
    document = dict(document)
    upstreams = tuple(_upstream(table, place) for place, table in enumerate(_tables(document, "upstream"), 1))
    keys = tuple(_make(KeyConfig, table, f"key {place}") for place, table in enumerate(_tables(document, "key"), 1))
    aliases = document.pop("aliases", {})
    if not isinstance(aliases, dict):
        raise ConfigError('aliases is a table: name = "model", or name = ["model", "model"]')
    found = {name: _names(f"the alias {name!r}", value) for name, value in aliases.items()}
    config: GatewayConfig = _make(
        GatewayConfig, {**document, "upstreams": upstreams, "aliases": found, "keys": keys}, "the file"
    )
    return config


def _upstream(table: dict[str, Any], place: int) -> UpstreamConfig:
    table = dict(table)
    where = f"upstream {table.get('name', place)!r}"
    key, variable = table.pop("key", None), table.pop("key_env", None)
    if variable is not None:
        key = os.environ.get(str(variable))
        if not key:
            raise ConfigError(f"{where}: the environment variable {variable} is not set")
    if key is not None:
        table["key"] = SecretStr(str(key))
    upstream: UpstreamConfig = _make(UpstreamConfig, table, where)
    return upstream


def _tables(document: dict[str, Any], name: str) -> Sequence[dict[str, Any]]:
    tables = document.pop(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"write [[{name}]], with two brackets, for each {name}")
    return tables


def _make(cls: type[Any], values: dict[str, Any], where: str) -> Any:
    """Return a ``cls`` of the values of a table; :class:`ConfigError` for one that does not belong there."""
    known = {one.name: one for one in fields(cls)}
    if unknown := sorted(values.keys() - known.keys()):
        raise ConfigError(f"{where}: there is no setting {unknown[0]!r}; it has {', '.join(known)}")
    required = {name for name, one in known.items() if one.default is MISSING and one.default_factory is MISSING}
    if missing := sorted(required - values.keys()):
        raise ConfigError(f"{where}: {missing[0]!r} is missing")
    checked = {name: _check(known[name].type, value, f"{where}: {name}") for name, value in values.items()}
    try:
        return cls(**checked)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where != "the file" else str(error)) from None


_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text"),
    "int": ((int,), "an integer"),
    "int | None": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "float | None": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
}


def _check(annotation: Any, value: Any, where: str) -> Any:
    if annotation == "tuple[str, ...]":
        return _names(where, value)
    if annotation == "Mapping[str, str]":
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise ConfigError(f"{where} is a table of texts")
        return value
    kinds, words = _KINDS.get(annotation, ((object,), ""))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
        raise ConfigError(f"{where} is {words}, not {value!r}")
    return value


def _names(where: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
        raise ConfigError(f"{where} is a list of texts")
    return tuple(value)


def _check_url(url: str) -> str:
    """Return the host and the port of an upstream's URL; :class:`ConfigError` if it is none."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or not url.isprintable() or parts.query or parts.fragment:
        raise ConfigError(f"an upstream's url is http://… or https://…, not {_without_user(url)!r}")
    return parts.netloc


def _without_user(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
