"""How this tablet behaves, trying its sounds and its scanner, and parting with it."""

from typing import Final

from flask import Response, current_app, make_response, redirect, request, url_for
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import BooleanField, RadioField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import terminals
from loyalty.web.access import requires, terminal_session
from loyalty.web.forms import new_key, request_key
from loyalty.web.sentences import gettext
from loyalty.web.terminal.approvals import approved_actor
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.stage import THEME_COOKIE, forget_session, show, theme

SAMPLE: Final = "BCDEFGHJKNPRSTVX"
_ONE_YEAR: Final = 31_536_000


class SettingsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF publishes no types
    """The settings that a tablet has of its own."""

    lock_minutes = RadioField(
        lazy_gettext("Locks by itself after"),
        choices=[
            SelectChoice(str(minutes), lazy_gettext("%(minutes)s min", minutes=minutes))
            for minutes in terminals.LOCK_MINUTES
        ],
    )
    sound = BooleanField(lazy_gettext("Sounds"))
    left_handed = BooleanField(lazy_gettext("Left-handed: buttons on the left"))
    theme = RadioField(
        lazy_gettext("Brightness"),
        choices=[
            SelectChoice("auto", lazy_gettext("Like the device")),
            SelectChoice("light", lazy_gettext("Light")),
            SelectChoice("dark", lazy_gettext("Dark")),
        ],
    )


@blueprint.get("/settings")
@requires(Role.STAFF)
def settings() -> Response:
    """Show the settings of this tablet."""
    return _show(SettingsForm(formdata=None, data=_present()))


@blueprint.post("/settings")
@requires(Role.STAFF)
def save_settings() -> WerkzeugResponse:
    """Change the settings; how soon it locks is a manager's to say."""
    form = SettingsForm()
    if not form.validate():
        return _show(form, status=422)
    minutes, left_handed, sound = int(form.lock_minutes.data), bool(form.left_handed.data), bool(form.sound.data)
    key = request_key({"lock_minutes": minutes, "left_handed": left_handed, "sound": sound})
    try:
        terminals.change_settings(
            actor=approved_actor(), lock_minutes=minutes, left_handed=left_handed, sound=sound, key=key
        )
    except ValidationError as refusal:
        form.lock_minutes.errors = [gettext(sentence) for sentence in refusal.errors.values()]
        return _show(form, status=422)
    response = make_response(redirect(url_for("terminal.settings"), 303))
    https = current_app.config["CONFIG"].https
    response.set_cookie(
        THEME_COOKIE, form.theme.data, max_age=_ONE_YEAR, secure=https, httponly=True, samesite="Strict"
    )
    return response


@blueprint.post("/unpair")
@requires(Role.STAFF)
def unpair() -> WerkzeugResponse:
    """Part with this tablet for good; a manager has to say so."""
    terminals.unpair(actor=approved_actor(), key=request_key({}))
    forget_session()
    response = make_response(redirect(url_for("terminal.index"), 303))
    response.delete_cookie(current_app.config["TERMINAL_COOKIE_NAME"])
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _present() -> dict[str, object]:
    session = terminal_session()
    if session is None:
        return {}
    return {
        "lock_minutes": str(session.lock_minutes),
        "sound": session.sound,
        "left_handed": session.left_handed,
        "theme": theme(),
    }


def _show(form: SettingsForm, status: int = 200) -> Response:
    return show(
        "settings",
        title=gettext("Settings of this tablet"),
        status=status,
        form=form,
        sample=SAMPLE,
        settings_key=request.form.get("key") or new_key(),
        unpair_key=new_key(),
    )
