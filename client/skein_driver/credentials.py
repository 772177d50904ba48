"""One TLS pair per application, kept where only the submitting user reads it.

Skein's own pair is one per user and travels into every container of every application of theirs, where whoever reads one container's
directory drives all of them; and nobody checks its dates.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from protocol.launch import CERTIFICATE, KEY

_COMMON_NAME = "skein-internal"
"""Skein's gRPC clients accept this name only (`skein.core.secure_channel`)."""

_VALIDITY = datetime.timedelta(days=365)
_CLOCK_SKEW = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Credentials:
    """A self-signed certificate, its own CA, and its private key in PKCS8, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Credentials(…)"

    def save(self, directory: Path) -> None:
        """Writes both files with mode 0600 under the names that they have in every container.

        Raises:
            FileExistsError: when the directory holds a pair already.
        """
        for name, content in ((CERTIFICATE, self.certificate), (KEY, self.key)):
            descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)


def load(directory: Path) -> Credentials:
    """Returns the pair that `Credentials.save` wrote there.

    Raises:
        OSError: when it isn't there, or not for this user.
    """
    return Credentials((directory / CERTIFICATE).read_bytes(), (directory / KEY).read_bytes())


def mint(now: datetime.datetime) -> Credentials:
    """Returns a fresh pair in skein's form (`skein.model.Security.new_credentials`): RSA-2048, SHA-256, one year.

    It is valid from a day before `now`, an aware time, because the clocks of nodes differ.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _COMMON_NAME)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALIDITY)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials(certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form))
