"""What is asked of skein's driver, a JVM on this machine that speaks YARN's and HDFS's protocols and lives for one submission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from client.errors import ENVIRONMENT, ClientError
from client.skein_driver.credentials import Credentials
from client.skein_driver.driver_process import DriverProcess
from protocol.skein_import import import_skein

if TYPE_CHECKING:
    import skein

_SUBMIT_TIMEOUT_S = 300.0
"""Skein's driver retries for ever where a ResourceManager refuses its user (skein#164); an upload to a slow HDFS takes long too."""


class Driver:
    """A driver that is up."""

    def __init__(self, process: DriverProcess) -> None:
        """Waits until it is up; skein is imported meanwhile.

        Raises:
            ClientError: when it doesn't come up.
        """
        skein = import_skein()
        self._process = process
        address = process.address()
        with self._errors(lambda said: process.error("skein's driver does not start", said, ENVIRONMENT)):
            self._client = skein.Client(address, security_of(process.pair))

    def submit(self, spec: skein.ApplicationSpec) -> str:
        """Uploads the files, hands the application to YARN, and returns its id; interrupted, it takes that back.

        Raises:
            ClientError: when YARN or HDFS refuses.
        """
        with self._errors(self._process.not_submitted), ThreadPoolExecutor(1) as background:
            # Client.submit has no deadline
            submitting = background.submit(self._client._call, "submit", spec.to_protobuf(), timeout=_SUBMIT_TIMEOUT_S)
            try:
                return str(submitting.result().id)
            except (KeyboardInterrupt, SystemExit):
                # nobody else knows of it; skein deletes what it uploaded when it kills an application, or could not submit it
                if submitting.exception() is None:
                    self._client.kill_application(submitting.result().id)
                raise

    def kill(self, application: str) -> None:
        """Has YARN kill an application.

        Raises:
            ClientError: when YARN refuses.
        """
        with self._errors(lambda said: self._process.error(f"{application} could not be killed", said, ENVIRONMENT)):
            self._client.kill_application(application)

    @contextmanager
    def _errors(self, judge: Callable[[str], ClientError]) -> Iterator[None]:
        from skein.exceptions import SkeinError, TimeoutError

        try:
            yield
        except TimeoutError as error:
            raise judge(f"no answer within {_SUBMIT_TIMEOUT_S:.0f} s") from error
        except (SkeinError, ValueError) as error:
            raise judge(str(error)) from error


def security_of(pair: Credentials) -> skein.Security:
    """Returns the pair as skein takes it."""
    return import_skein().Security(cert_bytes=pair.certificate, key_bytes=pair.key)
