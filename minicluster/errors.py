"""What keeps a mini cluster from running, in the user's words."""

from __future__ import annotations


class ClusterError(Exception):
    """The environment can't give what is needed: one line of cause, one of remedy, and the end of a daemon's log where there is one."""

    def __init__(self, cause: str, remedy: str, log_tail: str = "") -> None:
        super().__init__("\n".join(part for part in (cause, remedy, log_tail) if part))
        self.cause = cause
        self.remedy = remedy
        self.log_tail = log_tail
