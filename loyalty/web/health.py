"""For whoever watches the installation: is the process alive, and can it serve?"""

import logging
from datetime import datetime

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from flask.blueprints import BlueprintSetupState

from loyalty.services import health
from loyalty.services.health import Check, Installation
from loyalty.web.access import public
from loyalty.web.locale import moment, number
from loyalty.web.sentences import gettext

blueprint = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@blueprint.record
def _read_versions(state: BlueprintSetupState) -> None:
    directory = state.app.extensions["migrate"].directory
    versions = tuple(script.revision for script in ScriptDirectory(directory).walk_revisions())
    state.app.config["MIGRATIONS"] = versions


def installation() -> Installation:
    """Return what the configuration says about this installation, for those who look at all of it."""
    config = current_app.config["CONFIG"]
    return Installation(
        data_dir=config.data_dir,
        versions=current_app.config["MIGRATIONS"],
        has_mail=config.mail_url is not None,
        has_apple=config.apple is not None,
        has_google=config.google is not None,
    )


def value_of(check: Check) -> str:
    """Say what a check found, its numbers and times written for the reader."""
    return gettext(check.value, **{name: _written(value) for name, value in check.details.items()})


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """Answer without asking anybody: the process lives."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """Ask the database, and say which part is missing."""
    try:
        state = health.readiness(versions=current_app.config["MIGRATIONS"])
    except Exception:
        # Whatever it is: a balancer needs the answer, the log the reason.
        log.exception("not ready")
        return jsonify(status="not ready", database=False), 503
    said = {"database": True, "migrations": state.migrations, "queue_age_seconds": state.queue_age_seconds}
    return jsonify(status="ready" if state.ready else "not ready", **said), 200 if state.ready else 503


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return number(value) if isinstance(value, int) else str(value)
