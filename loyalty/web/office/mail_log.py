"""The log of a shop's mails, and sending again what was not delivered."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import mail_log
from loyalty.web import mail_words
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.ids import find_id
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.confirm import confirm_page
from loyalty.web.sentences import gettext


@blueprint.get("/mails/log")
@requires(Role.MANAGER)
def list_mails() -> ResponseReturnValue:
    """List what was mailed, newest first; of one state where one is chosen."""
    state = request.args.get("state", "")
    state = state if state in mail_log.STATES else ""
    page = mail_log.list_page(actor=current_actor(), state=state, before=find_id(request.args.get("before")))
    return render_template("office/mail_log.html", page=page, state=state, mail_words=mail_words)


@blueprint.post("/mails/log/<uuid:mail_id>/resend")
@requires(Role.MANAGER)
def resend_mail(mail_id: UUID) -> ResponseReturnValue:
    """Send again what certainly did not arrive."""
    try:
        done = mail_log.resend(actor=current_actor(), mail_id=mail_id, sure=False, key=request_key({}))
    except ValidationError as refusal:
        if "sure" not in refusal.errors:
            raise
        return redirect(url_for("office.confirm_mail_again", mail_id=mail_id), 303)
    return _done(leaves=done.leaves)


@blueprint.get("/mails/log/<uuid:mail_id>/again")
@requires(Role.MANAGER)
def confirm_mail_again(mail_id: UUID) -> ResponseReturnValue:
    """Ask whether to send what may have arrived."""
    mail = mail_log.get(actor=current_actor(), mail_id=mail_id)
    return confirm_page(
        title=gettext("Send the mail “%(kind)s” again?", kind=mail_words.kind_words(mail.kind)),
        text=gettext("Nobody knows whether this mail has arrived. If it has, its reader gets it twice."),
        button=gettext("Send it again"),
        back=url_for("office.list_mails"),
    )


@blueprint.post("/mails/log/<uuid:mail_id>/again")
@requires(Role.MANAGER)
def send_mail_again(mail_id: UUID) -> ResponseReturnValue:
    """Send again what may have arrived."""
    done = mail_log.resend(actor=current_actor(), mail_id=mail_id, sure=True, key=request_key({}))
    return _done(leaves=done.leaves)


def _done(*, leaves: bool) -> ResponseReturnValue:
    said = gettext("The mail is sent again.") if leaves else gettext("There is nothing to send again.")
    flash(said)
    return redirect(url_for("office.list_mails"), 303)
