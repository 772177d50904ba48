"""Standard output, which holds the result: where it takes no more, that is an error like any other."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from client.errors import ENVIRONMENT, ClientError


class Stdout:
    """A stream whose errors are ClientErrors; all but that of a reader who has read enough (`| head`), which is none of ours."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """See `TextIO`."""
        if text == "":  # click feels for a text stream with it, and swallows what comes of that
            return 0
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        """See `TextIO`."""
        with self._told():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Leaves the rest to the stream."""
        return getattr(self._stream, name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            # Python would fail once more over what is left to write, at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            cause, remedy = f"stdout can't be written: {error.strerror}", "make room where it goes, or write it elsewhere"
            raise ClientError(cause, remedy, ENVIRONMENT) from error
