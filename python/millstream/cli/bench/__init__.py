"""``millstream bench``: the CPU time of streams on this machine, beside what is installed."""
