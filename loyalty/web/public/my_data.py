"""A customer's own data: what is kept, a copy of it, corrections, and being forgotten. Works without JavaScript."""

from io import BytesIO
from uuid import UUID

from flask import flash, redirect, render_template, request, send_file, session, url_for
from flask.typing import ResponseReturnValue

from loyalty.errors import ValidationError
from loyalty.services import card_views, my_data, my_data_proofs
from loyalty.services.card_views import PublicCard
from loyalty.services.my_data import OwnData
from loyalty.web import locale
from loyalty.web.access import now, public
from loyalty.web.forms import request_key
from loyalty.web.ids import find_id
from loyalty.web.limits import address_source, limit_together
from loyalty.web.public.blueprint import blueprint
from loyalty.web.public.my_data_form import MyDataForm
from loyalty.web.sentences import gettext

# One sum for all that asks for mails, tries links or changes something.
_limit = limit_together("10 per minute", scope="my data", key_func=address_source)


@blueprint.get("/card/<token>/my-data")
@public
def show_my_data(token: str) -> ResponseReturnValue:
    """Show what is kept: which kinds of it to whoever holds the card, all of it to whom it is about."""
    card, own = _card(token), my_data.get(token=token)
    if not my_data_proofs.is_proven(token=token, confirmation_id=_proof(), at=now()):
        return render_template("public/my_data_ask.html", card=card, own=own)
    return _page(card, own, MyDataForm.of(own))


@blueprint.post("/card/<token>/my-data")
@public
@_limit
def ask_for_my_data(token: str) -> ResponseReturnValue:
    """Have a link mailed to the address on file; the words are the same whatever came of it."""
    _card(token)
    my_data_proofs.ask(token=token, key=request_key({}, caller="my_data"), at=now())
    return redirect(url_for("public.show_my_data_sent", token=token), 303)


@blueprint.get("/card/<token>/my-data/sent")
@public
def show_my_data_sent(token: str) -> ResponseReturnValue:
    """Say that a mail is on its way."""
    return render_template("public/my_data_sent.html", card=_card(token))


@blueprint.get("/card/<token>/my-data/<proof>")
@public
def show_proof(token: str, proof: str) -> ResponseReturnValue:
    """Show the button of a mailed link; only pressing it uses the link, since mail scanners open links, too."""
    card = _card(token)
    my_data_proofs.get_pending(token=token, proof=proof, at=now())
    return render_template("public/my_data_proof.html", card=card, proof=proof)


@blueprint.post("/card/<token>/my-data/<proof>")
@public
@_limit
def prove(token: str, proof: str) -> ResponseReturnValue:
    """Use a mailed link: for an hour this browser sees and changes the data."""
    key = request_key({}, caller="my_data")
    proven = my_data_proofs.prove(token=token, proof=proof, key=key, at=now())
    session["my_data"] = str(proven.confirmation_id)
    return _back(token)


@blueprint.post("/card/<token>/my-data/corrections")
@public
@_limit
def correct_my_data(token: str) -> ResponseReturnValue:
    """Save what a customer corrects, or none of it and say why."""
    card, form = _card(token), MyDataForm()
    own = my_data.get_proven(token=token, confirmation_id=_proof(), at=now())
    if form.validate():
        try:
            key = request_key(form.data, caller="my_data")
            details = form.filled(own)
            my_data.correct(token=token, confirmation_id=_proof(), details=details, key=key, at=now())
            flash(gettext("Your data is saved."))
            return _back(token)
        except ValidationError as refusal:
            form.refuse(refusal)
    return _page(card, own, form), 422


@blueprint.post("/card/<token>/my-data/export")
@public
@_limit
def export_my_data(token: str) -> ResponseReturnValue:
    """Hand out all that is known."""
    _card(token)
    key = request_key({}, caller="my_data")
    made = my_data.export(token=token, confirmation_id=_proof(), key=key, say=gettext, at=now())
    file = send_file(BytesIO(made.content), "application/zip", as_attachment=True, download_name=made.file_name)
    file.headers["Cache-Control"] = "no-store"
    return file


@blueprint.get("/card/<token>/my-data/erasure")
@public
def confirm_own_erasure(token: str) -> ResponseReturnValue:
    """Ask whether and when to be forgotten, and say what that means."""
    card = _card(token)
    own = my_data.get_proven(token=token, confirmation_id=_proof(), at=now())
    others = my_data.has_other_cards(own=own)
    return render_template("public/my_data_erasure.html", card=card, own=own, has_other_cards=others)


@blueprint.post("/card/<token>/my-data/erasure")
@public
@_limit
def erase_my_data(token: str) -> ResponseReturnValue:
    """Forget the customer in a week, or at once."""
    when = "now" if request.form.get("when") == "now" else "later"
    key = request_key({"when": when}, caller="my_data")
    if when == "now":
        my_data.erase_now(token=token, confirmation_id=_proof(), key=key, at=now())
        return redirect(url_for("public.show_erased"), 303)
    my_data.erase_later(token=token, confirmation_id=_proof(), key=key, at=now())
    return redirect(url_for("public.show_card", token=token), 303)


@blueprint.get("/my-data/erased")
@public
def show_erased() -> ResponseReturnValue:
    """Say that nothing is left; nobody is known here any more."""
    return render_template("public/my_data_erased.html")


@blueprint.post("/card/<token>/my-data/keep")
@public
@_limit
def keep_my_data(token: str) -> ResponseReturnValue:
    """Call off being forgotten."""
    _card(token)
    my_data.keep(token=token, key=request_key({}, caller="my_data"), at=now())
    flash(gettext("Your card stays. Nothing is deleted."))
    return redirect(url_for("public.show_card", token=token), 303)


def _card(token: str) -> PublicCard:
    card = card_views.get_public(token=token)
    locale.prefer(locale=card.locale, timezone=card.timezone)
    return card


def _proof() -> UUID | None:
    """Return what this browser has proven, from its signed cookie."""
    return find_id(session.get("my_data"))


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for("public.show_my_data", token=token), 303)


def _page(card: PublicCard, own: OwnData, form: MyDataForm) -> str:
    return render_template("public/my_data.html", card=card, own=own, form=form)
