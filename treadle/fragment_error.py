"""A fragment that could not be mapped."""

from __future__ import annotations


class FragmentError(RuntimeError):
    """The function, or its input or output, failed on one fragment; the text holds the traceback of the slot.

    Attributes:
        fragment: path of the input file.
        detail: the traceback as the slot saw it.
    """

    def __init__(self, fragment: str, place: str, detail: str) -> None:
        super().__init__(fragment, place, detail)
        self.fragment, self.place, self.detail = fragment, place, detail

    def __str__(self) -> str:
        cause = self.detail.strip().rpartition("\n")[2]
        return f"{self.fragment} could not be mapped {self.place}: {cause}\n\n{self.detail.strip()}"
