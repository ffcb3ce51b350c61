"""Removes keys from an exchange before it is written: those that are known by their place, and by their form."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote, unquote_plus

from .recordings import Exchange, Write

__all__ = ("REDACTED", "Redactor")

REDACTED = "REDACTED"

# Shorter values are not looked for outside their place: they would be found in ordinary text.
_SHORTEST = 6

# The words of a header's name, or of a parameter's, whose value is a secret.
_WORDS = frozenset((
    "apikey", "auth", "authorization", "cookie", "credential", "credentials", "key", "organization", "password",
    "project", "secret", "session", "sig", "signature", "token",
))  # fmt: skip
# Names that have such a word, and hold no secret.
_HARMLESS = frozenset(("content-security-policy", "idempotency-key", "www-authenticate"))

# The members of JSON whose value is a secret. Inside a string of JSON the quotes are escaped, so that what a model
# writes is left alone.
_MEMBER = re.compile(
    rb'"(?:[\w-]*(?:api[_-]?key|access[_-]?key|auth[_-]?token|authorization[_-]?token|access[_-]?token|refresh[_-]?token'
    rb"|id[_-]?token|session[_-]?token|security[_-]?token|client[_-]?secret|authorization|password|secret[_-]?key)"
    rb'|cookie|set-cookie|secret)"\s*:\s*"((?:[^"\\]|\\.)+)"',
    re.IGNORECASE,
)
# The forms of keys: OpenAI's, Anthropic's and their likes, those of other hosts, Google's, AWS's, tokens of JWT.
# Ordinary words with hyphens have no digits.
_FORM = re.compile(
    rb"(?<![A-Za-z0-9_-])(?:sk-(?=[\w-]*\d)[\w-]{16,}"
    rb"|(?:gsk_|hf_|r8_|ek_|fw_|ghp_|gho_|tgp_v1_|xai-|nvapi-|pplx-|glpat-)(?=[\w-]*\d)[\w-]{20,}"
    rb"|AIza[\w-]{30,}|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|ya29\.[\w-]{20,}"
    rb"|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}|Bearer\s+(?=[\w.~+/-]*\d)[\w.~+/-]{16,}=*)"
)


class Redactor:
    """Redacts the exchanges of one recording; a secret of one exchange is removed from all later ones."""

    def __init__(self) -> None:
        self._secrets: set[bytes] = set()

    def learn(self, *values: str) -> None:
        """Add secrets, in all forms in which a server may repeat them."""
        for value in values:
            for form in {value, unquote(value), unquote_plus(value), json.dumps(value)[1:-1]}:
                if len(form) >= _SHORTEST:
                    self._secrets.add(form.encode())

    def redact(self, exchange: Exchange) -> Exchange:
        """Return ``exchange`` without secrets; its bodies keep their length, and so do the writes of the response."""
        for name, value in (*exchange.request_headers, *exchange.headers):
            if _is_secret(name):
                self.learn(*_parts(value))
        is_form = ("content-type", "application/x-www-form-urlencoded") in exchange.request_headers
        form = exchange.request_body.decode("latin-1") if is_form else ""
        for name, value in (*_parameters(exchange.query), *_parameters(form)):
            if _is_secret(name):
                self.learn(value)
        body = self._query(form).encode("latin-1") if is_form else self.bytes(exchange.request_body)
        return replace(
            exchange,
            path=self.text(exchange.path),
            query=self._query(exchange.query),
            request_headers=[self._header(name, value) for name, value in exchange.request_headers],
            request_body=body,
            headers=[self._header(name, value) for name, value in exchange.headers],
            writes=self._writes(exchange.writes),
        )

    def text(self, value: str) -> str:
        """Return ``value`` without secrets."""
        return self.bytes(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def bytes(self, data: bytes) -> bytes:
        """Return ``data`` with asterisks in place of secrets."""
        for match in list(_MEMBER.finditer(data)):
            start, end = match.span(1)
            data = data[:start] + b"*" * (end - start) + data[end:]
        data = _FORM.sub(lambda match: b"*" * len(match[0]), data)
        # The longest first: one may be a part of another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            data = data.replace(secret, b"*" * len(secret))
        return data

    def _writes(self, writes: Iterable[Write]) -> list[Write]:
        """Redact the joined body, in which a secret may begin in one write and end in another."""
        writes = list(writes)
        whole, start, redacted = self.bytes(b"".join(write.data for write in writes)), 0, []
        for write in writes:
            redacted.append(Write(write.at, whole[start : start + len(write.data)]))
            start += len(write.data)
        return redacted

    def _header(self, name: str, value: str) -> tuple[str, str]:
        if _is_secret(name):
            return name, REDACTED
        url, mark, query = value.partition("?")
        return name, self.text(url) + mark + (self._query(query) if mark else "")

    def _query(self, query: str) -> str:
        """Redact the parameters of a URL."""
        kept = []
        for part in query.split("&"):
            name, equals, value = part.partition("=")
            kept.append(name + equals + (REDACTED if value and _is_secret(unquote(name)) else self.text(value)))
        return "&".join(kept)


def _is_secret(name: str) -> bool:
    name = name.lower()
    return name not in _HARMLESS and not _WORDS.isdisjoint(re.split(r"[^a-z0-9]+", name.replace("api-key", "apikey")))


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        yield unquote(name), value


def _parts(value: str) -> Iterator[str]:
    """Yield the secrets in a header's value: the whole, without its scheme, and what it is made of."""
    yield value
    scheme, _, rest = value.partition(" ")
    if rest:
        yield rest
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return
        yield password
        yield user
    # The cookies of a line, and the fields of AWS's signatures.
    for field in re.split(r"[;,]\s*", rest or value):
        name, equals, own = field.strip().partition("=")
        if equals and name.lower() not in ("path", "domain", "expires", "max-age", "samesite", "signedheaders"):
            yield own
            yield own.partition("/")[0]
