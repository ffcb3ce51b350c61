"""The framings beside Server-Sent Events: bytes to units, each of which has one payload."""

from .aws_events import AWSEvents
from .json_array import JSONArray
from .json_lines import JSONLines
from .units import Units

__all__ = ("FRAMINGS",)

FRAMINGS: dict[str, type[Units]] = {"array": JSONArray, "lines": JSONLines, "messages": AWSEvents}
"""What finds the units of a body, by the kind of the body."""
