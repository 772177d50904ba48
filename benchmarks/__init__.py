"""Measurements, each one command that compares in one run; figures are medians, and no figure fails a test."""
