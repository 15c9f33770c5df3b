"""The vendors of the platform."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import platform
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint


@blueprint.get("/vendors")
@requires(Role.ADMIN)
def list_vendors() -> ResponseReturnValue:
    """List the vendors by name, with what is going on at each."""
    after = request.args.get("after", "")[:200]
    page = platform.list_vendors(admin=current_admin(), after=after, at=now())
    return render_template("admin/vendors.html", page=page, most_cards=platform.MOST_CARDS)
