"""Processes as /proc shows them, for those who run in a container: application master and TaskManager."""
