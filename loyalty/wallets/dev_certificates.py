"""Certificates of the shape of Apple's, by a private authority: for development, tests and the demo."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from loyalty.wallets.apple_signature import PASS_TYPE_EXTENSION, AppleSetupError, load_signer

TYPE_ID = "pass.example.loyalty"
TEAM_ID = "DEVELOPER1"
FILES = ("root.pem", "wwdr.pem", "pass.pem", "pass.key")
_APPLE = "1.2.840.113635.100"
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")


@dataclass(frozen=True, slots=True)
class DevCertificates:
    """Where the four files are, what they are for, and whether they were made just now."""

    root: Path
    wwdr: Path
    certificate: Path
    key: Path
    pass_type_id: str
    team_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def make_dev_certificates(
    folder: Path, at: datetime, *, pass_type_id: str = TYPE_ID, team_id: str = TEAM_ID
) -> DevCertificates:
    """Write root.pem, wwdr.pem, pass.pem and pass.key, unless good ones are there already."""
    root, wwdr, certificate, key = (folder / name for name in FILES)
    usable = root.exists() and _fit(certificate, key, wwdr, pass_type_id, team_id, at)
    if not usable:
        _write(folder, at, pass_type_id, team_id)
    return DevCertificates(root, wwdr, certificate, key, pass_type_id, team_id, is_new=not usable)


def _fit(certificate: Path, key: Path, wwdr: Path, pass_type_id: str, team_id: str, at: datetime) -> bool:
    try:
        load_signer(
            certificate_file=certificate,
            key_file=key,
            wwdr_file=wwdr,
            pass_type_id=pass_type_id,
            team_id=team_id,
            at=at,
        )
    except AppleSetupError:
        return False
    return True


def _write(folder: Path, at: datetime, pass_type_id: str, team_id: str) -> None:
    root = _root(at)
    wwdr = _intermediate(root, at)
    key = _new_key()
    certificate = _pass_certificate(wwdr, key, at, pass_type_id, team_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # In an order in which an interrupted run is seen as unfinished by the next one.
    for name, data in (
        ("pass.key", private),
        ("pass.pem", certificate.public_bytes(Encoding.PEM)),
        ("wwdr.pem", wwdr.certificate.public_bytes(Encoding.PEM)),
        ("root.pem", root.certificate.public_bytes(Encoding.PEM)),
    ):
        path = folder / name
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)


def _root(at: datetime) -> _Authority:
    key = _new_key()
    name = _name(("CN", "Loyalty development root"), ("O", "Loyalty development"))
    builder = _builder(name, name, key.public_key(), key.public_key(), at, days=3650)
    return _Authority(_as_authority(builder, 1).sign(key, hashes.SHA256()), key)


def _intermediate(root: _Authority, at: datetime) -> _Authority:
    key = _new_key()
    name = _name(
        ("CN", "Loyalty Development Relations Certification Authority"), ("OU", "G4"), ("O", "Loyalty development")
    )
    builder = _builder(name, root.certificate.subject, key.public_key(), root.key.public_key(), at, days=3650)
    return _Authority(_as_authority(builder, 0).sign(root.key, hashes.SHA256()), key)


def _pass_certificate(
    wwdr: _Authority, key: rsa.RSAPrivateKey, at: datetime, pass_type_id: str, team_id: str
) -> x509.Certificate:
    subject = _name(
        ("UID", pass_type_id), ("CN", f"Pass Type ID: {pass_type_id}"), ("OU", team_id), ("O", "Loyalty development")
    )
    text = pass_type_id.encode()
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier(f"{_APPLE}.4.14")]
    builder = (
        _builder(subject, wwdr.certificate.subject, key.public_key(), wwdr.key.public_key(), at, days=396)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.UnrecognizedExtension(PASS_TYPE_EXTENSION, bytes((12, len(text))) + text), critical=False)
        .add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_APPLE}.6.3.2"), b"\x05\x00"), critical=False
        )
    )
    return builder.sign(wwdr.key, hashes.SHA256())


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(*parts: tuple[str, str]) -> x509.Name:
    kinds = {
        "UID": NameOID.USER_ID,
        "CN": NameOID.COMMON_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "C": NameOID.COUNTRY_NAME,
    }
    return x509.Name([x509.NameAttribute(kinds[kind], value) for kind, value in (*parts, ("C", "LU"))])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    at: datetime,
    *,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # A clock that is a little behind must not refuse what was made just now.
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        _usage("key_cert_sign", "crl_sign"), critical=True
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    names = (*_USAGES, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in allowed for name in names})
