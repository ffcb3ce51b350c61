"""The framings beside Server-Sent Events: bytes to units, each of which has one payload."""

from .event_stream import Messages
from .json_array import JSONArray
from .ndjson import JSONLines
from .units import Units

__all__ = ("FRAMINGS",)

FRAMINGS: dict[str, type[Units]] = {"array": JSONArray, "lines": JSONLines, "messages": Messages}
"""What finds the units of a body, by the kind of the body."""
