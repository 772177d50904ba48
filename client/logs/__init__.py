"""The logs of an application: where they lie, whose each file is, and how they are shown."""
