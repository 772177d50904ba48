"""Carries the overlay jar, built by Maven from the Java beside this file; it runs in the JVM of skein's application master."""
