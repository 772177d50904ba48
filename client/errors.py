"""What keeps the client from going on, in the user's words."""

from __future__ import annotations

USAGE, REJECTED, ENVIRONMENT = 2, 4, 5
"""Exit codes: the command line is wrong; the cluster refuses what is asked; this machine or the cluster isn't as it has to be."""


class ClientError(Exception):
    """One line of cause, one line of remedy, and what the process exits with."""

    def __init__(self, cause: str, remedy: str, exit_code: int) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.exit_code = exit_code
