"""Ends applications, with time for their slots to end by themselves."""
