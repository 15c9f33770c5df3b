"""Terminals: tablets that are paired with a store."""

from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from pydantic import Field

from loyalty.domain.bounds import NAME_LENGTH
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import NotFound
from loyalty.services import terminals
from loyalty.web.api.naming import AtStore
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import NO_NUL, Answer, Code

TERMINALS = "/vendor/loyalty/terminals"


class TerminalBody(AtStore):
    """A tablet that is to be paired."""

    store_code: Code = Field(examples=["main"], description="The store where it stands.")
    label: str = Field(min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Counter"])


class Terminal(Answer):
    """A tablet, or a code that still waits for one."""

    terminal_id: UUID
    label: str = Field(examples=["Counter"])
    store_id: UUID
    store_code: str = Field(examples=["main"])
    state: Literal["waiting", "paired", "revoked"]
    code_expires_at: datetime | None = Field(description="Until when its code can be entered, while it waits.")
    paired_at: datetime | None
    last_seen_at: datetime | None
    revoked_at: datetime | None


class Terminals(Answer):
    """All tablets of the shop."""

    items: list[Terminal]


class PairingCode(Answer):
    """A code that pairs one tablet, once, within ten minutes."""

    terminal_id: UUID
    expires_at: datetime
    pairing_code: str | None = Field(
        examples=["KTRX-48PB"], description="To be entered at /terminal; null where it was shown before."
    )
    secret_shown: bool = Field(examples=[False], description="Whether it was shown before.")


class TerminalDone(Answer):
    """The tablet that a command was about."""

    terminal_id: UUID


@operation("GET", TERMINALS, scope=Scope.READ, answers=Terminals, tag="Terminals")
def list_terminals(actor: Actor) -> Terminals:
    """List the shop's tablets, and the codes that still wait for one."""
    return Terminals(items=[Terminal.of(row) for row in terminals.list_all(actor=actor)])


@operation(
    "POST",
    TERMINALS,
    scope=Scope.MANAGE,
    body=TerminalBody,
    answers=PairingCode,
    status=201,
    errors=(NotFound,),
    tag="Terminals",
)
def create_terminal(actor: Actor, body: TerminalBody, key: RequestKey) -> PairingCode:
    """Make a code for a tablet. It is shown in this answer and never again."""
    # The frame has found the store that the body names.
    store_id = cast(UUID, actor.store_id)
    made = terminals.create_code(actor=actor, store_id=store_id, label=body.label, key=key)
    return PairingCode.of(made, pairing_code=made.code, secret_shown=made.code is None)


@operation("DELETE", f"{TERMINALS}/{{terminal_id}}", scope=Scope.MANAGE, answers=TerminalDone, tag="Terminals")
def revoke_terminal(actor: Actor, terminal_id: UUID, key: RequestKey) -> TerminalDone:
    """Sign a tablet out for good, or end its code; the next thing it asks for is refused."""
    return TerminalDone.of(terminals.revoke(actor=actor, terminal_id=terminal_id, key=key))
