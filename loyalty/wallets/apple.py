"""Apple passes: from what a card shows to a signed .pkpass."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from loyalty.domain.values import PassContent
from loyalty.wallets.apple_pass import (
    SHORTEST_TOKEN,
    ApplePassFacts,
    StoreFacts,
    Translation,
    base_locale,
    content_hash,
    encode,
    has_photo,
    pass_body,
)
from loyalty.wallets.apple_pictures import Picture, pass_icon, pass_logo, photo_strip
from loyalty.wallets.apple_signature import AppleSetupError, CertificateEnds, load_signer
from loyalty.wallets.apple_texts import LOCALES, strings_file
from loyalty.wallets.apple_zip import Entry, join_entries, make_entry
from loyalty.wallets.strip import plain_strip, stamp_strip


class ApplePasses:
    """Makes passes of one pass type; built once, because reading a key costs a hundred signatures."""

    def __init__(
        self,
        *,
        certificate_file: Path,
        key_file: Path,
        wwdr_file: Path,
        pass_type_id: str,
        team_id: str,
        web_service_url: str | None,
        at: datetime,
    ) -> None:
        """Read and check the certificates, or raise AppleSetupError with one line for whoever starts the program.

        `web_service_url` is what comes before /v1/; None makes passes that never ask for updates.
        """
        self.pass_type_id = pass_type_id
        self.team_id = team_id
        self.web_service_url = _checked_address(web_service_url)
        self._signer = load_signer(
            certificate_file=certificate_file,
            key_file=key_file,
            wwdr_file=wwdr_file,
            pass_type_id=pass_type_id,
            team_id=team_id,
            at=at,
        )

    @property
    def setup(self) -> str:
        """Who makes the passes and where they ask for updates. Not the certificate: a new one of the same pass type
        makes no pass in a phone worse."""
        return f"{self.pass_type_id} {self.team_id} {self.web_service_url or ''}"

    def digest(self, content: PassContent, facts: ApplePassFacts) -> str:
        """Return the digest of a pass as it would be made now."""
        return content_hash(content, facts, setup=self.setup)

    @property
    def certificate_ends(self) -> CertificateEnds:
        """When each of the certificates ends."""
        return self._signer.ends

    def days_left(self, at: datetime) -> int:
        """Return for how many whole days the certificates are valid; below zero once one has ended."""
        return (min(self._signer.ends.leaf, self._signer.ends.intermediate) - at).days

    def make(self, content: PassContent, facts: ApplePassFacts) -> bytes:
        """Make a signed pass; the same content and facts give the same bytes but for the signature."""
        parts = (
            make_entry("pass.json", encode(self._described(content, facts))),
            *_named_pictures(content, facts),
            *_strip(content, facts),
            *_strings(base_locale(facts), facts.translations),
        )
        # By hand, because names and sums hold nothing to escape, and this is done for every pass.
        manifest = ("{" + ",".join([f'"{part.name}":"{part.sha1}"' for part in parts]) + "}").encode()
        # What is signed and what is stored is one and the same object.
        signature = self._signer.sign(manifest)
        return join_entries((*parts, make_entry("manifest.json", manifest), make_entry("signature", signature)))

    def _described(self, content: PassContent, facts: ApplePassFacts) -> dict[str, object]:
        if not facts.serial or "/" in facts.serial:
            raise ValueError("A serial number stands in addresses: it may not be empty and may hold no slash.")
        body = pass_body(content, facts)
        body |= {
            "passTypeIdentifier": self.pass_type_id,
            "teamIdentifier": self.team_id,
            "serialNumber": facts.serial,
        }
        if self.web_service_url:
            if len(facts.auth_token) < SHORTEST_TOKEN:
                raise ValueError(f"A pass needs a token of at least {SHORTEST_TOKEN} characters.")
            body |= {"webServiceURL": self.web_service_url, "authenticationToken": facts.auth_token}
        return body


def _checked_address(web_service_url: str | None) -> str | None:
    """Refuse an address with which phones would silently never register."""
    if web_service_url is None:
        return None
    parts = urlsplit(web_service_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise AppleSetupError("The address for updates of Apple passes must start with https://.")
    if parts.path.rstrip("/").endswith("/v1") or parts.query or parts.fragment:
        raise AppleSetupError(
            "The address for updates of Apple passes must end before /v1: phones add that themselves."
        )
    return web_service_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _named_pictures(content: PassContent, facts: ApplePassFacts) -> tuple[Entry, ...]:
    return _pictures(content.color, content.vendor_name, facts.logo, plate=content.logo_on_plate)


# The caches hold prepared entries: all that two passes of a program share is drawn, summed and headed once.
@lru_cache(maxsize=256)
def _pictures(colour: str, name: str, logo: Picture | None, *, plate: bool) -> tuple[Entry, ...]:
    return (
        *_scaled("icon", pass_icon(colour, name, logo, plate=plate)),
        *_scaled("logo", pass_logo(colour, name, logo, plate=plate)),
    )


def _strip(content: PassContent, facts: ApplePassFacts) -> tuple[Entry, ...]:
    if content.has_stamps:
        # A full card looks the same with one stamp more.
        return _stamp_strip(content.color, content.stamps_target, min(content.stamp_count, content.stamps_target))
    photo = _photo_strip(content.color, facts.hero) if facts.hero and has_photo(content) else ()
    return photo or _plain_strip(content.color)


# Few, because a photograph weighs as much as a hundred drawings.
@lru_cache(maxsize=32)
def _photo_strip(colour: str, hero: Picture) -> tuple[Entry, ...]:
    return _scaled("strip", photo_strip(colour, hero))


@lru_cache(maxsize=64)
def _plain_strip(colour: str) -> tuple[Entry, ...]:
    return _scaled("strip", plain_strip(colour))


@lru_cache(maxsize=512)
def _stamp_strip(colour: str, target: int, count: int) -> tuple[Entry, ...]:
    return _scaled("strip", stamp_strip(colour, target, count))


def _scaled(name: str, pictures: Iterable[bytes]) -> tuple[Entry, ...]:
    names = (f"{name}.png", f"{name}@2x.png", f"{name}@3x.png")
    return tuple(make_entry(name, picture) for name, picture in zip(names, pictures, strict=False))


@lru_cache(maxsize=256)
def _strings(base: str, translations: tuple[Translation, ...]) -> tuple[Entry, ...]:
    return tuple(
        make_entry(
            f"{locale}.lproj/pass.strings",
            strings_file(base, locale, {own.text: own.translation for own in translations if own.locale == locale}),
        )
        for locale in LOCALES
    )


__all__ = [
    "ApplePassFacts",
    "ApplePasses",
    "AppleSetupError",
    "Picture",
    "StoreFacts",
    "Translation",
    "content_hash",
]
