"""Acting on a vendor's behalf: entering its office with a reason, and leaving it."""

from uuid import UUID

from flask import flash, g, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import accounts, acting
from loyalty.web import kept
from loyalty.web.access import SignedInUser, current_admin, current_person, now, requires
from loyalty.web.acting_page import ActingForm, acting_page
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.forms import request_key
from loyalty.web.sentences import gettext


@blueprint.get("/vendors/<uuid:vendor_id>/act")
@requires(Role.ADMIN)
def confirm_acting(vendor_id: UUID) -> ResponseReturnValue:
    """Ask why."""
    return acting_page(vendor_id)


@blueprint.post("/vendors/<uuid:vendor_id>/act")
@requires(Role.ADMIN)
def act_for_vendor(vendor_id: UUID) -> ResponseReturnValue:
    """Enter the office of a shop, with everything that its owner may do there."""
    admin, form = current_admin(), ActingForm()
    if form.validate():
        reason = str(form.reason.data or "")
        try:
            acting.begin(
                admin=admin,
                session_id=current_person().session.session_id,
                vendor_id=vendor_id,
                reason=reason,
                at=now(),
                key=request_key({"reason": reason}, admin.caller),
            )
            _forget_open_forms()
            return _enter()
        except ValidationError as refusal:
            form.take(refusal)
    return acting_page(vendor_id, answered=form, form=kept.packed()), 422


@blueprint.post("/acting/leave")
@requires(Role.ADMIN)
def leave_vendor() -> ResponseReturnValue:
    """Leave the office of the shop; the way back is the page of the shop."""
    admin, me = current_admin(), current_person().session
    acting.leave(admin=admin, session_id=me.session_id, at=now(), key=request_key({}, admin.caller))
    _forget_open_forms()
    flash(gettext("You act for no shop any more."))
    if me.acting_until and me.vendor_id:
        return redirect(url_for("admin.vendor", vendor_id=me.vendor_id), 303)
    return redirect(url_for("admin.home"), 303)


def _enter() -> ResponseReturnValue:
    """Begin at the start page of the office, or with what was typed there before the last hour ended."""
    form, token = kept.unpack(), current_person().token
    found = accounts.get_session(token=token, at=now())
    if form is None or form.is_of_platform or found is None:
        return redirect(url_for("office.home"), 303)
    login_user(SignedInUser(token, found))
    return kept.offer(form, was_acting=True)


def _forget_open_forms() -> None:
    """Refuse what other tabs still show: a form of one shop must never be saved in another."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)
