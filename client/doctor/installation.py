"""Treadle's own installation on this machine."""

from __future__ import annotations

import importlib.resources
from datetime import datetime, timedelta

from client.command_line import driver_names
from client.command_line.installed_drivers import installed
from client.doctor.finding import FAILURE, OK, WARNING, Finding
from client.skein_driver import credentials
from client.submission.overlay import JAR
from conf.settings import Settings

OVERLAY, CERTIFICATES, DRIVERS, CLOCK = "overlay", "certificates", "drivers", "clock"

_TOLERATED_SKEW = timedelta(minutes=5)
"""Kerberos's own tolerance (`clockskew` in krb5.conf)."""


def overlay() -> Finding:
    """Looks for the compiled classes that widen skein's application master."""
    jar = importlib.resources.files("yarn_overlay") / JAR
    if jar.is_file():
        return Finding(OVERLAY, OK, f"{jar}")
    return Finding(OVERLAY, FAILURE, f"{jar} was not built", "run `make` in Treadle's source directory (it needs a JDK and Maven)")


def certificates(now: datetime) -> Finding:
    """Makes a TLS pair, as each application gets one; `now` is aware."""
    try:
        credentials.mint(now)
    except ImportError as error:
        return Finding(
            CERTIFICATES, FAILURE, f"the library cryptography can't be used: {error}", "install it again: pip install cryptography"
        )
    return Finding(CERTIFICATES, OK, "each application gets a TLS pair of its own, made here")


def clock(here: datetime, there: datetime | None) -> Finding | None:
    """Judges this machine's clock by the ResourceManager's; None where that did not tell the time."""
    if there is None:
        return None
    skew = abs(here - there)
    if skew <= _TOLERATED_SKEW:
        return Finding(CLOCK, OK, f"within {max(1, round(skew.total_seconds()))} s of the ResourceManager's")
    text = f"{skew.total_seconds() / 60:.0f} min off the ResourceManager's: Kerberos refuses more than 5, certificates more than a day"
    return Finding(CLOCK, WARNING, text, "have both machines follow the same time servers (NTP)")


def drivers(settings: Settings) -> list[Finding]:
    """Looks for the drivers that the configuration names; without any, lists those that are there."""
    if problems := driver_names.problems(settings):
        tolerated = driver_names.tolerated(settings)
        return [Finding(DRIVERS, WARNING if it.key in tolerated else FAILURE, it.cause, it.remedy) for it in problems]
    names = ", ".join(driver.name for driver in installed())
    if names:
        return [Finding(DRIVERS, OK, f"installed here: {names}")]
    return [Finding(DRIVERS, FAILURE, "no driver is installed", "install Treadle again: pip install treadle-yarn")]
