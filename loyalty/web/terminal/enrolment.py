"""A new customer at the counter: by their own phone, or typed in here."""

from dataclasses import asdict
from datetime import datetime, timedelta

from flask import Response, request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import BooleanField, StringField

from loyalty.domain.joining import JoinForm
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import arrivals, enrolment, links, vendors
from loyalty.web.access import current_actor, now, requires, terminal_session
from loyalty.web.forms import new_key, request_key
from loyalty.web.sentences import gettext
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.cards import show_card_screen
from loyalty.web.terminal.outcomes import done
from loyalty.web.terminal.stage import show
from loyalty.web.terminal.words import Outcome

_WAITS = timedelta(minutes=2)
_STOP_POLLING = 286  # htmx's own status: swap, and ask no more


class CustomerForm(FlaskForm):  # type: ignore[misc] # Flask-WTF publishes no types
    """What staff may type for a customer; every field may stay empty."""

    email = StringField(lazy_gettext("E-mail"))
    phone = StringField(lazy_gettext("Mobile number"))
    name = StringField(lazy_gettext("Name"))
    accept_terms = BooleanField(lazy_gettext("The customer has seen the terms and agrees."))


@blueprint.get("/customers/new")
@requires(Role.STAFF)
def new_customer() -> Response:
    """Show the way to join, and wait for the customer to take it."""
    return _show(CustomerForm(formdata=None))


@blueprint.post("/customers")
@requires(Role.STAFF)
def create_customer() -> WerkzeugResponse:
    """Make a card for a customer, or find the one they have, once for each form that was drawn."""
    form = CustomerForm()
    filled = JoinForm(
        email=form.email.data or "",
        phone=form.phone.data or "",
        name=form.name.data or "",
        accept_terms=bool(form.accept_terms.data),
    )
    try:
        enrolled = enrolment.enrol_at_counter(actor=current_actor(), form=filled, key=request_key(asdict(filled)))
    except ValidationError as refusal:
        for name, sentence in refusal.errors.items():
            if name in form:
                form[name].errors = [gettext(sentence)]
        return _show(form, status=422, key=request.form.get("key"))
    if not enrolled.created:
        return done(_found_again(), card_id=enrolled.card_id)
    outcome = Outcome(
        "ok", "person-add", gettext("New card"), gettext("It is ready for its first stamp."), feedback="ok"
    )
    return done(outcome, card_id=enrolled.card_id)


@blueprint.get("/customers/arrivals")
@requires(Role.STAFF)
def arrivals_since() -> Response:
    """Answer the card of whoever joined at this store since the code was shown; nothing while nobody did."""
    since = _since()
    card_id = arrivals.find_newest(actor=current_actor(), since=since)
    if card_id is not None:
        return show_card_screen(card_id)
    if now() - since < _WAITS:
        return Response(status=204)
    response = _show(CustomerForm(formdata=None), waiting=False)
    response.status_code = _STOP_POLLING
    return response


def _show(form: CustomerForm, *, status: int = 200, waiting: bool = True, key: str | None = None) -> Response:
    title = gettext("New customer")
    return show(
        "new_customer",
        title=gettext("Error: %(title)s", title=title) if form.errors else title,
        status=status,
        feedback="bad" if form.errors else None,
        form=form,
        enrol_key=key or new_key(),
        join_address=_join_address(),
        waiting=waiting,
        since=now().isoformat(),
    )


def _join_address() -> str | None:
    session = terminal_session()
    if session is None or not vendors.get_public(code=session.vendor_code).allow_self_enrollment:
        return None
    return links.join(session.vendor_code, session.store_code)


def _since() -> datetime:
    try:
        since = datetime.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return now()
    return since if since.tzinfo else now()


def _found_again() -> Outcome:
    title = gettext("This customer has a card already")
    return Outcome("warn", "card", title, gettext("Here it is."), feedback="found")
