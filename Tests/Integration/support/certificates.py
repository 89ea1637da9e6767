"""Authorities and certificates of a test's own, made when it runs."""

import base64
import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)

NEW_KEY = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa of 1024 bits": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
}


# It signs certificates, and what it says of them.
KEYS_OF_AUTHORITIES = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def subject_of(name, organization=None):
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def alternative(name):
    """A name of a certificate: an IP address, a URI, an e-mail address, or a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        kind = x509.UniformResourceIdentifier if "://" in name else x509.RFC822Name if "@" in name else x509.DNSName
        return kind(name)


@dataclass(frozen=True)
class Certified:
    """A certificate, and its key. `chain`: the certificates between it and its authority."""

    certificate: x509.Certificate
    private_key: object
    chain: tuple = ()

    @property
    def serial(self):
        return self.certificate.serial_number

    @property
    def der(self):
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def key_digest(self):
        """SHA-256 of the public key, in base64, as browsers name keys."""
        key = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(key).digest()).decode()

    def certificate_text(self):
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))

    def key_text(self, passphrase=None):
        encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def write(self, folder, name, passphrase=None):
        """Writes both; returns their paths."""
        files = Files(Path(folder) / f"{name}.crt", Path(folder) / f"{name}.key")
        files.replace(self, passphrase)
        return files


@dataclass(frozen=True)
class Files:
    certificate: Path
    key: Path

    def flags(self):
        """What tells a probe server to use them."""
        return ("--certificate", self.certificate, "--key", self.key)

    def replace(self, certified, passphrase=None):
        """Each is replaced as a whole, as those tools do that renew certificates."""
        pairs = (self.key, certified.key_text(passphrase)), (self.certificate, certified.certificate_text())
        for path, text in pairs:
            new = path.with_suffix(".new")
            new.write_bytes(text)
            new.rename(path)


class Authority:
    """Certifies others. Its own certificate, which clients trust, is in the file `path`."""

    def __init__(self, folder, name="Authority of a test", key="ecdsa", issuer=None):
        self.private_key, self.name = NEW_KEY[key](), subject_of(name)
        self._issuer = issuer
        signer = issuer or self
        self.certificate = self._signed(self.name, self.private_key, signer, [], days=(-1, 30), is_authority=True)
        self.path = Path(folder) / f"{name.replace(' ', '-')}.crt"
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def certify(self, *names, key="ecdsa", subject=None, days=(-1, 30), organization=None):
        """A certificate with these names, valid from and to so many days from now."""
        private_key = NEW_KEY[key]()
        own = subject_of(subject or names[0], organization)
        certificate = self._signed(own, private_key, self, names, days=days, is_authority=False)
        return Certified(certificate, private_key, (self.certificate,) if self._issuer else ())

    @staticmethod
    def _signed(subject, private_key, issuer, names, *, days, is_authority):
        first, last = days
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.name)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() + first * DAY)
            .not_valid_after(now() + last * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private_key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private_key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(alternative, names)), critical=False)
        if is_authority:
            builder = builder.add_extension(KEYS_OF_AUTHORITIES, critical=True)
        else:
            uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        return builder.sign(issuer.private_key, hashes.SHA256())

    def status(self, certified, *, is_revoked=False, days=(-1, 5)):
        """An OCSP response about a certificate, in DER."""
        first, last = days
        return (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certified.certificate,
                issuer=self.certificate,
                algorithm=hashes.SHA256(),
                cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
                this_update=now() + first * DAY,
                next_update=now() + last * DAY,
                revocation_time=now() - DAY if is_revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
            .sign(self.private_key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )
