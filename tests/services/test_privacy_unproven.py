"""Join forms whose address nobody confirms: kept while somebody may still ask about them, then forgotten."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from config import Config
from loyalty import jobs
from loyalty.domain.joining import JoinForm
from loyalty.services import confirmations, enrolment, outbox, privacy_unproven
from tests.factories import Shop, make_key, make_shop
from tests.privacy_life import dump, dump_files, found

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime.now(UTC)
WORDS = {"email": "zoe.unproven@example.org", "name": "Zoe Unproven", "birthday": "1987-03-05"}
# A link works for a day.
MONTH = confirmations.VALID_FOR + timedelta(days=30)


@pytest.fixture
def shop() -> Shop:
    return make_shop("bakery", vendor={"confirm_address": True, "ask_name": True, "ask_birthday": True})


def ask(shop: Shop) -> None:
    """Send the form of the counter, and let its mail leave."""
    form = JoinForm(email=WORDS["email"], name=WORDS["name"], birth_date=date(1987, 3, 5))
    joined = enrolment.join(
        vendor_code=shop.code, store_code="main", form=form, locale="en", key=make_key(asked=form), at=NOW
    )
    assert joined.state == "confirm"
    deliver()


def deliver() -> None:
    for message_id in outbox.due(limit=100):
        jobs.deliver(str(message_id))


def test_it_forgets_the_form_and_the_mail_after_a_month(shop: Shop, config: Config, owner_engine: sa.Engine) -> None:
    ask(shop)
    assert found(WORDS, dump(owner_engine)) == sorted(WORDS)
    assert WORDS["email"] in dump_files(config.data_dir / "mail")
    assert privacy_unproven.forget(at=NOW + MONTH + timedelta(seconds=1)) == 1
    deliver()
    assert found(WORDS, dump(owner_engine)) == []
    assert WORDS["email"] not in dump_files(config.data_dir / "mail")
    assert privacy_unproven.forget(at=NOW + MONTH + timedelta(days=1)) == 0


def test_it_keeps_what_somebody_may_still_ask_about(shop: Shop, owner_engine: sa.Engine) -> None:
    ask(shop)
    assert privacy_unproven.forget(at=NOW + MONTH) == 0
    assert found(WORDS, dump(owner_engine)) == sorted(WORDS)


def test_it_leaves_the_forms_of_those_who_joined(shop: Shop, owner_engine: sa.Engine) -> None:
    ask(shop)
    with owner_engine.begin() as connection:
        connection.execute(sa.text("UPDATE confirmations SET used_at = created_at"))
    assert privacy_unproven.forget(at=NOW + 2 * MONTH) == 0
    assert found(WORDS, dump(owner_engine)) == sorted(WORDS)
