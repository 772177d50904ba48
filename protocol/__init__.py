"""What the application master and a TaskManager tell each other: the records, their keys, and the store they travel in."""
