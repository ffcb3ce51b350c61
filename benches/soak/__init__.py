"""Streams for minutes, one in five with a fault, over both transports, from threads and from a loop."""
