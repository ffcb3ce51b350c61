"""The one method that an accelerated client has of its own, sync and async."""

from __future__ import annotations

from typing import Any

from .streams import STREAM_CLASSES

__all__ = ("arequest", "request")


def request(self: Any, *args: Any, stream_cls: Any = None, **options: Any) -> Any:
    """Do what the method of the SDK's class does, and return a stream of this package."""
    stream_cls = STREAM_CLASSES.get(stream_cls, stream_cls)
    return self._accelerates.request(self, *args, stream_cls=stream_cls, **options)


async def arequest(self: Any, *args: Any, stream_cls: Any = None, **options: Any) -> Any:
    """Do what the method of the SDK's class does, and return a stream of this package."""
    stream_cls = STREAM_CLASSES.get(stream_cls, stream_cls)
    return await self._accelerates.request(self, *args, stream_cls=stream_cls, **options)
