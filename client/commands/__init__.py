"""The verbs of `submit`, one file each; only these import click."""
