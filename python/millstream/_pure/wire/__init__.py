"""Wires: the bytes in which one answer of a model reaches a client.

``writer`` has the public class, ``wire`` what all wires share, and every other file one wire.
"""

from .writer import WireWriter

__all__ = ("WireWriter",)
