"""The API against its own description, from outside: nothing undocumented, no fault, whatever is sent."""

import os
from pathlib import Path

import bcrypt
import pytest
from flask import Flask

from config import ROOT, Config
from loyalty.database import db, transaction
from loyalty.domain.values import Scope
from loyalty.models.vendors import Vendor
from loyalty.services import pins, verification
from tests import factories, world
from tests.crash_till import web_server
from tests.web.api.callers import make_api_key, make_platform_key
from tests.web.api.fuzzing import fuzz, write_down
from tests.world import Business

SEED = int(os.environ.get("FUZZ_SEED", "20261121"))
# How often each phase asks each operation at most; what is written in the description alone decides about "coverage".
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
FULL = 100_000
# What is there, was taken back, never expired, or went away with what belongs to it before it could be asked for.
TAKEN = {
    "POST /admin/loyalty/vendors",
    "POST /vendor/loyalty/points/restore",
    "POST /vendor/loyalty/program",
    "POST /vendor/loyalty/transactions/{transaction_id}/void",
    "POST /vendor/loyalty/webhooks/deliveries/{delivery_id}/replay",
}
PHASES = {"coverage": 2_000, "examples,fuzzing": 200, "stateful": 20}


@pytest.mark.parametrize("phases", PHASES)
def test_it_answers_as_its_description_says(app: Flask, config: Config, tmp_path: Path, phases: str) -> None:
    with app.app_context():
        bakery, meat = make_ground("bakery"), world.make_business("meat")
        keys = make_api_key(bakery.shop, Scope.MANAGE), make_platform_key()
        values = values_of(bakery, meat)
    mine = {
        "FUZZED_SHOP": bakery.shop.vendor_id,
        "FUZZED_OWNER": bakery.shop.ada.user_id,
        "FUZZED_CARD": bakery.ids["card_id"],
    }
    env = {name: str(value) for name, value in mine.items()}
    with web_server(config, tmp_path, served="tests.web.api.kept_open:application", **env) as server:
        run = fuzz(server, tmp_path, keys, values, phases, examples=EXAMPLES, seed=SEED)
    if run.code:
        # An assertion would shorten it.
        pytest.fail(run.said, pytrace=False)
    assert run.cases >= PHASES[phases], run.said
    if phases == "coverage":
        # Else all was refused at the door, and nothing was tried.
        refused = {name: dict(run.answers[name]) for name in run.never_answered_well() - TAKEN}
        assert refused == {}, run.said
    with app.app_context():
        assert verification.verify().findings == []
    if run.cases >= FULL:
        write_down(run, phases, SEED, ROOT / "docs" / "reliability.md")


def make_ground(code: str) -> Business:
    """Furnish a shop whose till asks for no PIN; a PIN that comes along is hashed as cheaply as can be."""
    business = world.make_business(code)
    factories.change_policy(business.shop, staff_pin_policy="disabled")
    with transaction():
        db.session.get_one(Vendor, business.shop.vendor_id).pin_salt = bcrypt.gensalt(4)
    return business


def values_of(business: Business, other: Business) -> dict[str, list[str]]:
    """What names a thing of this shop, by the name of the field or parameter; the platform decides about the other."""
    made = pins.create(
        actor=business.shop.ada, name="Mia", role="manager", store_id=None, key=factories.make_key(business.shop.ada)
    )
    found = {name: [value] for name, value in business.ids.items() if name.endswith("_id")}
    found |= {name: [other.ids[name]] for name in ("vendor_id", "program_id", "customer_id")}
    found["transaction_id"].append(business.ids["related_transaction_id"])
    found |= {"staff_id": [str(made.staff_pin_id)], "staff_pin": [str(made.pin)]}
    found["scan_code"] = [business.words[-1]]
    found["card_number"] = [business.ids["q"]]
    found["store_code"] = ["main", "station"]
    found["vendor_code"] = [business.shop.code]
    return found
