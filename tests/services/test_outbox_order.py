"""The order of the outbox: what is due, what goes first, and what makes room for others."""

from datetime import timedelta
from itertools import pairwise

import pytest

from loyalty.database import new_id, transaction
from loyalty.services import outbox
from tests.factories import make_shop
from tests.services.outbox_kinds import KIND, add, age, all_rows, claimed

pytestmark = pytest.mark.usefixtures("context")


def test_it_lists_what_is_overdue_and_free() -> None:
    waiting, leased, late, done = add(), add(), add(), add()
    outbox.record_failed(claim=claimed(waiting), error="away")
    claimed(leased)
    outbox.record_delivered(claim=claimed(done))
    age(late, timedelta(minutes=1))
    assert outbox.due(limit=10) == [late]
    fresh = add()
    assert outbox.due(limit=10, overdue_by=timedelta(seconds=30)) == [late]
    assert outbox.due(limit=10) == [late, fresh]
    assert outbox.due(limit=1) == [late]


def test_it_lists_mails_before_all_others() -> None:
    others = [add() for _ in range(3)]
    mail = add(kind="mail.enrollment")
    assert outbox.due(limit=10) == [mail, *others]


def test_it_lists_nothing_of_kinds_that_have_to_wait() -> None:
    other, mail = add(kind="test.other"), add(kind="mail.enrollment")
    add()
    assert outbox.due(limit=10, without=[KIND]) == [mail, other]


def test_it_puts_the_cards_of_one_vendor_one_behind_the_other() -> None:
    vendor_id, neighbour_id = make_shop().vendor_id, make_shop("meat").vendor_id
    extra = 40
    for part in (outbox.MASS_AT_ONCE, extra):
        with transaction():
            outbox.add_many(kind=KIND, subjects=[(new_id(), vendor_id) for _ in range(part)])
    with transaction():
        outbox.add_many(kind=KIND, subjects=[(new_id(), neighbour_id)])
    rows = sorted((row for row in all_rows() if row.vendor_id == vendor_id), key=lambda row: row.not_before)
    neighbour = next(row for row in all_rows() if row.vendor_id == neighbour_id)
    at_once, behind = rows[: outbox.MASS_AT_ONCE], rows[outbox.MASS_AT_ONCE :]
    # A microsecond between any two keeps their order.
    apart = timedelta(microseconds=1)
    assert {later.not_before - row.not_before for row, later in pairwise(at_once)} == {apart}
    assert {later.not_before - row.not_before for row, later in pairwise(behind)} == {outbox.MASS_APART + apart}
    assert len(behind) == extra
    # All of these are due, however many of the others have become so meanwhile.
    assert {neighbour.id, *[row.id for row in at_once]} <= set(outbox.due(limit=100))


def test_it_tells_a_card_at_once_that_is_stamped_while_it_waits_in_a_mass() -> None:
    vendor_id = make_shop().vendor_id
    subjects = [(new_id(), vendor_id) for _ in range(outbox.MASS_AT_ONCE + 1000)]
    with transaction():
        outbox.add_many(kind=KIND, subjects=subjects)
    waiting = all_rows()[-1]
    assert outbox.claim(message_id=waiting.id) is None
    with transaction():
        outbox.add_many(kind=KIND, subjects=subjects[-1:])
    assert outbox.claim(message_id=waiting.id) is None
    with transaction():
        assert outbox.add(kind=KIND, subject_id=waiting.subject_id, vendor_id=vendor_id) == waiting.id
    assert claimed(waiting.id).version == 3
