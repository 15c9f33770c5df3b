"""The first page of the office: what is set up, and what comes next."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import programs, setup, webhooks
from loyalty.web.access import current_actor, requires
from loyalty.web.office.blueprint import blueprint


@blueprint.get("", strict_slashes=False)
@requires(Role.MANAGER)
def home() -> ResponseReturnValue:
    """Show the checklist, and the code with which customers join, for printing."""
    actor = current_actor()
    facts = setup.get(actor=actor)
    address = f"{current_app.config['CONFIG'].public_url}/join/{facts.vendor_code}"
    content = programs.preview(actor=actor, changes={})
    stopped = webhooks.list_stopped(actor=actor)
    return render_template("office/home.html", setup=facts, address=address, content=content, stopped=stopped)
