"""Follows an application until it ends, and tells what happens meanwhile."""
