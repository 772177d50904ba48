"""The chaos test: the MNIST job over and over on a real cluster that is struck at random, and what must hold all the while.

`make chaos` runs it long; `test_chaos.py` runs a short version. A schedule of strikes follows from its seed alone.
"""
