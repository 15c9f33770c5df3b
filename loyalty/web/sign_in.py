"""The page that asks who it is: where people begin, and wherever their session has ended meanwhile."""

from flask import render_template
from flask_babel import lazy_gettext
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from loyalty.web.settings_forms import SettingsForm


class SignInForm(SettingsForm):
    """An e-mail address and a password."""

    email = StringField(
        lazy_gettext("E-mail"), [InputRequired(lazy_gettext("Enter your e-mail address.")), Length(max=254)]
    )
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password.")), Length(max=1000)]
    )


def sign_in_page(*, next_page: str = "", form: str = "") -> str:
    """Ask who it is, and come back afterwards to a page or to a form that was sent."""
    return render_template("office/sign_in.html", form=SignInForm(formdata=None), next=next_page, kept=form)
