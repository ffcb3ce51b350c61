"""The installation and the environment: which half runs, which libraries, and what slows or breaks requests."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..providers import PROVIDERS
from ..versions import installed_version

__all__ = ("EXTRAS", "HOSTS", "Fact", "examine_environment")

HOSTS = {
    "anthropic": ((2,), (3,)),
    "langchain-core": ((1, 8, 3), (2,)),
    "langchain-openai": ((1, 7, 4), (2,)),
    "openai": ((2,), (4,)),
}
"""The libraries that the integrations are for: the first version that is supported, and the first that is not."""

# Named in the report, with any version.
_OTHERS = (
    *("langchain", "langgraph", "langchain-anthropic", "langchain-google-genai", "langchain-ollama"),
    *("httpx-sse", "uvloop"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the report: ``state`` is ``"ok"``, ``"note"`` or, if requests fail for it, ``"problem"``."""

    name: str
    value: str
    state: str = "ok"
    remedy: str = ""


def examine_environment() -> list[Fact]:
    """Return the facts of the installation, with the problems and notes in their places."""
    core, *others = _core()
    facts = [
        Fact("millstream", installed_version("millstream") or "not installed"),
        core,
        Fact("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        Fact("platform", platform.platform()),
        *map(_requirement, ("orjson", "httpx2")),
        *others,
        *_hosts(),
        *_extras(),
    ]
    if core.state != "problem":
        facts.extend(_network())
    facts.extend(_tracing())
    return facts


def _requirement(name: str) -> Fact:
    version = installed_version(name)
    return Fact(name, version) if version else Fact(name, "not installed", "problem", f"pip install {name}")


def _core() -> list[Fact]:
    try:
        from ... import BACKEND
    except Exception as error:
        # An error of the environment's variables says what to do itself.
        remedy = "" if "MILLSTREAM_" in str(error) else "pip install --force-reinstall millstream"
        return [Fact("backend", f"broken: {type(error).__name__}: {error}", "problem", remedy)]
    if BACKEND == "rust":
        return [Fact("backend", BACKEND)]
    is_chosen = os.environ.get("MILLSTREAM_PURE", "") not in ("", "0")
    reason = "MILLSTREAM_PURE is set" if is_chosen else "the Rust core is not installed"
    return [Fact("backend", BACKEND), Fact("core", f"the Python half runs, which is slower: {reason}", "note")]


def _hosts() -> Iterator[Fact]:
    for name, (first, end) in HOSTS.items():
        version = installed_version(name)
        if version is None:
            continue
        numbers = _numbers(version)
        if first <= numbers < end:
            yield Fact(name, version)
        else:
            shown = ".".join(map(str, first))
            text = f"{version}, which the integrations do not support: install {name}>={shown},<{end[0]}"
            yield Fact(name, text, "note")
    for name in _OTHERS:
        if (version := installed_version(name)) is not None:
            yield Fact(name, version)
        elif name == "uvloop" and os.name != "nt":
            yield Fact(name, "not installed: servers run on asyncio's own event loop, which is slower", "note")


EXTRAS = {
    "langchain": (("langchain-core", "langchain-openai"), "models for apps that keep LangChain"),
    "server": (("starlette", "uvicorn"), "millstream serve, and streams as responses"),
    "redis": (("redis",), "streams that another server resumes"),
    "otel": (("opentelemetry-api",), "spans and metrics of calls"),
    "cli": (("rich", "shtab"), "Markdown in millstream chat, progress bars, completion in shells"),
}
"""The extras: the packages without which each does nothing, and what it is for."""


def _extras() -> Iterator[Fact]:
    for extra, (packages, purpose) in EXTRAS.items():
        missing = [name for name in packages if installed_version(name) is None]
        if missing:
            yield Fact(
                f"extra {extra}",
                f"without {' and '.join(missing)}: {purpose}",
                "ok",
                f"pip install 'millstream[{extra}]'",
            )
        else:
            versions = ", ".join(f"{name} {installed_version(name)}" for name in packages)
            yield Fact(f"extra {extra}", f"{versions}: {purpose}")


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def _network() -> Iterator[Fact]:
    """Yield the transport that a model with default arguments uses, and its certificates."""
    from ...errors import MillstreamError
    from ...transport.choice import TransportSelector
    from ...transport.native.tls import environment_certificates
    from ...transport.proxies import check_proxies

    url = PROVIDERS["openai"].find_url()
    proxy = os.environ.get("OPENAI_PROXY") or None
    try:
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.hostname}"
        reason = TransportSelector("auto", proxy).find_reason(url, is_async=False)
        if reason is None:
            yield Fact("transport", f"native, for {shown}")
        else:
            check_proxies(proxy)
            yield Fact("transport", f"httpx2, for {shown}: {reason}", "note")
    except (MillstreamError, ValueError) as error:
        yield Fact("transport", str(error), "problem")
    try:
        if (named := environment_certificates()) is not None:
            yield Fact("certificates", f"{named[1]} ({named[0]})")
        elif "REQUESTS_CA_BUNDLE" in os.environ or "CURL_CA_BUNDLE" in os.environ:
            yield Fact("certificates", "the system's: REQUESTS_CA_BUNDLE is not read, set SSL_CERT_FILE", "note")
        else:
            from .certificates import find_roots

            state, text = find_roots()
            remedy = "install the package ca-certificates, or set SSL_CERT_FILE" if state == "problem" else ""
            yield Fact("certificates", text, state, remedy)
    except MillstreamError as error:
        yield Fact("certificates", str(error), "problem")


def _tracing() -> Iterator[Fact]:
    """Yield the variables that add a handler to every run of LangChain's."""
    for name in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING"):
        if os.environ.get(name, "").lower() in ("true", "1"):
            yield Fact(
                "tracing",
                f"{name} traces every run: LangChain's callbacks then take most of a chunk's time; "
                "models of the package millstream send no traces",
                "note",
            )
            return
