"""Ending the program: announcing its last day, calling that off, and taking everything along."""

from datetime import date
from typing import cast

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from loyalty.domain.values import Role
from loyalty.errors import ProgramInactive, ValidationError
from loyalty.services import archives, closing
from loyalty.web.access import current_actor, now, requires
from loyalty.web.errors import sentence_of
from loyalty.web.fields import DayField
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class LastDayForm(OfficeForm):
    """Until when rewards can be redeemed."""

    last_day = DayField(_l("Last day for redeeming"))


@blueprint.get("/program/closing", endpoint="closing")
@requires(Role.OWNER)
def show_closing() -> ResponseReturnValue:
    """Say what ending the program means, or how far it is."""
    outlook = closing.look(actor=current_actor(), at=now())
    return render_template(
        "office/closing.html", form=LastDayForm(formdata=None, last_day=outlook.usual), outlook=outlook
    )


@blueprint.post("/program/closing")
@requires(Role.OWNER)
@limit("20 per minute")
def announce_closing() -> ResponseReturnValue:
    """Announce the last day."""
    form = LastDayForm()
    if form.validate():
        try:
            last_day = cast(date, form.last_day.data)
            closing.announce(
                actor=current_actor(), last_day=last_day, key=request_key({"last_day": last_day}), at=now()
            )
            flash(gettext("The end is announced. Customers with an e-mail address get a mail, and every pass says it."))
            return redirect(url_for("office.closing"), 303)
        except ValidationError as refusal:
            form.take(refusal)
        except ProgramInactive as refusal:
            form.form_errors.append(sentence_of(refusal))
    outlook = closing.look(actor=current_actor(), at=now())
    return render_template("office/closing.html", form=form, outlook=outlook), 422


@blueprint.get("/program/closing/call-off")
@requires(Role.OWNER)
def confirm_calling_off() -> ResponseReturnValue:
    """Ask whether the program goes on after all."""
    return confirm_page(
        title=gettext("Let the program go on"),
        text=gettext("Customers collect and join again at once. Tell those who got the mail about the end."),
        button=gettext("Let it go on"),
        back=url_for("office.closing"),
    )


@blueprint.post("/program/closing/call-off")
@requires(Role.OWNER)
def call_closing_off() -> ResponseReturnValue:
    """Let the program go on."""
    closing.call_off(actor=current_actor(), key=request_key({}))
    if closing.look(actor=current_actor(), at=now()).is_active:
        flash(gettext("The program goes on."))
    else:
        flash(gettext("The end is called off. It is paused still: open the program when you are ready."))
    return redirect(url_for("office.closing"), 303)


@blueprint.get("/archive.zip")
@requires(Role.OWNER)
@limit("10 per hour")
def download_archive() -> ResponseReturnValue:
    """Hand out everything of the shop as one file."""
    at = now()
    file = archives.make(actor=current_actor(), say=gettext, at=at)
    name = f"archive-{at.date().isoformat()}.zip"
    answer = send_file(file, "application/zip", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
