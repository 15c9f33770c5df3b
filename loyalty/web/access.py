"""Who may enter: every route is denied until its view says who may."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeVar

from flask import Flask, current_app, g, request
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user

from loyalty.domain.values import Actor, Admin, Role, Scope
from loyalty.errors import (
    ActingEnded,
    Forbidden,
    KeyRequired,
    NotAuthenticated,
    TerminalLocked,
    TerminalUnpaired,
    VendorSuspended,
)
from loyalty.services import accounts, key_holders, terminals

View = TypeVar("View", bound=Callable[..., object])
login = LoginManager()


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks of its caller: nothing (public), a sign-in, a paired tablet, a role, or a key with a scope."""

    role: Role | None = None
    signed_in: bool = False
    paired: bool = False
    scope: Scope | None = None


def public(view: View) -> View:
    """Open a view to everybody."""
    return _mark(view, Access())


def signed_in(view: View) -> View:
    """Open a view to everybody who is signed in, whatever shop they are in: it is about themselves."""
    return _mark(view, Access(signed_in=True))


def terminal_paired(view: View) -> View:
    """Open a view to any paired tablet, also while it is locked."""
    return _mark(view, Access(paired=True))


def requires(role: Role) -> Callable[[View], View]:
    """Open a view to a role: at the terminal by its staff session, elsewhere by sign-in."""
    return lambda view: _mark(view, Access(role=role))


def keyed(scope: Scope) -> Callable[[View], View]:
    """Open a view to programs whose key has a scope."""
    return lambda view: _mark(view, Access(scope=scope))


def access_of(view: Callable[..., object]) -> Access | None:
    """Return what a view asks for, or None where it says nothing (and is refused)."""
    mark: Access | None = getattr(view, "access", None)
    return mark


class SignedInUser(UserMixin):  # type: ignore[misc] # Flask-Login publishes no types
    """Flask-Login's idea of a person: a session of the accounts service."""

    def __init__(self, token: str, session: accounts.SessionFacts) -> None:
        self.token = token
        self.session = session

    def get_id(self) -> str:
        """The session's token: what the signed cookie holds."""
        return self.token


def init(app: Flask) -> None:
    """Check every request before its view runs."""
    login.init_app(app)
    login.session_protection = None  # the session row decides, not the browser's name
    login.user_loader(_load_user)
    app.before_request(_authorise)
    app.jinja_env.globals["current_actor"] = find_actor
    app.jinja_env.globals["acting_minutes"] = acting_minutes


def find_actor() -> Actor | None:
    """Return who acts, None on public pages."""
    actor: Actor | None = g.get("actor")
    return actor


def current_actor() -> Actor:
    """Return who acts, or refuse."""
    actor = find_actor()
    if actor is None:
        raise NotAuthenticated
    return actor


def current_person() -> "SignedInUser":
    """Return who is signed in, or refuse."""
    if not current_user.is_authenticated:
        raise NotAuthenticated
    person: SignedInUser = current_user._get_current_object()
    return person


def ask_no_more_who() -> None:
    """Take whoever asks for a stranger until the end of this request, where the database cannot say who it is."""
    if "_login_user" not in g:
        g._login_user = AnonymousUserMixin()


def acting_minutes() -> int:
    """Return how many minutes are left to whoever acts for a shop, the last one to its end."""
    until: datetime | None = current_person().session.acting_until
    return ceil((until - now()) / timedelta(minutes=1)) if until else 0


def find_admin() -> Admin | None:
    """Return who acts for the platform, None everywhere but on its pages."""
    admin: Admin | None = g.get("admin")
    return admin


def current_admin() -> Admin:
    """Return who acts for the platform, or refuse."""
    admin = find_admin()
    if admin is None:
        raise NotAuthenticated
    return admin


def find_key_holder() -> key_holders.KeyFacts | None:
    """Return the key of this request, None where it came without one."""
    holder: key_holders.KeyFacts | None = g.get("key_holder")
    return holder


def now() -> datetime:
    """The time that views hand down as `at`, moved like the ledger's clock."""
    offset: timedelta = current_app.config["CONFIG"].clock_offset
    return datetime.now(UTC) + offset


