"""The first page of the office: what is set up, and what comes next."""

from flask import render_template
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import setup
from loyalty.web.access import current_actor, requires
from loyalty.web.office.blueprint import blueprint


@blueprint.get("", strict_slashes=False)
@requires(Role.MANAGER)
def home() -> ResponseReturnValue:
    """Show the checklist."""
    return render_template("office/home.html", setup=setup.get(actor=current_actor()))
