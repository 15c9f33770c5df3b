"""What all forms of the office share: those of settings, with amounts in the shop's own currency."""

from flask_wtf import FlaskForm

from loyalty.domain.settings import SettingError
from loyalty.web.locale import money
from loyalty.web.office.fields import MoneyField
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm


class OfficeForm(SettingsForm):
    """A form whose fields are named as the settings they change."""

    def say(self, field: object, problem: SettingError) -> str:
        """Put into words what is wrong with a field, bounds of amounts as money."""
        if not isinstance(field, MoneyField):
            return super().say(field, problem)
        least, most = (money(problem.details[name], field.currency) for name in ("least", "most"))
        return gettext("Enter an amount from %(least)s to %(most)s.", least=least, most=most)


def as_typed(value: object) -> object:
    """Leave it to the service to judge; the form only keeps what was typed."""
    return value


class KeyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF publishes no types
    """A button: nothing but the token against forgery."""
