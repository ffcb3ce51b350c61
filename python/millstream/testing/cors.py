"""Cross-origin resource sharing: the headers with which a browser lets pages of other origins read the answers."""

from collections.abc import Mapping

from .state import RecordedRequest

__all__ = ("cors_headers", "is_preflight")

_ASKED = (
    ("access-control-request-method", "access-control-allow-methods"),
    ("access-control-request-headers", "access-control-allow-headers"),
)


def is_preflight(request: RecordedRequest) -> bool:
    """Return whether a browser asks by ``request`` if it may send another one."""
    return request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= request.headers.keys()


def cors_headers(request: RecordedRequest, origin: str | None) -> Mapping[str, str]:
    """Return the headers of the response to ``request`` with which pages of ``origin`` (``"*"``: any) may read it.

    A request that no page sends has none, and so has each one if ``origin`` is ``None``.
    """
    if origin is None or "origin" not in request.headers:
        return {}
    allowed = {"access-control-allow-origin": origin, "access-control-expose-headers": "*"}
    if origin != "*":
        allowed["vary"] = "origin"
    if is_preflight(request):
        allowed |= {answer: request.headers[asked] for asked, answer in _ASKED if asked in request.headers}
        allowed["access-control-max-age"] = "600"
        # Chromium asks so if a page of the internet requests an address of the machine.
        if request.headers.get("access-control-request-private-network") == "true":
            allowed["access-control-allow-private-network"] = "true"
    return allowed
