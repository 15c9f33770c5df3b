"""Customers: the list of cards, one card with its wallets and its history, and what may be done about it by hand."""

from typing import ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import reasons
from loyalty.domain.values import CardRef, Role
from loyalty.errors import CardInactive, InsufficientPoints, InsufficientStamps, ProgramInactive, ValidationError
from loyalty.services import (
    adjustments,
    card_details,
    card_links,
    card_lists,
    card_views,
    cards,
    consents,
    expiry_restores,
    programs,
    replacements,
    voids,
    wallet_states,
)
from loyalty.services.card_details import HistoryEntry
from loyalty.web.access import current_actor, now, requires
from loyalty.web.errors import sentence_of
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.htmx import is_htmx
from loyalty.web.limits import limit
from loyalty.web.locale import number
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import KeyForm, OfficeForm
from loyalty.web.office.pages import Page, page_number
from loyalty.web.sentences import gettext


class AdjustmentForm(OfficeForm):
    """A balance corrected by hand."""

    checks: ClassVar = reasons.CHECKS

    balance = RadioField(
        _l("What"),
        choices=[SelectChoice("stamps", _l("Stamps")), SelectChoice("points", _l("Points"))],
        default="stamps",
        validate_choice=False,
    )
    delta = WholeNumberField(_l("Plus or minus"))
    reason = StringField(_l("Reason"))


class ReasonForm(OfficeForm):
    """Why something is done: it stands in the history."""

    reason = StringField(_l("Reason"))


