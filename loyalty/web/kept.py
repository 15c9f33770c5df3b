"""What somebody sent in vain and would have to type again: it is offered once more.

After the session has ended it travels through the sign-in, sealed; after an hour at a shop, through the page
that asks why somebody enters it again.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from flask import current_app, render_template, request
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from loyalty.domain.values import Role
from loyalty.errors import ActingEnded, IdempotencyKeyReused, LoyaltyError, NotAuthenticated
from loyalty.web.access import access_of
from loyalty.web.acting_page import acting_page
from loyalty.web.errors import PageTooOld
from loyalty.web.forms import new_key
from loyalty.web.htmx import is_htmx
from loyalty.web.sign_in import sign_in_page

_LONGEST = timedelta(hours=12)
_FIELD = "kept"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was sent; files do not travel."""

    action: str
    fields: list[tuple[str, str]]
    had_files: bool

    @property
    def is_of_platform(self) -> bool:
        """Whether it belongs to the platform and to no shop."""
        return self.action.startswith("/admin/")

    @property
    def page(self) -> str:
        """The template that offers it where it was typed."""
        return "admin/again.html" if self.is_of_platform else "office/again.html"


def rescue(error: LoyaltyError, *, is_inside: bool) -> str | None:
    """Answer a refused form so that what was typed stays, None where there is nothing to keep.

    `is_inside` says whether somebody is signed in who may send it.
    """
    if is_htmx() or not _is_worth_keeping():
        return None
    if isinstance(error, IdempotencyKeyReused):
        return _offer_anew(_sent())
    if isinstance(error, ActingEnded):
        return acting_page(current_user.session.acted_for, form=_seal())
    # The session ended in another tab. Only a browser that vouches for its own page gets the form back.
    is_late = isinstance(error, PageTooOld) and request.headers.get("Sec-Fetch-Site") == "same-origin"
    if is_late and is_inside:
        return offer(_sent())
    return sign_in_page(form=_seal()) if is_late or isinstance(error, NotAuthenticated) else None


def packed() -> str:
    """Return the sealed form that came along with this request, as it came."""
    return request.form.get(_FIELD, "")


def unpack() -> Kept | None:
    """Open the sealed form that came along, None where there is none or where it is not ours."""
    try:
        action, typed, had_files = _serializer().loads(packed(), max_age=int(_LONGEST.total_seconds()))
    except BadSignature:
        return None
    return Kept(action, [(name, text) for name, text in typed], had_files)


def offer(kept: Kept, *, was_acting: bool = False) -> str:
    """Ask whether to send it now; nothing is sent by itself, since another person may have signed in."""
    return render_template(kept.page, kept=kept, key=None, was_acting=was_acting)


def _offer_anew(kept: Kept) -> str:
    """Ask whether to send, under a key of its own, what somebody typed over what was saved: who went back does."""
    # Everything counts that stands there: what the page showed once is not what is saved now.
    typed = replace(kept, fields=[(name, text) for name, text in kept.fields if name not in ("key", "drawn")])
    return render_template(kept.page, kept=typed, key=new_key(), was_acting=False)


def _is_worth_keeping() -> bool:
    """Say whether this request is a form that somebody filled: not the sign-in, which holds a password."""
    if request.method != "POST" or request.endpoint is None:
        return False
    access = access_of(current_app.view_functions[request.endpoint])
    return access is not None and access.role is not None and access.role >= Role.MANAGER


def _seal() -> str:
    """Pack this request's form; the seal keeps others from offering somebody a form that they never filled."""
    return _serializer().dumps([request.path, _sent().fields, _sent().had_files])


def _sent() -> Kept:
    """Return this request's form."""
    typed = [(name, text) for name, text in request.form.items(multi=True) if name not in ("csrf_token", _FIELD)]
    return Kept(request.path, typed, any(file.filename for file in request.files.values()))


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["CONFIG"].secret_key, salt="kept form")
