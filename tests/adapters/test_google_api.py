"""Google's REST interface over a real socket: what is written is there, once."""

from dataclasses import replace

import pytest

from loyalty.adapters.google_api import ClassMissing, GoogleApi, Kind, Written
from loyalty.domain.values import LoyaltyType
from loyalty.wallets.google import class_json, object_json
from loyalty.wallets.google_facts import Place
from tests.google_cards import BAKERY, CARD, CONTENT, balance, stamps, with_class
from tests.google_fake import GoogleFake


def test_it_inserts_what_is_new(google: GoogleFake, api: GoogleApi) -> None:
    assert api.put_class(class_json(BAKERY), known=False) is Written.INSERTED
    assert api.put_object(stamps(3), known=False) is Written.INSERTED
    assert balance(google) == {"string": "3/10"}
    assert google.methods() == ["POST loyaltyClass", "POST loyaltyObject"]


def test_it_patches_what_it_knows(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    api.put_object(stamps(3), known=False)
    assert api.put_object(stamps(4), known=True) is Written.PATCHED
    assert balance(google) == {"string": "4/10"}
    assert google.methods() == ["POST loyaltyObject", "PATCH loyaltyObject"]


def test_it_patches_what_turns_out_to_exist(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    api.put_object(stamps(3), known=False)
    assert api.put_object(stamps(4), known=False) is Written.PATCHED
    assert balance(google) == {"string": "4/10"}


def test_it_inserts_what_turns_out_to_be_missing(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    assert api.put_object(stamps(4), known=True) is Written.INSERTED
    assert google.methods() == ["PATCH loyaltyObject", "POST loyaltyObject"]


def test_it_changes_a_class_that_google_has_approved(google: GoogleFake, api: GoogleApi) -> None:
    api.put_class(class_json(replace(BAKERY, places=(Place(latitude=49.6, longitude=6.1),))), known=False)
    assert google.classes[BAKERY.class_id]["reviewStatus"] == "APPROVED"
    changed = class_json(replace(BAKERY, color="#112233"))
    assert api.put_class(changed, known=True) is Written.PATCHED
    assert google.classes[BAKERY.class_id]["hexBackgroundColor"] == "#112233"
    assert "merchantLocations" not in google.classes[BAKERY.class_id]


def test_it_says_when_the_class_has_to_come_first(google: GoogleFake, api: GoogleApi) -> None:
    with pytest.raises(ClassMissing, match=BAKERY.class_id):
        api.put_object(stamps(1), known=False)
    with_class(google, api)
    assert api.put_object(stamps(1), known=False) is Written.INSERTED


@pytest.mark.parametrize("first", list(LoyaltyType))
@pytest.mark.parametrize("then", list(LoyaltyType))
def test_it_follows_a_program_from_any_kind_to_any_other(
    first: LoyaltyType, then: LoyaltyType, google: GoogleFake, api: GoogleApi
) -> None:
    with_class(google, api)
    api.put_object(object_json(replace(CONTENT, loyalty_type=first), CARD), known=False)
    wanted = object_json(replace(CONTENT, loyalty_type=then), CARD)
    api.put_object(wanted, known=True)
    held = google.objects[CARD.object_id]
    assert {name: value for name, value in held.items() if name != "version"} == wanted


def test_it_asks_google_to_notify_in_that_one_patch(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    api.put_object(stamps(9), known=False)
    api.put_object(stamps(10), known=True, notify=True)
    api.put_object(stamps(0), known=True)
    sent = [(call.body or {}).get("notifyPreference") for call in google.calls]
    assert sent == [None, "NOTIFY_ON_UPDATE", None]


def test_it_reads_what_google_knows(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    assert api.find(Kind.OBJECT, CARD.object_id) is None
    api.put_object(stamps(2), known=False)
    google.objects[CARD.object_id]["hasUsers"] = True
    found = api.find(Kind.OBJECT, CARD.object_id)
    assert found is not None
    assert found["hasUsers"] is True
