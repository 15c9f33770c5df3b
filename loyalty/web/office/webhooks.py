"""Webhooks: where the shop's own software is told what happens, and the log of what was sent."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.settings import Check
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import webhook_deliveries, webhooks
from loyalty.services.webhooks import EndpointReceipt
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.ids import find_id
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm, as_typed
from loyalty.web.sentences import gettext, ngettext

WORDS: Final = {
    "card.created": _l("A card was made"),
    "card.installed": _l("A phone put a card into its wallet"),
    "card.removed": _l("A phone removed a card from its wallet"),
    "transaction.created": _l("Stamps or points changed"),
    "reward.ready": _l("A reward is ready"),
    "points.expiring": _l("Points expire soon"),
    "customer.erased": _l("A customer was erased"),
    "test": _l("A test"),
}
STATES: Final = {"waiting": _l("Waiting"), "delivered": _l("Delivered"), "failed": _l("Failed")}
# How far back failed messages are sent again, in days.
REACHES: Final = (1, 7, 30)


class EndpointForm(OfficeForm):
    """An address, and what it is told of."""

    checks: ClassVar[Mapping[str, Check]] = {**settings.WEBHOOK, "events": as_typed}

    url = StringField(_l("Address"))
    events = SelectMultipleField(
        _l("Tell it when"),
        choices=[SelectChoice(event, WORDS[event]) for event in webhooks.EVENTS],
        validate_choice=False,
    )


@blueprint.get("/webhooks")
@requires(Role.OWNER)
def list_webhooks() -> ResponseReturnValue:
    """List the endpoints, with a form for the next one."""
    return _list(EndpointForm(formdata=None))


@blueprint.post("/webhooks")
@requires(Role.OWNER)
def create_webhook() -> ResponseReturnValue:
    """Add an endpoint and show its secret, this once."""
    form = EndpointForm()
    if form.validate():
        try:
            made = webhooks.create(actor=current_actor(), details=form.values, key=request_key(form.values))
            return _list(EndpointForm(formdata=None), made)
        except ValidationError as refusal:
            form.take(refusal)
    return _list(form), 422


@blueprint.get("/webhooks/<uuid:endpoint_id>")
@requires(Role.OWNER)
def webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Show one endpoint and its log."""
    return _page(endpoint_id)


@blueprint.post("/webhooks/<uuid:endpoint_id>")
@requires(Role.OWNER)
def change_webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Save where an endpoint is and what it is told of."""
    form = EndpointForm()
    if form.validate():
        try:
            key = request_key(form.changes)
            webhooks.change(actor=current_actor(), endpoint_id=endpoint_id, details=form.changes, key=key)
            return _back(endpoint_id, gettext("The webhook is saved."))
        except ValidationError as refusal:
            form.take(refusal)
    return _page(endpoint_id, form=form), 422


@blueprint.post("/webhooks/<uuid:endpoint_id>/pause")
@requires(Role.OWNER)
def pause_webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Send nothing there for now."""
    webhooks.pause(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    return _back(endpoint_id, gettext("The webhook is paused. What happens now waits for up to 30 days."))


@blueprint.post("/webhooks/<uuid:endpoint_id>/resume")
@requires(Role.OWNER)
def resume_webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Go on sending, with what has waited first."""
    webhooks.resume(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    return _back(endpoint_id, gettext("The webhook goes on, with what has waited first."))


@blueprint.post("/webhooks/<uuid:endpoint_id>/secret")
@requires(Role.OWNER)
def rotate_webhook_secret(endpoint_id: UUID) -> ResponseReturnValue:
    """Make another secret and show it, this once."""
    made = webhooks.rotate_secret(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    return _page(endpoint_id, made=made)


@blueprint.post("/webhooks/<uuid:endpoint_id>/secret/end")
@requires(Role.OWNER)
def end_old_webhook_secret(endpoint_id: UUID) -> ResponseReturnValue:
    """Sign with the new secret alone."""
    webhooks.end_old_secret(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    return _back(endpoint_id, gettext("The old secret is ended."))


@blueprint.post("/webhooks/<uuid:endpoint_id>/test")
@requires(Role.OWNER)
def send_webhook_test(endpoint_id: UUID) -> ResponseReturnValue:
    """Send a message that says nothing."""
    webhooks.send_test(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    return _back(endpoint_id, gettext("A test is on its way. Load this page again to see the answer."))


@blueprint.post("/webhooks/<uuid:endpoint_id>/replay")
@requires(Role.OWNER)
def replay_webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Send again what failed in the last days."""
    typed = request.form.get("days", "")
    days = int(typed) if typed in [str(reach) for reach in REACHES] else REACHES[-1]
    done = webhook_deliveries.replay_failed(
        actor=current_actor(),
        endpoint_id=endpoint_id,
        since=now() - timedelta(days=days),
        key=request_key({"days": days}),
    )
    words = ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", done.count)
    return _back(endpoint_id, words)


@blueprint.post("/webhooks/deliveries/<uuid:delivery_id>/replay")
@requires(Role.OWNER)
def replay_delivery(delivery_id: UUID) -> ResponseReturnValue:
    """Send one message again."""
    done = webhook_deliveries.replay(actor=current_actor(), delivery_id=delivery_id, key=request_key({}))
    return _back(done.endpoint_id, gettext("The message is sent again."))


@blueprint.get("/webhooks/<uuid:endpoint_id>/remove")
@requires(Role.OWNER)
def confirm_webhook_removal(endpoint_id: UUID) -> ResponseReturnValue:
    """Ask whether to send nothing there any more."""
    row = webhooks.get(actor=current_actor(), endpoint_id=endpoint_id)
    return confirm_page(
        title=gettext("Remove the webhook to %(url)s", url=row.url),
        text=gettext("Nothing is sent there any more, and what waits is never sent. To stop for a while, pause it."),
        button=gettext("Remove the webhook"),
        final=True,
        back=url_for("office.webhook", endpoint_id=endpoint_id),
    )


@blueprint.post("/webhooks/<uuid:endpoint_id>/remove")
@requires(Role.OWNER)
def remove_webhook(endpoint_id: UUID) -> ResponseReturnValue:
    """Send nothing there any more."""
    webhooks.remove(actor=current_actor(), endpoint_id=endpoint_id, key=request_key({}))
    flash(gettext("The webhook is removed."))
    return redirect(url_for("office.list_webhooks"), 303)


def _list(form: EndpointForm, made: EndpointReceipt | None = None) -> str:
    endpoints = webhooks.list_all(actor=current_actor())
    return render_template("office/webhooks.html", form=form, endpoints=endpoints, made=made, words=WORDS)


def _page(endpoint_id: UUID, *, form: EndpointForm | None = None, made: EndpointReceipt | None = None) -> str:
    actor, state = current_actor(), request.args.get("state", "")
    state = state if state in STATES else ""
    endpoint = webhooks.get(actor=actor, endpoint_id=endpoint_id)
    log = webhook_deliveries.list_page(
        actor=actor, endpoint_id=endpoint_id, state=state, before=find_id(request.args.get("before"))
    )
    return render_template(
        "office/webhook.html",
        form=form or EndpointForm(formdata=None, obj=endpoint),
        endpoint=endpoint,
        made=made,
        log=log,
        state=state,
        words=WORDS,
        states=STATES,
        reaches=REACHES,
    )


def _back(endpoint_id: UUID, message: str) -> ResponseReturnValue:
    flash(message)
    return redirect(url_for("office.webhook", endpoint_id=endpoint_id), 303)
