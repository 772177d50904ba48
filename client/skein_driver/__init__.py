"""Skein's driver, the one JVM that the client needs: for submissions, and to reach an application's own store."""