def terminal_session() -> terminals.TerminalSession | None:
    """Return the paired tablet of this request, read once; None without a valid cookie."""
    if "terminal_session" not in g:
        token = request.cookies.get(current_app.config["TERMINAL_COOKIE_NAME"], "")
        still = request.endpoint in ("terminal.ping", "terminal.arrivals_since")
        g.terminal_session = terminals.authenticate(token=token, at=now(), touch=not still) if token else None
    found: terminals.TerminalSession | None = g.terminal_session
    return found


def terminal_actor(session: terminals.TerminalSession) -> Actor:
    """Return who acts at a paired tablet: the person whose session is open, or just the tablet."""
    role = session.staff_role or Role.STAFF
    return Actor(
        vendor_id=session.vendor_id,
        role=role,
        store_id=session.store_id,
        terminal_id=session.terminal_id,
        staff_pin_id=session.staff_pin_id,
        staff_name=session.staff_name,
        ip_address=request.remote_addr,
        user_agent=request.user_agent.string[:300] or None,
    )


def _mark(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined] # functions carry what they are given
    return view


def _authorise() -> None:
    if request.endpoint is None:
        return
    access = access_of(current_app.view_functions[request.endpoint])
    if access is None:
        raise Forbidden
    if access.scope is not None:
        _authorise_key(access.scope)
    elif request.blueprint == "terminal":
        _authorise_terminal(access)
    elif access.role is Role.ADMIN:
        _authorise_admin()
    elif access.role is not None:
        _authorise_user(access.role)
    elif access.signed_in:
        current_person()


def _authorise_key(needed: Scope) -> None:
    """Let a program in by its key, which stands in the header alone: addresses end up in logs."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    holder = key_holders.authenticate(api_key=text.strip(), at=now()) if scheme.lower() == "bearer" else None
    if holder is None:
        raise KeyRequired
    if not holder.scope.allows(needed):
        raise Forbidden(scope=needed.value)
    g.key_holder = holder
    user_agent = request.user_agent.string[:300] or None
    if holder.vendor_id is None:
        g.admin = Admin(api_key_id=holder.api_key_id, ip_address=request.remote_addr, user_agent=user_agent)
        return
    if holder.status != "active":
        raise VendorSuspended
    # What a key may look at, its scope has said; a manager is asked for only where something is done.
    is_till = needed is Scope.TILL and holder.scope is Scope.TILL
    g.actor = Actor(
        vendor_id=holder.vendor_id,
        role=Role.STAFF if is_till else Role.MANAGER,
        store_id=holder.only_store_id,
        api_key_id=holder.api_key_id,
        ip_address=request.remote_addr,
        user_agent=user_agent,
    )


def _authorise_terminal(access: Access) -> None:
    if not access.paired and access.role is None:
        return
    session = terminal_session()
    if session is None:
        raise TerminalUnpaired
    if session.status != "active":
        raise VendorSuspended
    if access.role is not None:
        if session.pin_needed and session.staff_pin_id is None:
            raise TerminalLocked
        if access.role > (session.staff_role or Role.STAFF):
            raise Forbidden
    g.actor = terminal_actor(session)


def _authorise_user(role: Role) -> None:
    if not current_user.is_authenticated:
        raise NotAuthenticated
    session: accounts.SessionFacts = current_user.session
    if session.acting_is_over:
        # Not the shop of their own behind it: what is sent now was meant for another. They may say why, and go on.
        g.admin = _admin(session)
        raise ActingEnded
    if session.vendor_id is None or role > session.role:
        raise Forbidden
    g.actor = Actor(
        vendor_id=session.vendor_id,
        role=session.role,
        user_id=session.user_id,
        ip_address=request.remote_addr,
        user_agent=request.user_agent.string[:300] or None,
    )


def _authorise_admin() -> None:
    """Let the platform's people in, whatever shop they are in beside it; they become no shop's actor by that."""
    if not current_user.is_authenticated:
        raise NotAuthenticated
    session: accounts.SessionFacts = current_user.session
    if not session.is_admin:
        raise Forbidden
    g.admin = _admin(session)


def _admin(session: accounts.SessionFacts) -> Admin:
    return Admin(
        user_id=session.user_id,
        ip_address=request.remote_addr,
        user_agent=request.user_agent.string[:300] or None,
    )


def _load_user(token: str) -> SignedInUser | None:
    session = accounts.get_session(token=token, at=now())
    return SignedInUser(token, session) if session else None
