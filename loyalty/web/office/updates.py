"""How far a change of the program has come on its way into the phones."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import failures
from loyalty.web.access import current_actor, requires
from loyalty.web.htmx import is_htmx
from loyalty.web.office.blueprint import blueprint


@blueprint.get("/program/updates")
@requires(Role.MANAGER)
def updates() -> ResponseReturnValue:
    """Count the passes that are still to be updated; only the page of the program asks."""
    if not is_htmx():
        return redirect(url_for("office.program"), 303)
    return render_template("office/_updates.html", to_go=failures.waiting_updates(vendor_id=current_actor().vendor_id))
