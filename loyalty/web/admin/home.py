"""The first page of the platform: a few numbers, each a way to what is behind it."""

from flask import render_template
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Role
from loyalty.services import platform, stats_platform
from loyalty.web import trend
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint


@blueprint.get("", strict_slashes=False)
@requires(Role.ADMIN)
def home() -> ResponseReturnValue:
    """Show how the platform does."""
    admin, at = current_admin(), now()
    drawn = trend.draw(stats_platform.overview(admin=admin, at=at))
    return render_template("admin/home.html", facts=platform.get_overview(admin=admin, at=at), drawn=drawn)
