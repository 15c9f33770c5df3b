"""The log of all mails of the platform; shops send theirs again, the platform from the page of failures."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import mail_log
from loyalty.web import mail_words
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.ids import find_id


@blueprint.get("/mails")
@requires(Role.ADMIN)
def list_mails() -> ResponseReturnValue:
    """List what was mailed, newest first; of one state where one is chosen."""
    state = request.args.get("state", "")
    state = state if state in mail_log.STATES else ""
    page = mail_log.list_platform_page(admin=current_admin(), state=state, before=find_id(request.args.get("before")))
    return render_template("admin/mails.html", page=page, state=state, mail_words=mail_words)
