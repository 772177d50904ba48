"""Processes, for those who run in a container, application master and TaskManager: as /proc shows them, and users' from start to end."""
