"""Stores: a shop's locations. Cards work at all of them."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from loyalty.domain.bounds import NAME_LENGTH
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.services import stores
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import NO_NUL, Answer, Body

STORES = "/vendor/loyalty/stores"
STORE = f"{STORES}/{{store_id}}"

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=NO_NUL, examples=["Main Street"])]
Address = Annotated[str, Field(max_length=300, pattern=NO_NUL, examples=["12 Main Street, 1234 Luxembourg"])]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, examples=[49.6116])]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, examples=[6.1319])]


class StoreBody(Body):
    """A new store."""

    name: Name
    code: str | None = Field(
        default=None,
        min_length=2,
        max_length=40,
        pattern=NO_NUL,
        examples=["main"],
        description="2 to 40 small letters, digits and hyphens; made of the name where it is left out. It stays.",
    )
    address: Address = ""
    latitude: Latitude | None = Field(default=None, description="With it, wallets show the card near the store.")
    longitude: Longitude | None = None


class StoreChange(Body):
    """What changes of a store; what is left out stays. The code always stays."""

    name: Name | None = None
    address: Address | None = None
    latitude: Latitude | None = Field(default=None, description="Null takes it away.")
    longitude: Longitude | None = Field(default=None, description="Null takes it away.")


class Store(Answer):
    """A store."""

    store_id: UUID
    code: str = Field(examples=["main"])
    name: str = Field(examples=["Main Street"])
    address: str = Field(examples=["12 Main Street, 1234 Luxembourg"])
    latitude: float | None = Field(examples=[49.6116])
    longitude: float | None = Field(examples=[6.1319])
    active: bool
    terminals: int = Field(examples=[2], description="Tablets that are paired with it.")


class Stores(Answer):
    """All stores of the shop."""

    items: list[Store]


class StoreDone(Answer):
    """The store after a command."""

    store_id: UUID
    code: str = Field(examples=["main"])
    name: str = Field(examples=["Main Street"])
    active: bool


@operation("GET", STORES, scope=Scope.READ, answers=Stores, tag="Stores")
def list_stores(actor: Actor) -> Stores:
    """List the shop's stores by name, the open ones first."""
    return Stores(items=[Store.of(row) for row in stores.list_all(actor=actor)])


@operation("POST", STORES, scope=Scope.MANAGE, body=StoreBody, answers=StoreDone, status=201, tag="Stores")
def create_store(actor: Actor, body: StoreBody, key: RequestKey) -> StoreDone:
    """Open a store."""
    return StoreDone.of(stores.create(actor=actor, details=body.model_dump(), key=key))


@operation("GET", STORE, scope=Scope.READ, answers=Store, tag="Stores")
def get_store(actor: Actor, store_id: UUID) -> Store:
    """Get one store."""
    return Store.of(stores.get(actor=actor, store_id=store_id))


@operation("PATCH", STORE, scope=Scope.MANAGE, body=StoreChange, answers=StoreDone, tag="Stores")
def change_store(actor: Actor, store_id: UUID, body: StoreChange, key: RequestKey) -> StoreDone:
    """Change a store's name, address or place."""
    details = body.model_dump(exclude_unset=True)
    return StoreDone.of(stores.change(actor=actor, store_id=store_id, details=details, key=key))


@operation("POST", f"{STORE}/reactivate", scope=Scope.MANAGE, answers=StoreDone, tag="Stores")
def reactivate_store(actor: Actor, store_id: UUID, key: RequestKey) -> StoreDone:
    """Open a closed store again."""
    return StoreDone.of(stores.reactivate(actor=actor, store_id=store_id, key=key))


@operation("DELETE", STORE, scope=Scope.MANAGE, answers=StoreDone, tag="Stores", renamed={"store": "store_id"})
def deactivate_store(actor: Actor, store_id: UUID, key: RequestKey) -> StoreDone:
    """Close a store that has no tablet any more; its history stays."""
    return StoreDone.of(stores.deactivate(actor=actor, store_id=store_id, key=key))
