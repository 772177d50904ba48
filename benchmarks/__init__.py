"""Timings as ratios against a peer or a floor in the same run; each module is a command: `python -m benchmarks.startup`."""
