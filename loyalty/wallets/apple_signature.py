"""The certificates of passes, checked once, and the signature that phones check."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID

PASS_TYPE_EXTENSION = x509.ObjectIdentifier("1.2.840.113635.100.6.1.16")
# Without Binary a line feed in the manifest becomes CRLF before it is hashed, and no phone takes the pass.
_OPTIONS = [PKCS7Options.DetachedSignature, PKCS7Options.Binary, PKCS7Options.NoCapabilities]


class AppleSetupError(Exception):
    """What is given for Apple passes does not fit; the text is one line for the person who starts the program."""


@dataclass(frozen=True, slots=True)
class CertificateEnds:
    """When the pass certificate and Apple's intermediate end."""

    leaf: datetime
    intermediate: datetime


@dataclass(frozen=True, slots=True)
class AppleSigner:
    """The pass certificate, its key and its issuer, parsed once: parsing costs as much as a hundred signatures."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    issuer: x509.Certificate

    @property
    def ends(self) -> CertificateEnds:
        """When each of the two certificates ends."""
        return CertificateEnds(self.certificate.not_valid_after_utc, self.issuer.not_valid_after_utc)

    def sign(self, manifest: bytes) -> bytes:
        """Return the detached signature over exactly these bytes, with the time of signing in it."""
        builder = PKCS7SignatureBuilder().set_data(manifest)
        signed = builder.add_signer(self.certificate, self.key, hashes.SHA256()).add_certificate(self.issuer)
        return signed.sign(Encoding.DER, _OPTIONS)


def load_signer(
    *, certificate_file: Path, key_file: Path, wwdr_file: Path, pass_type_id: str, team_id: str, at: datetime
) -> AppleSigner:
    """Read the three files and check that they belong together, or raise AppleSetupError."""
    certificate, issuer = _certificate(certificate_file), _certificate(wwdr_file)
    key = _key(key_file)
    if certificate.public_key() != key.public_key():
        raise AppleSetupError(f"{key_file} is not the key of {certificate_file}.")
    _check_subject(certificate, certificate_file, pass_type_id, team_id)
    _check_issuer(certificate, certificate_file, issuer, wwdr_file)
    for found, path in ((certificate, certificate_file), (issuer, wwdr_file)):
        if at < found.not_valid_before_utc:
            raise AppleSetupError(f"{path} is valid only from {found.not_valid_before_utc:%Y-%m-%d}.")
        if at > found.not_valid_after_utc:
            raise AppleSetupError(f"{path} ended on {found.not_valid_after_utc:%Y-%m-%d}: renew it.")
    return AppleSigner(certificate, key, issuer)


def _certificate(path: Path) -> x509.Certificate:
    data = _read(path)
    try:
        # Apple hands its certificates out in DER, as .cer files.
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise AppleSetupError(f"{path} holds no certificate.") from error


def _key(path: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except TypeError as error:
        raise AppleSetupError(f"{path} has a passphrase: store the key without one.") from error
    except ValueError as error:
        raise AppleSetupError(f"{path} holds no private key in PEM.") from error
    if not isinstance(key, RSAPrivateKey):
        raise AppleSetupError(f"{path} is not an RSA key: passes are signed with RSA.")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AppleSetupError(f"{path} cannot be read: {error.strerror}.") from error


def _check_subject(certificate: x509.Certificate, path: Path, pass_type_id: str, team_id: str) -> None:
    subject = certificate.subject
    pass_types = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.USER_ID)]
    teams = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    if pass_types != [pass_type_id]:
        raise AppleSetupError(f"{path} is for {_names(pass_types)}, but APPLE_PASS_TYPE_ID is {pass_type_id}.")
    if team_id not in teams:
        raise AppleSetupError(f"{path} belongs to the team {_names(teams)}, but APPLE_TEAM_ID is {team_id}.")
    try:
        extension = certificate.extensions.get_extension_for_oid(PASS_TYPE_EXTENSION).value
    except x509.ExtensionNotFound:
        raise AppleSetupError(f"{path} is not a pass certificate: it lacks the extension for pass types.") from None
    except ValueError as error:
        raise AppleSetupError(f"{path} has extensions that cannot be read.") from error
    value = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    # A UTF8String in DER: its type, its length in one or two bytes, its text.
    if not value.endswith(pass_type_id.encode()) or len(value) - len(pass_type_id) not in (2, 3):
        raise AppleSetupError(f"{path} names another pass type in its extension than in its subject.")


def _names(found: list[str]) -> str:
    return ", ".join(found) or "nothing"


def _check_issuer(certificate: x509.Certificate, path: Path, issuer: x509.Certificate, issuer_path: Path) -> None:
    # Which generation of Apple's intermediate it has to be is told by the certificate itself, so none is written here.
    wanted = certificate.issuer.rfc4514_string()
    wrong = AppleSetupError(f"{issuer_path} did not issue {path}: take the intermediate certificate {wanted}.")
    try:
        known_as = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        calls_itself = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        is_authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        raise wrong from None
    if known_as != calls_itself or not is_authority:
        raise wrong
