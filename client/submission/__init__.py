"""From what is wanted to an application that runs: checks, uploads, and what is left behind of neither."""
