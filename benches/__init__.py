"""Benchmarks of Millstream against its peers, and against its own pure-Python half.

``python -m benches`` prints the tables: every contender on the same bytes, round by round. It fails if a ratio is below
its floor. ``--write-readme`` stores the figures in ``results/``; ``python -m benches.pages`` makes the pages of them.
``python -m benches.transport`` and ``python -m benches.server`` measure over sockets.
``python -m benches.instructions`` counts the instructions of the core's hot loops.
``pytest benches --benchmark-enable --benchmark-only`` times both halves of the core.
``cargo bench`` times the Rust core alone (``core.rs``).
"""
