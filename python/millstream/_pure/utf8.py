"""Incremental UTF-8: the longest decided prefix, and what must wait for more bytes."""

__all__ = ("unfinished",)


def unfinished(data: bytes | bytearray) -> int:
    """Return how many bytes at the end of ``data`` are the beginning of a character: 0 to 3.

    Only a prefix of a valid sequence waits. The Encoding Standard's decoder narrows
    the second byte after some leads, so that ``ED A0``, ``F4 90``, ``E0 80`` and ``F0 80`` are
    errors at once, and ``C0``, ``C1``, ``F5`` and above never lead:

        "If byte is 0xE0, then set UTF-8 lower boundary to 0xA0. If byte is 0xED, then set UTF-8
        upper boundary to 0x9F. [...] If byte is 0xF0, then set UTF-8 lower boundary to 0x90. If
        byte is 0xF4, then set UTF-8 upper boundary to 0x8F."
    """
    for count in range(1, min(3, len(data)) + 1):
        lead = data[-count]
        if 0x80 <= lead <= 0xBF:
            continue
        if count >= _length(lead):
            return 0
        if count > 1 and not _follows(lead, data[1 - count]):
            return 0
        return count
    return 0


def _length(lead: int) -> int:
    """Return the length of the sequence that ``lead`` begins, 1 if it begins none."""
    if 0xC2 <= lead <= 0xDF:
        return 2
    if 0xE0 <= lead <= 0xEF:
        return 3
    if 0xF0 <= lead <= 0xF4:
        return 4
    return 1


def _follows(lead: int, second: int) -> bool:
    """Return whether ``second``, a continuation byte, may come right after ``lead``."""
    if lead == 0xE0:
        return second >= 0xA0
    if lead == 0xED:
        return second <= 0x9F
    if lead == 0xF0:
        return second >= 0x90
    if lead == 0xF4:
        return second <= 0x8F
    return True
