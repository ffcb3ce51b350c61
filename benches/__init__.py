"""Benchmarks of Millstream against its peers, and against its own pure-Python half.

``python -m benches`` prints the tables: every contender on the same bytes, round by round.
``pytest benches --benchmark-enable --benchmark-only`` times both halves of the core.
``cargo bench`` times the Rust core alone (``core.rs``).
"""
