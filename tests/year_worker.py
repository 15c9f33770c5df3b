"""A process of the simulated year: it works by the simulated clock, dies at a named point, and another follows it.

Points are before every statement, before and after every commit, and before and after every word to the mail server.
"""

import json
import os
import random
import signal
import smtplib
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import Config
from loyalty import jobs
from loyalty.database import db, transaction
from loyalty.domain.expiry import Mail
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, CardRef, Role, TransactionType
from loyalty.errors import InsufficientPoints
from loyalty.jobs import clock, sweep
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import cards, expiry_cards, expiry_restores, messages, outbox, points, programs
from tests import simulated_clock
from tests.factories import make_key
from tests.processes import python

# How a process ends that did not reach the database.
_AWAY = 3
ZONE = "Europe/Luxembourg"


@dataclass
class YearWorker:
    """The test's side of it: asks for work, and hears whether its process came through."""

    process: "subprocess.Popen[bytes]"

    def ask(self, what: str, *, die_at: int | None, **about: object) -> None:
        """Begin some work; without `die_at` the process survives it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"what": what, "die_at": die_at, **about}).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """Wait for the end of what was asked: `done`, `killed`, or `failed` where the database did not answer."""
        assert self.process.stdout
        answer = self.process.stdout.readline().decode().strip()
        assert answer in ("done", "killed", "failed"), "the worker ended; its error stands above"
        return answer


@contextmanager
def year_worker(config: Config, **settings: str) -> Iterator[YearWorker]:
    """Run a worker and whoever follows it while the block lasts; FORGETS names a rule that it shall not know."""
    with python("from tests.year_worker import serve; serve(app)", config=config, talk=True, **settings) as process:
        yield YearWorker(process)
        # The process at work reads its lines from here and ends with the last one.
        assert process.stdin
        process.stdin.close()


def serve(app: Flask) -> None:
    """Do what the lines say, each as its own process would; where one was killed, say so and start another."""
    simulated_clock.obey()
    if rule := os.environ.get("FORGETS"):
        FORGETFUL[rule]()
    fate = _Fate()
    fate.watch()
    with app.app_context():
        _follow()
        _work_and_leave(fate)


def _follow() -> None:
    """Go on as a copy of this process, which stays behind and follows each that dies with another."""
    while True:
        # A connection belongs to one process.
        db.session.remove()
        db.engine.dispose()
        pid = os.fork()
        if pid == 0:
            return
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status) != _AWAY:
            os._exit(0)
        print("killed" if os.WIFSIGNALED(status) else "failed", flush=True)


def _work_and_leave(fate: "_Fate") -> None:
    known = set[str]()
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            fate.left, what = asked.pop("die_at"), asked.pop("what")
            _WORK[what](**asked)
            fate.left = None
            db.session.remove()
            print("done", flush=True)
            if what not in known:
                # Who knows something new stays behind, so that nobody who follows has to prepare it anew.
                known.add(what)
                _follow()
    except OperationalError:
        # A machine with too much to do: whoever did not reach the database comes again, as with a request.
        os._exit(_AWAY)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


@dataclass
class _Fate:
    """How many points this process passes until it dies."""

    left: int | None = None

    def pass_one(self, *_: object) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        sa.event.listen(Engine, "before_cursor_execute", self.pass_one)
        sa.event.listen(Engine, "commit", self.pass_one)
        sa.event.listen(Session, "after_commit", self.pass_one)
        for word in ("send", "getreply"):
            setattr(smtplib.SMTP, word, self._watched(getattr(smtplib.SMTP, word)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:  # any call and what it returns
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.pass_one()
            answer = call(*args, **kwargs)
            self.pass_one()
            return answer

        return watched


def _sweep(only: str) -> None:
    """Let the minute clock ring, for all of its tasks or for one."""
    at = simulated_clock.read_clock()
    if only:
        app = current_app._get_current_object()  # type: ignore[attr-defined] # the proxy's own
        clock.run(app=app, tasks=[task for task in sweep.TASKS if task.name == only], at=at)
    else:
        sweep.run(at)


def _deliver() -> None:
    simulated_clock.read_clock()
    while due := outbox.due(limit=100):
        for message_id in due:
            jobs.deliver(str(message_id))


def _shorten(vendor_id: str, user_id: str, days: int) -> None:
    simulated_clock.read_clock()
    ada = _ada(vendor_id, user_id)
    changes = {"points_expiration_days": days}
    programs.change(actor=ada, changes=changes, key=make_key(ada, asked=changes, key="shorten"))


def _visit(vendor_id: str, user_id: str, reward_id: str, seed: int, numbers: list[int]) -> None:
    """Let customers buy something, and take a reward where the points reach; asked again, nothing happens twice."""
    day, actor = local_day(simulated_clock.read_clock(), ZONE), _ada(vendor_id, user_id)
    known = _known(vendor_id, numbers)
    for number in numbers:
        drawn = random.Random(f"{seed} {day} {number}")
        cents, is_hungry, has_address = drawn.randrange(100, 900), drawn.random() < 0.2, drawn.random() < 0.6
        card = known.get(number) or _join(actor, number, with_address=has_address)
        key = make_key(actor, asked=cents, key=f"earn {day} {number}")
        points.earn(actor=actor, card=card, purchase_amount_cents=cents, key=key)
        if is_hungry:
            with suppress(InsufficientPoints):
                key = make_key(actor, asked=reward_id, key=f"redeem {day} {number}")
                points.redeem(actor=actor, card=card, reward_id=reward_id, key=key)


def _give_back(vendor_id: str, user_id: str, seed: int) -> None:
    """Give some of what expired tonight back."""
    day, actor = local_day(simulated_clock.read_clock(), ZONE), _ada(vendor_id, user_id)
    row = LoyaltyTransaction
    tonight = (row.local_day == day, row.transaction_type == TransactionType.POINTS_EXPIRED.value)
    query = sa.select(row.id, row.card_id, Customer.name).join(LoyaltyCard, LoyaltyCard.id == row.card_id)
    with transaction():
        lost = db.session.execute(query.join(Customer).where(*tonight).order_by(row.card_id)).all()
    for expiry_id, card_id, name in lost:
        if random.Random(f"{seed} {day} {name}").random() < 0.15:
            key = make_key(actor, key=f"give back {expiry_id}")
            card = CardRef(card_id=card_id)
            expiry_restores.restore(actor=actor, card=card, transaction_id=expiry_id, reason="was away", key=key)


_WORK: dict[str, Callable[..., None]] = {
    "sweep": _sweep,
    "deliver": _deliver,
    "shorten": _shorten,
    "visit": _visit,
    "give back": _give_back,
}


def _ada(vendor_id: str, user_id: str) -> Actor:
    return Actor(vendor_id=UUID(vendor_id), role=Role.OWNER, user_id=UUID(user_id))


def _known(vendor_id: str, numbers: list[int]) -> dict[int, CardRef]:
    names = {f"Customer {number}": number for number in numbers}
    query = sa.select(Customer.name, LoyaltyCard.id).join(LoyaltyCard, LoyaltyCard.customer_id == Customer.id)
    with transaction():
        found = db.session.execute(query.where(Customer.vendor_id == UUID(vendor_id), Customer.name.in_(names))).all()
    return {names[name]: CardRef(card_id=card_id) for name, card_id in found if name}


def _join(actor: Actor, number: int, *, with_address: bool) -> CardRef:
    """Make a customer and their card in one transaction: whoever is killed before its end has made neither."""
    address = f"customer{number}@example.org" if with_address else None
    with transaction():
        person = Customer(vendor_id=actor.vendor_id, name=f"Customer {number}", email=address)
        db.session.add(person)
        db.session.flush()
        return CardRef(card_id=cards.create(actor=actor, customer_id=person.id).card_id)


def _forget_that_mails_left() -> None:
    """Let a mail wait until its server has answered, as if nobody noted at which moment it leaves."""

    def record_sent(*, email_log_id: UUID) -> None:
        sent = sa.update(EmailLog).where(EmailLog.id == email_log_id)
        with transaction():
            db.session.execute(sent.values(state="sent", sent_at=simulated_clock.now()))

    messages.start_sending = lambda **_: True
    messages.record_sent = record_sent


def _forget_that_mails_have_to_arrive() -> None:
    """Let everybody be somebody without an address, for whom the notice on the card is enough."""
    expiry_cards._mail_of = lambda row: Mail.NOBODY


# The negative controls: what the test notices where a rule is gone.
FORGETFUL: dict[str, Callable[[], None]] = {
    "that mails left": _forget_that_mails_left,
    "that mails have to arrive": _forget_that_mails_have_to_arrive,
}