@blueprint.get("/customers")
@requires(Role.MANAGER)
def list_customers() -> ResponseReturnValue:
    """List the cards that fit what was typed and chosen."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "all")
    show = show if show in card_lists.FILTERS else "all"
    actor = current_actor()
    found = card_lists.list_cards(actor=actor, text=text, show=show, page=page_number())
    asked = {"q": text or None, "show": None if show == "all" else show}
    page = Page.of(found.number, found.pages, "office.list_customers", **asked)
    program = programs.get(actor=actor)
    return render_template("office/customers.html", found=found, q=text, show=show, program=program, page=page)


@blueprint.get("/customers/<uuid:card_id>")
@requires(Role.MANAGER)
def customer(card_id: UUID) -> ResponseReturnValue:
    """Show one card."""
    return _show(card_id)


@blueprint.post("/customers/<uuid:card_id>/adjustments")
@requires(Role.MANAGER)
@limit("20 per minute")
def adjust_card(card_id: UUID) -> ResponseReturnValue:
    """Correct a balance."""
    form = AdjustmentForm()
    if form.validate():
        try:
            done = _adjust(card_id, form)
            flash(gettext("The balance is corrected: it is %(balance)s now.", balance=number(done.balance)))
            return _back(card_id)
        except ValidationError as refusal:
            form.take(refusal)
        except (InsufficientStamps, InsufficientPoints) as refusal:
            have = refusal.details.get("stamp_count", refusal.details.get("points_balance", 0))
            form.delta.errors = [gettext("No more can be taken than the card has: %(balance)s.", balance=number(have))]
        except (CardInactive, ProgramInactive) as refusal:
            form.form_errors.append(sentence_of(refusal))
    return _show(card_id, adjustment=form), 422


@blueprint.get("/customers/<uuid:card_id>/deactivate")
@requires(Role.MANAGER)
def confirm_card_deactivation(card_id: UUID) -> ResponseReturnValue:
    """Ask why a card is to be deactivated."""
    return _ask_why_deactivated(card_id, ReasonForm(formdata=None))


@blueprint.post("/customers/<uuid:card_id>/deactivate")
@requires(Role.MANAGER)
def deactivate_card(card_id: UUID) -> ResponseReturnValue:
    """Close a card; its balance stays."""
    form = ReasonForm()
    try:
        form.validate()
        key = request_key({"reason": form.reason.data})
        reason = form.reason.data or ""
        cards.deactivate(actor=current_actor(), card=CardRef(card_id=card_id), reason=reason, key=key)
    except ValidationError as refusal:
        form.take(refusal)
        return _ask_why_deactivated(card_id, form), 422
    flash(gettext("The card is deactivated. Its balance stays, and you can activate it again."))
    return _back(card_id)


@blueprint.post("/customers/<uuid:card_id>/reactivate")
@requires(Role.MANAGER)
def reactivate_card(card_id: UUID) -> ResponseReturnValue:
    """Open a card again; that it was done in the office is reason enough."""
    form, reason = KeyForm(), gettext("Activated again in the office")
    try:
        cards.reactivate(actor=current_actor(), card=CardRef(card_id=card_id), reason=reason, key=request_key({}))
    except CardInactive as refusal:
        form.form_errors.append(sentence_of(refusal))
        return _show(card_id, link=form), 409
    flash(gettext("The card is active again."))
    return _back(card_id)


@blueprint.post("/customers/<uuid:card_id>/link")
@requires(Role.MANAGER)
@limit("20 per minute")
def mail_card_link(card_id: UUID) -> ResponseReturnValue:
    """Mail the customer the address of the card."""
    form = KeyForm()
    try:
        card_links.mail_link(actor=current_actor(), card_id=card_id, key=request_key({}), at=now())
    except ValidationError as refusal:
        form.form_errors.extend(gettext(sentence) for sentence in refusal.errors.values())
        return _show(card_id, link=form), 422
    flash(gettext("The link is on its way to the customer’s e-mail address."))
    return _back(card_id)


@blueprint.post("/customers/<uuid:card_id>/passes")
@requires(Role.MANAGER)
@limit("20 per minute")
def resend_passes(card_id: UUID) -> ResponseReturnValue:
    """Have the wallets told of the card once more."""
    form = KeyForm()
    try:
        wallet_states.resend(actor=current_actor(), card_id=card_id, key=request_key({}))
    except ValidationError as refusal:
        form.form_errors.extend(gettext(sentence) for sentence in refusal.errors.values())
        return _show(card_id, wallets=form), 422
    flash(gettext("The pass is being sent again."))
    return _back(card_id)


@blueprint.get("/customers/<uuid:card_id>/wallets")
@requires(Role.MANAGER)
def wallets(card_id: UUID) -> ResponseReturnValue:
    """Say anew what the wallets show of a card; only its page asks."""
    actor = current_actor()
    states = wallet_states.list_states(actor=actor, card_id=card_id)
    if not is_htmx():
        return _back(card_id)
    card = card_views.get_at_counter(actor=actor, card_id=card_id, at=now())
    return render_template("office/_wallets.html", wallets_form=KeyForm(formdata=None), card=card, states=states)


@blueprint.get("/customers/<uuid:card_id>/transactions/<uuid:transaction_id>/void")
@requires(Role.MANAGER)
def confirm_void(card_id: UUID, transaction_id: UUID) -> ResponseReturnValue:
    """Ask why an entry is to be taken back."""
    return _ask_why_voided(card_id, _entry(card_id, transaction_id), ReasonForm(formdata=None))


@blueprint.post("/customers/<uuid:card_id>/transactions/<uuid:transaction_id>/void")
@requires(Role.MANAGER)
@limit("20 per minute")
def void_transaction(card_id: UUID, transaction_id: UUID) -> ResponseReturnValue:
    """Take an entry of the card back."""
    entry, form = _entry(card_id, transaction_id), ReasonForm()
    try:
        form.validate()
        key, reason = request_key({"reason": form.reason.data}), form.reason.data or ""
        done = voids.void(actor=current_actor(), transaction_id=transaction_id, reason=reason, key=key)
    except ValidationError as refusal:
        form.take(refusal)
        return _ask_why_voided(card_id, entry, form), 422
    if done.shortfall:
        left = number(done.shortfall)
        flash(gettext("Taken back as far as the balance allowed; %(left)s could not be taken back.", left=left))
    else:
        flash(gettext("The entry is taken back."))
    return _back(card_id)


def _adjust(card_id: UUID, form: AdjustmentForm) -> adjustments.AdjustmentReceipt:
    delta = int(str(form.delta.data))
    fields = {"balance": form.balance.data, "delta": delta, "reason": form.reason.data}
    adjust = adjustments.adjust_points if form.balance.data == "points" else adjustments.adjust_stamps
    return adjust(
        actor=current_actor(),
        card=CardRef(card_id=card_id),
        delta=delta,
        reason=form.reason.data or "",
        key=request_key(fields),
    )


def _entry(card_id: UUID, transaction_id: UUID) -> HistoryEntry:
    return card_details.get_entry(actor=current_actor(), card_id=card_id, transaction_id=transaction_id)


def _back(card_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("office.customer", card_id=card_id), 303)


def _show(
    card_id: UUID,
    *,
    adjustment: AdjustmentForm | None = None,
    wallets: KeyForm | None = None,
    link: KeyForm | None = None,
) -> str:
    actor = current_actor()
    holder = card_details.get_holder(actor=actor, card_id=card_id)
    pages = max(1, -(-holder.entries // card_details.PER_PAGE))
    place = min(page_number(), pages)
    return render_template(
        "office/customer.html",
        form=adjustment or AdjustmentForm(formdata=None),
        wallets_form=wallets or KeyForm(formdata=None),
        link_form=link or KeyForm(formdata=None),
        holder=holder,
        old_codes=replacements.list_old(actor=actor, card_id=card_id),
        card=card_views.get_at_counter(actor=actor, card_id=card_id, at=now()),
        states=wallet_states.list_states(actor=actor, card_id=card_id),
        expired=expiry_restores.find(actor=actor, card_id=card_id, at=now()),
        agreed=consents.list_all(actor=actor, customer_id=holder.customer_id),
        entries=card_details.list_entries(actor=actor, card_id=card_id, skip=(place - 1) * card_details.PER_PAGE),
        page=Page.of(place, pages, "office.customer", card_id=card_id),
    )


def _ask_why_deactivated(card_id: UUID, form: ReasonForm) -> str:
    holder = card_details.get_holder(actor=current_actor(), card_id=card_id)
    return _ask_why(
        card_id,
        form,
        title=gettext("Deactivate the card of %(name)s", name=holder.name)
        if holder.name
        else gettext("Deactivate this card"),
        text=gettext("It collects and redeems nothing from now on. Its balance stays, and you can activate it again."),
        button=gettext("Deactivate the card"),
    )


def _ask_why_voided(card_id: UUID, entry: HistoryEntry, form: ReasonForm) -> str:
    text = gettext("What the card still holds of it is taken back, and both entries stay in the history.")
    return _ask_why(
        card_id, form, title=gettext("Take an entry back"), text=text, button=gettext("Take it back"), entry=entry
    )


def _ask_why(
    card_id: UUID, form: ReasonForm, *, title: str, text: str, button: str, entry: HistoryEntry | None = None
) -> str:
    back = url_for("office.customer", card_id=card_id)
    return render_template(
        "office/reason.html", form=form, title=title, text=text, button=button, back=back, entry=entry
    )
