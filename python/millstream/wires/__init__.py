"""The wires: how a stream's chunks and events become the bytes that a server's clients read."""
