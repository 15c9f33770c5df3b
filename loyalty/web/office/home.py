"""The first page of the office: what is set up, and what comes next; once all is, how the shop does."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from loyalty.domain.values import Actor, Role
from loyalty.services import programs, setup, stats, stats_periods, transaction_table, webhooks
from loyalty.web import trend
from loyalty.web.access import current_actor, now, requires
from loyalty.web.office.blueprint import blueprint

LINES = 10


@blueprint.get("", strict_slashes=False)
@requires(Role.MANAGER)
def home() -> ResponseReturnValue:
    """Show the checklist or the last days, and the code with which customers join, for printing."""
    actor = current_actor()
    facts = setup.get(actor=actor)
    address = f"{current_app.config['CONFIG'].public_url}/join/{facts.vendor_code}"
    content = programs.preview(actor=actor, changes={})
    stopped = webhooks.list_stopped(actor=actor)
    return render_template(
        "office/home.html",
        setup=facts,
        address=address,
        content=content,
        stopped=stopped,
        certificate_end=setup.find_certificate_end(at=now()),
        at=now(),
        drawn=_draw(actor) if facts.launched else None,
        lines=transaction_table.list_latest(actor=actor, most=LINES) if facts.launched else [],
    )


def _draw(actor: Actor) -> trend.Trend:
    return trend.draw(stats.overview(actor=actor, period=stats_periods.choose(actor=actor, at=now())))
