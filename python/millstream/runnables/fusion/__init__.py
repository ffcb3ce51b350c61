"""Operator fusion: a chain of our own parts over one connection, run as one generator without a task or a queue."""
