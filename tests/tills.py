"""A tablet on the counter of a shop, and the people who work at it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import bcrypt
import sqlalchemy as sa
from flask import Flask

from loyalty.database import clock, db, run_alone, transaction
from loyalty.domain.values import Actor, Role
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import pins, terminals
from tests.office import Office, key_of

T = TypeVar("T")


@dataclass(frozen=True)
class Tablet:
    """A paired tablet: the cookie's token, and the tablet itself as actor while nobody has entered a PIN."""

    token: str
    terminal_id: UUID
    actor: Actor


def make_tablet(office: Office, label: str = "Counter") -> Tablet:
    """Pair a tablet with the first store of a shop."""
    key = key_of(office)
    code = terminals.create_code(actor=office.actor, store_id=office.store_id, label=label, key=key).code
    assert code is not None
    paired = terminals.pair(code=code, source_ip="192.0.2.1", at=clock())
    actor = Actor(office.vendor_id, Role.STAFF, store_id=office.store_id, terminal_id=paired.terminal_id)
    return Tablet(paired.token, paired.terminal_id, actor)


def make_staff(
    office: Office, name: str = "Ben", role: str = "staff", store_id: UUID | None = None
) -> tuple[UUID, str]:
    """Make a member of staff; the answer is the id and the PIN."""
    made = pins.create(actor=office.actor, name=name, role=role, store_id=store_id, key=key_of(office))
    assert made.pin is not None
    return made.staff_pin_id, made.pin


def hash_fast(office: Office) -> None:
    """Give a shop the cheapest salt: for tests that ask how often something is hashed, not how slowly."""
    with transaction():
        db.session.execute(sa.update(Vendor).where(Vendor.id == office.vendor_id).values(pin_salt=bcrypt.gensalt(4)))


def set_policy(office: Office, **columns: object) -> None:
    """Change what the platform's admin allows a shop."""
    with transaction():
        mine = VendorPolicy.vendor_id == office.vendor_id
        db.session.execute(sa.update(VendorPolicy).where(mine).values(**columns))


def all_at_once(app: Flask, calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls in a thread each, with a connection each, started together; return their answers in order."""
    answers: list[T | BaseException] = [RuntimeError("not run")] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int) -> None:
        with app.app_context():
            start.wait()
            try:
                answers[place] = calls[place]()
            except BaseException as error:
                answers[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def wait_until_blocked(thread: threading.Thread) -> None:
    """Return once another connection waits for a lock, or the thread has ended."""
    # Asked beside an open transaction, which would see one and the same picture of the others all the time.
    waits = sa.text("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    while thread.is_alive() and not run_alone(waits):
        pass


def come_late(app: Flask, call: Callable[[], object]) -> Callable[[], BaseException | None]:
    """Start a call beside the open transaction, and return once it waits for a lock of it.

    What is returned waits for the end of the call, and gives what it raised.
    """
    raised: list[BaseException | None] = []

    def run() -> None:
        with app.app_context():
            try:
                call()
                raised.append(None)
            except BaseException as error:
                raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until_blocked(thread)

    def end() -> BaseException | None:
        thread.join(timeout=60)
        return raised[0]

    return end
