"""PINs of the staff: made by the system and shown once."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from loyalty.domain.bounds import NAME_LENGTH
from loyalty.domain.values import Actor, RequestKey, Role, Scope
from loyalty.errors import NotFound, StaffPinInvalid, StaffPinLocked
from loyalty.services import pins
from loyalty.services.pins import NewPin, PinChange, StaffPinRow
from loyalty.web.access import now
from loyalty.web.api.naming import AtStore
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import NO_NUL, Answer, Code

PINS = "/vendor/loyalty/pins"
PIN = f"{PINS}/{{staff_id}}"

StaffRole = Literal["staff", "manager"]
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Ben"])]
_EVERYWHERE = "The only store where the PIN works; null for all of them."


class PinBody(AtStore):
    """A new member of staff."""

    name: Name
    role: StaffRole = "staff"
    store_code: Code | None = Field(default=None, examples=["main"], description=_EVERYWHERE)


class PinChangeBody(AtStore):
    """What changes of a member of staff; what is left out stays, and so does the PIN."""

    name: Name | None = None
    role: StaffRole | None = None
    store_code: Code | None = Field(default=None, examples=["main"], description=_EVERYWHERE)


class VerifyPinBody(AtStore):
    """A PIN that somebody has typed."""

    staff_pin: Code = Field(repr=False, examples=["482913"])
    staff_id: UUID | None = Field(
        default=None, description="Whose PIN it is. Without it the PIN is looked for among all of the shop's."
    )


class Staff(Answer):
    """A member of staff."""

    staff_id: UUID
    name: str = Field(examples=["Ben"])
    role: StaffRole
    store_id: UUID | None = Field(description="Null: at all stores.")
    store_code: str | None = Field(examples=["main"])
    active: bool
    last_used_at: datetime | None
    locked_until: datetime | None = Field(description="The longest wait that runs anywhere after wrong PINs.")


class AllStaff(Answer):
    """All of the shop's staff."""

    items: list[Staff]


class StaffDone(Answer):
    """Whom a command was about."""

    staff_id: UUID
    name: str = Field(examples=["Ben"])


class StaffPin(StaffDone):
    """A new PIN, which is shown once."""

    staff_pin: str | None = Field(examples=["482913"], description="Null where it was shown before.")
    secret_shown: bool = Field(examples=[False], description="Whether it was shown before.")


class PinVerified(StaffDone):
    """Whose PIN it is."""

    role: StaffRole


@operation("GET", PINS, scope=Scope.READ, answers=AllStaff, tag="PINs")
def list_pins(actor: Actor) -> AllStaff:
    """List the staff, those whose PIN works first."""
    return AllStaff(items=[_staff(row) for row in pins.list_all(actor=actor)])


@operation("POST", PINS, scope=Scope.MANAGE, body=PinBody, answers=StaffPin, status=201, errors=(NotFound,), tag="PINs")
def create_pin(actor: Actor, body: PinBody, key: RequestKey) -> StaffPin:
    """Make a PIN for a new member of staff. It is shown in this answer and never again."""
    store_id = actor.store_id if body.store_code else None
    return _new_pin(pins.create(actor=actor, name=body.name, role=body.role, store_id=store_id, key=key))


@operation(
    "POST",
    f"{PINS}/verify",
    scope=Scope.TILL,
    body=VerifyPinBody,
    answers=PinVerified,
    errors=(StaffPinInvalid, StaffPinLocked, NotFound),
    limit_to=60,
    writes=False,
    tag="PINs",
)
def verify_pin(actor: Actor, body: VerifyPinBody) -> PinVerified:
    """Say whose PIN it is. Wrong ones are counted, and after some of them every answer waits."""
    person = pins.verify(actor=actor, pin=body.staff_pin, staff_pin_id=body.staff_id, at=now())
    return PinVerified.of(person, staff_id=person.staff_pin_id, name=person.staff_name, role=_word(person.role))


@operation("GET", PIN, scope=Scope.READ, answers=Staff, tag="PINs")
def get_pin(actor: Actor, staff_id: UUID) -> Staff:
    """Get one member of staff."""
    return _staff(pins.get(actor=actor, staff_pin_id=staff_id))


@operation(
    "PATCH", PIN, scope=Scope.MANAGE, body=PinChangeBody, answers=StaffDone, tag="PINs", renamed={"store": "store_code"}
)
def change_pin(actor: Actor, staff_id: UUID, body: PinChangeBody, key: RequestKey) -> StaffDone:
    """Change somebody's name, role or store; the PIN stays, and sessions at tablets end."""
    changes = body.model_dump(exclude_unset=True)
    if "store_code" in changes:
        changes["store"] = str(actor.store_id) if changes.pop("store_code") else ""
    return _done(pins.change(actor=actor, staff_pin_id=staff_id, changes=changes, key=key))


@operation("POST", f"{PIN}/regenerate", scope=Scope.MANAGE, answers=StaffPin, tag="PINs")
def regenerate_pin(actor: Actor, staff_id: UUID, key: RequestKey) -> StaffPin:
    """Give somebody another PIN, shown once; the old one opens nothing from now on."""
    return _new_pin(pins.regenerate(actor=actor, staff_pin_id=staff_id, key=key))


@operation("POST", f"{PIN}/unlock", scope=Scope.MANAGE, answers=StaffDone, limit_to=10, tag="PINs")
def unlock_pin(actor: Actor, staff_id: UUID, key: RequestKey) -> StaffDone:
    """Let somebody try again at once, at every terminal and key of the shop."""
    return _done(pins.unlock(actor=actor, staff_pin_id=staff_id, key=key))


@operation("DELETE", PIN, scope=Scope.MANAGE, answers=StaffDone, tag="PINs")
def deactivate_pin(actor: Actor, staff_id: UUID, key: RequestKey) -> StaffDone:
    """End somebody's PIN and the sessions it opened; the history stays."""
    return _done(pins.deactivate(actor=actor, staff_pin_id=staff_id, key=key))


def _staff(row: StaffPinRow) -> Staff:
    return Staff.of(row, staff_id=row.staff_pin_id, role=_word(row.role))


def _new_pin(made: NewPin) -> StaffPin:
    return StaffPin.of(made, staff_id=made.staff_pin_id, staff_pin=made.pin, secret_shown=made.pin is None)


def _done(receipt: PinChange) -> StaffDone:
    return StaffDone.of(receipt, staff_id=receipt.staff_pin_id)


def _word(role: Role) -> str:
    return role.name.lower()
