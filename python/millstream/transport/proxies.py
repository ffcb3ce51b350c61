"""The proxies of the environment, and whether httpx2 can use them."""

import os
import sys

from ..errors import MillstreamError

__all__ = ("check_proxies", "environment_proxies")

_SCHEMES = ("http", "https", "socks5", "socks5h")


def environment_proxies() -> dict[str, str]:
    """Return the proxies of the environment by scheme, looked up as httpx2 does."""
    named = any(value and name.lower().endswith("_proxy") for name, value in os.environ.items())
    if not named and sys.platform not in ("darwin", "win32"):
        # Skips the import of urllib.request, and of ssl with it, where there is nothing to find.
        return {}
    from urllib.request import getproxies

    return getproxies()


def check_proxies(proxy: str | None) -> None:
    """Raise :class:`~millstream.errors.MillstreamError` for a proxy that httpx2 cannot use; its URL is not shown.

    httpx2 creates one client for all proxies of the environment, unless a model has its own proxy.
    """
    if proxy is not None:
        _check("the model's proxy setting", proxy)
        return
    proxies = environment_proxies()
    for scheme in ("http", "https", "all"):
        if url := proxies.get(scheme):
            # As in httpx2, a proxy without a scheme is an HTTP proxy.
            _check(f"the environment variable {scheme.upper()}_PROXY", url if "://" in url else f"http://{url}")


def _check(name: str, url: str) -> None:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in _SCHEMES:
        instead = "write socks5:// or socks5h://" if scheme.startswith("socks") else "write http://HOST:PORT"
        shown = f"{scheme}://" if scheme.isalnum() else "no scheme that is known"
        raise MillstreamError(f"{name} names a proxy with {shown}, which httpx2 cannot use: {instead}, or unset it")
    if not _has_place(url):
        raise MillstreamError(f"{name} is not the URL of a proxy: write {scheme}://HOST:PORT, or unset it")
    if scheme.startswith("socks") and not _is_installed("socksio"):
        raise MillstreamError(
            f"{name} names a SOCKS proxy, which httpx2 reaches with the package socksio alone:"
            " run pip install 'httpx2[socks]', or change it"
        )


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _has_place(url: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        return False
