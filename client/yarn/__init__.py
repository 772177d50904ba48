"""What YARN says of itself and of applications, as records, and what follows from it."""
