"""The tests of resumable streams over a Redis that they start."""
