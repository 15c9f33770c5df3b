"""A whole pass: its archive, its signature, and that everybody gets exactly their own."""

import io
import itertools
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.apple import ApplePassFacts, Picture, StoreFacts, Translation, content_hash
from loyalty.wallets.apple_texts import LOCALES
from tests.apple_passes import PICTURES, make_content, make_facts, open_pass, openssl_verifies, passes

NAMES = ('Chez "Ada" \\ Fils', "Bäckerei Größe & Söhne", "☕️ Café 🥐 日本", "x" * 200, "It’s\nfine\r\n")
COLOURS = ("#1F4FD1", "#FFFFFF", "#4B7D87", "#000000", "#F2C14E", "#AA3311")


def drawn(size: tuple[int, int]) -> Picture:
    """A shop's picture."""
    file = io.BytesIO()
    Image.new("RGBA", size, "#AA3311C0").save(file, "PNG")
    return Picture(f"{size}", file.getvalue)


# Without pictures, with them, on a plate, wide, and damaged.
LOOKS: tuple[tuple[Picture | None, bool], ...] = (
    (None, False),
    (drawn((400, 400)), False),
    (drawn((400, 400)), True),
    (drawn((660, 160)), True),
    (Picture("damaged", lambda: b"\x89PNG"), False),
)


def every_card() -> Iterator[tuple[PassContent, ApplePassFacts]]:
    """Every kind of program with every name in every language, the colours and pictures by turns."""
    cards = itertools.product(LoyaltyType, LOCALES, NAMES)
    turns = zip(cards, itertools.cycle(COLOURS), itertools.cycle(LOOKS[1:] + LOOKS), strict=False)
    for number, ((kind, locale, name), colour, (logo, plate)) in enumerate(turns):
        content = make_content(
            **dict.fromkeys(("vendor_name", "stamps_reward", "points_reward", "card_name"), name),
            loyalty_type=kind,
            color=colour,
            is_active=number % 7 != 0,
            logo_on_plate=plate,
            hero_url="/images/hero.png" if logo else None,
        )
        own = Translation("fr", name, f"En français : {name}")
        yield (
            content,
            make_facts(
                serial=f"card-{number}", locale=locale, terms=name * 3, translations=(own,), logo=logo, hero=logo
            ),
        )


def test_it_makes_passes_that_openssl_verifies_for_every_program_language_name_and_look() -> None:
    made = [(content, open_pass(passes().make(content, facts))) for content, facts in every_card()]
    assert len(made) == len(LoyaltyType) * len(LOCALES) * len(NAMES) == 60
    for content, pass_ in made:
        assert openssl_verifies(pass_)
        assert set(PICTURES) <= pass_.files.keys()
        assert pass_.says["organizationName"] == content.vendor_name
        assert content.vendor_name in pass_.strings("fr")


def test_it_refuses_a_pass_whose_manifest_was_changed() -> None:
    pass_ = open_pass(passes().make(make_content(), make_facts()))
    pass_.files["manifest.json"] += b" "
    assert not openssl_verifies(pass_)


def test_it_signs_the_attributes_that_phones_ask_for_and_sends_both_certificates() -> None:
    pass_ = open_pass(passes().make(make_content(), make_facts()))
    signed = cms.ContentInfo.load(pass_.files["signature"], strict=True)["content"]
    assert signed["encap_content_info"]["content"].native is None
    assert signed["encap_content_info"]["content_type"].native == "data"
    (signer,) = signed["signer_infos"]
    assert [attribute["type"].native for attribute in signer["signed_attrs"]] == [
        "content_type",
        "signing_time",
        "message_digest",
    ]
    (moment,) = signer["signed_attrs"][1]["values"].native
    assert abs(moment.timestamp() - time.time()) < 120
    assert signer["sid"].name == "issuer_and_serial_number"
    assert signer["digest_algorithm"]["algorithm"].native == "sha256"
    subjects = [found.chosen.subject.native["organizational_unit_name"] for found in signed["certificates"]]
    assert sorted(subjects) == ["DEVELOPER1", "G4"]


def test_it_lays_the_archive_out_as_phones_expect_it() -> None:
    archive = zipfile.ZipFile(io.BytesIO(passes().make(make_content(), make_facts())))
    strings = [f"{locale}.lproj/pass.strings" for locale in LOCALES]
    assert archive.namelist() == ["pass.json", *PICTURES, *strings, "manifest.json", "signature"]
    for entry in archive.infolist():
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.flag_bits == 0
        assert not entry.is_dir()


