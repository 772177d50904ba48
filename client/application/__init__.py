"""An application as its master tells of it, found by its id."""
