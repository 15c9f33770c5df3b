"""The certificates of passes: what is refused, and the one line that says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from loyalty.wallets.apple import ApplePasses, AppleSetupError
from loyalty.wallets.apple_signature import PASS_TYPE_EXTENSION
from loyalty.wallets.dev_certificates import DevCertificates, make_dev_certificates
from tests.apple_passes import certificates, passes

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    """Mallory's certificates: of the right shape, for another pass type and team."""
    folder = tmp_path_factory.mktemp("strangers")
    return make_dev_certificates(folder, NOW, pass_type_id="pass.example.mallory", team_id="MALLORYS01")


def build(made: DevCertificates, at: datetime = NOW, web_service_url: str | None = None) -> ApplePasses:
    """Build the maker of passes of these files, for Ada's pass type and team."""
    return ApplePasses(
        certificate_file=made.certificate,
        key_file=made.key,
        wwdr_file=made.wwdr,
        pass_type_id=made.pass_type_id,
        team_id=made.team_id,
        web_service_url=web_service_url,
        at=at,
    )


def refusal(made: DevCertificates, at: datetime = NOW) -> str:
    """Return the line with which these files are refused."""
    with pytest.raises(AppleSetupError) as refused:
        build(made, at)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_it_refuses_what_belongs_to_somebody_else(strangers: DevCertificates) -> None:
    ours = certificates()
    assert "pass.key is not the key of" in refusal(replace(ours, key=strangers.key))
    assert "did not issue" in refusal(replace(ours, wwdr=strangers.wwdr))
    assert "OU=G4" in refusal(replace(ours, wwdr=strangers.wwdr))
    assert "did not issue" in refusal(replace(ours, wwdr=ours.root))
    assert "did not issue" in refusal(replace(ours, wwdr=ours.certificate))
    assert "is for pass.example.mallory, but APPLE_PASS_TYPE_ID is pass.example.loyalty" in refusal(
        replace(strangers, pass_type_id=ours.pass_type_id)
    )
    assert "belongs to the team MALLORYS01, but APPLE_TEAM_ID is DEVELOPER1" in refusal(
        replace(strangers, team_id=ours.team_id)
    )


@pytest.mark.parametrize(
    ("subject", "extension", "line"),
    [
        ([], b"", "is for nothing, but APPLE_PASS_TYPE_ID is pass.example.loyalty"),
        ([NameOID.USER_ID], b"", "belongs to the team nothing"),
        ([NameOID.USER_ID, NameOID.ORGANIZATIONAL_UNIT_NAME], b"", "is not a pass certificate"),
        ([NameOID.USER_ID, NameOID.ORGANIZATIONAL_UNIT_NAME], b"\x0c\x0cpass.another", "names another pass type"),
    ],
)
def test_it_refuses_a_certificate_that_is_not_for_passes(
    subject: list[x509.ObjectIdentifier], extension: bytes, line: str, tmp_path: Path
) -> None:
    ours, key = certificates(), rsa.generate_private_key(65537, 2048)
    values = {NameOID.USER_ID: ours.pass_type_id, NameOID.ORGANIZATIONAL_UNIT_NAME: ours.team_id}
    name = x509.Name([x509.NameAttribute(kind, values[kind]) for kind in subject])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + timedelta(days=1))
    if extension:
        builder = builder.add_extension(x509.UnrecognizedExtension(PASS_TYPE_EXTENSION, extension), critical=False)
    paths = replace(ours, certificate=tmp_path / "x.pem", key=tmp_path / "x.key")
    paths.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    paths.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert line in refusal(paths)


def test_it_refuses_certificates_out_of_their_time() -> None:
    assert "ended on" in refusal(certificates(), NOW + timedelta(days=400))
    assert "is valid only from" in refusal(certificates(), NOW - timedelta(days=2))


def test_it_counts_the_days_that_are_left() -> None:
    made = x509.load_pem_x509_certificate(certificates().certificate.read_bytes())
    ends = made.not_valid_after_utc
    assert passes().days_left(ends - timedelta(days=30, hours=1)) == 30
    assert passes().days_left(ends - timedelta(hours=1)) == 0
    assert passes().days_left(ends + timedelta(hours=1)) < 0


def test_it_refuses_keys_and_files_that_are_none(tmp_path: Path) -> None:
    ours = certificates()
    key = load_pem_private_key(ours.key.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data, line in (
        (locked, "has a passphrase"),
        (curve, "is not an RSA key"),
        (b"junk", "holds no private key"),
        (ours.certificate.read_bytes(), "holds no private key"),
    ):
        (tmp_path / "other.key").write_bytes(data)
        assert line in refusal(replace(ours, key=tmp_path / "other.key"))
    assert "holds no certificate" in refusal(replace(ours, certificate=ours.key))
    assert "cannot be read: No such file" in refusal(replace(ours, wwdr=tmp_path / "missing.pem"))


def test_it_takes_certificates_in_the_form_that_apple_hands_out(tmp_path: Path) -> None:
    ours = certificates()
    der = tmp_path / "AppleWWDRCAG4.cer"
    der.write_bytes(x509.load_pem_x509_certificate(ours.wwdr.read_bytes()).public_bytes(Encoding.DER))
    assert build(replace(ours, wwdr=der)).days_left(NOW) > 300


@pytest.mark.parametrize(
    "address", ["http://cards.example/apple", "https://cards.example/v1", "https://cards.example/v1/", "cards.example"]
)
def test_it_refuses_an_address_at_which_no_phone_would_register(address: str) -> None:
    with pytest.raises(AppleSetupError, match="The address for updates"):
        build(certificates(), web_service_url=address)


def test_it_asks_for_updates_in_the_clear_on_this_machine_alone() -> None:
    assert build(certificates(), web_service_url="http://127.0.0.1:8000/apple/").web_service_url
    assert build(certificates()).web_service_url is None


def test_it_makes_development_certificates_once(tmp_path: Path) -> None:
    folder = tmp_path / "wallet"
    first = make_dev_certificates(folder, NOW)
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert first.is_new
    assert sorted(written) == ["pass.key", "pass.pem", "root.pem", "wwdr.pem"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert not make_dev_certificates(folder, NOW).is_new
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written
    # What is broken, expired or for another pass type is made anew.
    (folder / "wwdr.pem").unlink()
    assert make_dev_certificates(folder, NOW).is_new
    assert make_dev_certificates(folder, NOW + timedelta(days=400)).is_new
    build(make_dev_certificates(folder, NOW))


def test_it_makes_certificates_of_apple_s_shape() -> None:
    made = x509.load_pem_x509_certificate(certificates().certificate.read_bytes())
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.5.5.7.3.2", "1.2.840.113635.100.4.14"]
    names = {extension.oid.dotted_string for extension in made.extensions}
    assert {"1.2.840.113635.100.6.3.2", "1.2.840.113635.100.6.1.16"} <= names
    assert made.subject.rfc4514_string().endswith("UID=pass.example.loyalty")