def test_it_gives_the_same_bytes_but_for_the_signature() -> None:
    one, two = (open_pass(passes().make(make_content(), make_facts())).files for _ in range(2))
    del one["signature"], two["signature"]
    assert list(one.items()) == list(two.items())


def test_it_says_who_issues_the_pass_and_where_it_asks_for_updates() -> None:
    says = open_pass(passes().make(make_content(), make_facts(serial="cleo-7"))).says
    assert says["formatVersion"] == 1
    assert says["passTypeIdentifier"] == "pass.example.loyalty"
    assert says["teamIdentifier"] == "DEVELOPER1"
    assert says["serialNumber"] == "cleo-7"
    assert says["webServiceURL"] == "https://cards.example/apple"
    assert len(says["authenticationToken"]) >= 16


@pytest.mark.parametrize("facts", [make_facts(serial="a/b"), make_facts(serial=""), make_facts(auth_token="short")])
def test_it_refuses_a_serial_or_token_that_no_phone_could_use(facts: ApplePassFacts) -> None:
    with pytest.raises(ValueError, match=r"A (serial number|pass) "):
        passes().make(make_content(), facts)


def test_it_never_mixes_the_cards_of_two_people() -> None:
    def make(number: int) -> tuple[int, bytes]:
        content = make_content(vendor_name=f"Shop {number}", card_number=f"{number:010d}", stamp_count=number % 11)
        return number, passes().make(content, make_facts(serial=f"serial-{number}", auth_token=f"{number:032d}"))

    with ThreadPoolExecutor(8) as pool:
        for number, pkpass in pool.map(make, range(200)):
            pass_ = open_pass(pkpass)
            assert pass_.says["serialNumber"] == f"serial-{number}"
            assert pass_.says["authenticationToken"] == f"{number:032d}"
            assert pass_.says["organizationName"] == f"Shop {number}"
            assert pass_.fields["stamps"]["value"] == f"{number % 11}/10"


_texts = st.text(max_size=200)
_contents = st.builds(
    PassContent,
    vendor_name=_texts,
    card_name=_texts,
    color=st.from_regex(r"#[0-9A-F]{6}", fullmatch=True),
    foreground=st.just("#000000"),
    loyalty_type=st.sampled_from(LoyaltyType),
    stamp_count=st.integers(0, 200),
    stamps_target=st.integers(1, 100),
    stamps_reward=_texts,
    points_balance=st.integers(0, 2**53),
    points_goal=st.none() | st.integers(1, 10**9),
    points_reward=st.none() | _texts,
    card_number=st.from_regex(r"[0-9]{10}", fullmatch=True),
    scan_code=st.text("BCDEFGHJKNPRSTVX", min_size=16, max_size=16),
    is_active=st.booleans(),
)
_stores = st.builds(
    StoreFacts, _texts, _texts, st.none() | st.floats(-90, 90), st.none() | st.floats(-180, 180, allow_nan=False)
)
_own = st.builds(Translation, st.sampled_from(LOCALES), _texts, _texts)
_facts = st.builds(
    ApplePassFacts,
    serial=st.uuids().map(str),
    auth_token=st.text("abcXYZ-_0189", min_size=16, max_size=43),
    locale=st.sampled_from((*LOCALES, "pt")),
    logo=st.none() | st.builds(Picture, st.uuids().map(str), st.binary(max_size=40).map(lambda data: lambda: data)),
    stores=st.lists(_stores, max_size=14).map(tuple),
    terms=_texts,
    translations=st.lists(_own, max_size=4).map(tuple),
    voided=st.booleans(),
)


@given(_contents, _facts)
@settings(max_examples=150, deadline=None)
def test_it_makes_a_sound_pass_of_whatever_a_shop_writes(content: PassContent, facts: ApplePassFacts) -> None:
    pass_ = open_pass(passes().make(content, facts))
    assert pass_.says["organizationName"] == content.vendor_name
    assert pass_.says.get("voided", False) == (facts.voided or not content.is_active)
    assert len(pass_.says.get("locations", [])) <= 10
    card = pass_.says["storeCard"]
    assert len(card["headerFields"]) <= 3
    assert len(card["primaryFields"]) <= 1
    assert len(card["secondaryFields"]) <= 4
    assert len(pass_.fields) == sum(len(group) for group in card.values())
    for locale in LOCALES:
        expected = {own.text: own.translation for own in facts.translations if own.locale == locale}
        assert pass_.strings(locale).items() >= expected.items()
    assert content_hash(content, facts) == content_hash(content, facts)
