"""Deliveries that fail, and trying them again."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.errors import NotFound
from loyalty.services import failures
from loyalty.services.failures import RetryReceipt
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.admin.words import kind_words
from loyalty.web.forms import request_key
from loyalty.web.htmx import is_htmx
from loyalty.web.ids import find_id
from loyalty.web.sentences import gettext, ngettext

_LONGEST_KIND = 80


@blueprint.get("/failures")
@requires(Role.ADMIN)
def list_failures() -> ResponseReturnValue:
    """List what fails, newest first; of one kind where one is chosen."""
    admin, kind = current_admin(), request.args.get("kind", "")[:_LONGEST_KIND]
    before = find_id(request.args.get("before"))
    return render_template(
        "admin/failures.html",
        page=failures.list_failures(admin=admin, kind=kind, before=before),
        kinds=failures.count_by_kind(admin=admin),
        waiting=failures.list_waiting(admin=admin),
        kind=kind,
        kind_words=kind_words,
    )


@blueprint.get("/failures/waiting")
@requires(Role.ADMIN)
def waiting() -> ResponseReturnValue:
    """Count the passes that are still to be updated, by vendor; only the page of failures asks."""
    if not is_htmx():
        return redirect(url_for("admin.list_failures"), 303)
    return render_template("admin/_waiting.html", waiting=failures.list_waiting(admin=current_admin()))


@blueprint.post("/failures/retries")
@requires(Role.ADMIN)
def retry_failure() -> ResponseReturnValue:
    """Try one delivery again."""
    admin, message_id = current_admin(), find_id(request.form.get("message_id"))
    if message_id is None:
        raise NotFound
    key = request_key({"message_id": message_id}, admin.caller)
    return _done(failures.retry(admin=admin, message_id=message_id, key=key))


@blueprint.post("/failures/retries/all")
@requires(Role.ADMIN)
def retry_all_failures() -> ResponseReturnValue:
    """Try what fails of a kind again."""
    admin, kind = current_admin(), request.form.get("kind", "")[:_LONGEST_KIND]
    return _done(failures.retry_all(admin=admin, kind=kind, key=request_key({"kind": kind}, admin.caller)))


def _done(receipt: RetryReceipt) -> ResponseReturnValue:
    if receipt.retried:
        flash(ngettext("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", receipt.retried))
    else:
        flash(gettext("There is nothing to try again: it may have arrived already."))
    return redirect(url_for("admin.list_failures"), 303)
