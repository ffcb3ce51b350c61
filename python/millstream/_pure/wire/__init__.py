"""Wires: the bytes in which one answer of a model reaches a client.

``writer`` has the public class, ``wire`` the base of all wires. ``choices`` and ``parts`` are the bases of the wires
whose records have choices, and of those that begin and end parts. Every other file has one wire, or a tool of several.
"""

from .writer import WireWriter

__all__ = ("WireWriter",)
