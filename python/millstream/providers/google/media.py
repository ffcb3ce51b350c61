"""Media of a request: inline data, references to files, and URLs whose data has to be downloaded first."""

import base64
import binascii
import mimetypes
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ("Download", "Part", "encode_data", "guess_mime_type", "make_image_part", "make_inline_part", "to_hosted_uri")

Part = dict[str, Any]

# Hosts whose files Gemini reads itself.
_HOSTS = ("youtube.com", "youtu.be", "generativelanguage.googleapis.com")
_DATA_URI = re.compile(r"data:([^;]+);base64,(.*)")
# The first bytes of a file, or of its place 4 or 8, by MIME type.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    *((0, b"\xff\xd8\xff", "image/jpeg"), (0, b"\x89PNG\r\n\x1a\n", "image/png"), (0, b"GIF", "image/gif")),
    *((8, b"WEBP", "image/webp"), (0, b"BM", "image/bmp"), (0, b"II*\x00", "image/tiff")),
    *((0, b"MM\x00*", "image/tiff"), (4, b"ftypheic", "image/heic"), (4, b"ftypavif", "image/avif")),
    *((0, b"%PDF", "application/pdf"), (4, b"ftypM4A", "audio/mp4"), (4, b"ftypqt", "video/quicktime")),
    *((4, b"ftyp", "video/mp4"), (0, b"\x1aE\xdf\xa3", "video/webm"), (8, b"AVI", "video/x-msvideo")),
    *((0, b"\x00\x00\x01\xba", "video/mpeg"), (0, b"\x00\x00\x01\xb3", "video/mpeg")),
    *((0, b"ID3", "audio/mpeg"), (0, b"\xff\xfb", "audio/mpeg"), (0, b"\xff\xf3", "audio/mpeg")),
    *((0, b"\xff\xf2", "audio/mpeg"), (0, b"OggS", "audio/ogg"), (0, b"fLaC", "audio/x-flac")),
    *((8, b"WAVE", "audio/x-wav"), (0, b"\xff\xf1", "audio/aac"), (0, b"\xff\xf9", "audio/aac")),
)


class Download:
    """A part whose inline data is at ``url``; :meth:`fill` is called with the data before the request is sent."""

    __slots__ = ("_mime_type", "part", "url")

    def __init__(self, url: str, mime_type: str | None) -> None:
        self.url = url
        self.part: Part = {}
        self._mime_type = mime_type

    def fill(self, data: bytes) -> None:
        """Put the data into the part, before its other keys."""
        rest = dict(self.part)
        self.part.clear()
        mime_type = self._mime_type or guess_mime_type(self.url, data)
        self.part.update(make_inline_part(data, mime_type), **rest)


def make_inline_part(data: bytes, mime_type: str | None) -> Part:
    """Return a part with inline data."""
    inline = {"data": encode_data(data)}
    return {"inlineData": {**inline, "mime_type": mime_type} if mime_type else inline}


def encode_data(data: object) -> str:
    """Return bytes, or bytes in any form of base64, in the form of base64 that requests have.

    Raises :class:`ValueError` for a text that is not base64.
    """
    if isinstance(data, str):
        try:
            data = base64.b64decode(data.translate(_FROM_URL_SAFE) + "=" * (-len(data) % 4))
        except binascii.Error as error:
            raise ValueError(f"Data should be valid base64: {error}") from None
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ValueError(f"data must be bytes or base64, not {type(data).__name__}")
    return base64.urlsafe_b64encode(data).decode("ascii")


_FROM_URL_SAFE = str.maketrans("-_", "+/")


def guess_mime_type(source: str, data: bytes) -> str | None:
    """Return the MIME type by a file's name, or else by its first bytes; ``None`` if neither says it."""
    # A `data:` URL names its type at its beginning.
    named, _ = mimetypes.guess_type(source[:4096])
    if named:
        return named
    return next((mime for place, sign, mime in _SIGNATURES if data.startswith(sign, place)), None)


def make_image_part(url: str) -> Part | Download:
    """Return the part for the URL of a block of OpenAI's: a ``data:`` URL, ``gs://…``, or an address to download."""
    if url.startswith("data:"):
        if (found := _DATA_URI.search(url)) is None:
            raise ValueError(f"not a base64 data URL (data:TYPE;base64,DATA): {url[:100]!r}")
        data = base64.b64decode(found[2])
        return make_inline_part(data, guess_mime_type(url, data))
    if url.startswith("gs://"):
        mime_type, _ = mimetypes.guess_type(url)
        file = {"file_uri": url}
        return {"fileData": {**file, "mime_type": mime_type} if mime_type else file}
    return make_download(url, None)


def make_download(url: str, mime_type: str | None) -> Download:
    """Return the part for an address to download; :class:`ValueError` if it is not an HTTP URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(
            "Media string must be one of: valid HTTP/HTTPS URL, base64 encoded data URI (e.g., data:image/..., "
            f"data:application/pdf;base64,...), or Google Cloud Storage URI (gs://...). Instead got {url[:100]!r}."
        )
    return Download(url, mime_type)


def to_hosted_uri(block: Mapping[str, Any]) -> str | None:
    """Return the URI of a block whose file Gemini reads itself; ``None`` for data and other URLs."""
    file_id, url = block.get("file_id"), block.get("url")
    if isinstance(file_id, str) and file_id:
        return file_id
    if not isinstance(url, str) or not url:
        return None
    host = urlsplit(url).hostname or ""
    if url.startswith("gs://") or any(host == known or host.endswith(f".{known}") for known in _HOSTS):
        return url
    return None
