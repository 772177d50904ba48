"""What applications left of themselves, found again."""
