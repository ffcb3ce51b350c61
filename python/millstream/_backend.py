"""Chooses between the two halves of the core: the only module that knows there are two.

The Rust core runs where it is built. Where it is absent, pure Python serves; where it is there but
does not load, its error is not hidden. ``MILLSTREAM_PURE=1`` asks for pure Python, and
``MILLSTREAM_REQUIRE_NATIVE=1`` refuses it.
"""

import logging
import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

__all__ = (
    "BACKEND",
    "ChunkTimes",
    "Delta",
    "HTTPXServerSentEvent",
    "JSONAssembler",
    "SSEParser",
    "ServerSentEvent",
    "StreamDecoder",
    "TextAssembler",
    "ToolCallDelta",
    "WireWriter",
    "encode_sse",
)

BACKEND: str
"""Which half runs: ``"rust"`` or ``"python"``."""


def _is_set(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def _has_core() -> bool:
    """Return whether the Rust core is to run, having imported it; say so where it is absent."""
    required = _is_set("MILLSTREAM_REQUIRE_NATIVE")
    if _is_set("MILLSTREAM_PURE"):
        if required:
            raise ImportError("MILLSTREAM_PURE and MILLSTREAM_REQUIRE_NATIVE contradict each other: unset one of them")
        return False
    try:
        core = import_module("millstream._core")
    except ModuleNotFoundError as error:
        # Anything else that is missing makes the core a broken one.
        if error.name != "millstream._core":
            raise
        if required:
            raise ImportError(
                "millstream._core, the Rust core, is not installed, and MILLSTREAM_REQUIRE_NATIVE is set: install a "
                "wheel built for this Python and platform, build one (pip install . with a Rust toolchain), or unset it"
            ) from error
        logging.getLogger("millstream").info(
            "the Rust core is not installed: pure Python runs in its place, and a chunk takes about ten times as long"
        )
        return False
    if getattr(core, "DEBUG_BUILD", False):
        message = "millstream._core is a debug build, many times slower than one built with --release"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return True


if TYPE_CHECKING or not _has_core():
    from ._pure import (
        ChunkTimes,
        Delta,
        HTTPXServerSentEvent,
        JSONAssembler,
        ServerSentEvent,
        SSEParser,
        StreamDecoder,
        TextAssembler,
        ToolCallDelta,
        WireWriter,
        encode_sse,
    )

    BACKEND = "python"
else:
    from ._core import (
        ChunkTimes,
        Delta,
        HTTPXServerSentEvent,
        JSONAssembler,
        ServerSentEvent,
        SSEParser,
        StreamDecoder,
        TextAssembler,
        ToolCallDelta,
        WireWriter,
        encode_sse,
    )

    BACKEND = "rust"
