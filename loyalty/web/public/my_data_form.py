"""The form with which customers correct what a shop knows about them."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from loyalty.services.my_data import Corrections, OwnData
from loyalty.web.locale import LANGUAGES
from loyalty.web.public.forms import PersonForm


class MyDataForm(PersonForm):
    """What may be corrected; addresses only at the counter, where they can be proven."""

    name = StringField(lazy_gettext("Your name"))
    birth_date = DateField(lazy_gettext("Your birthday"), validators=[Optional()])
    locale = SelectField(
        lazy_gettext("Language of your card and mails"),
        choices=[SelectChoice(*language) for language in LANGUAGES.items()],
        validate_choice=False,
    )
    marketing_consent = BooleanField(lazy_gettext("The shop may send me news and offers"))
    accept_terms = BooleanField(lazy_gettext("I accept the terms as they are now"))

    @classmethod
    def of(cls, own: OwnData) -> "MyDataForm":
        """Fill the form with what is kept."""
        return cls(formdata=None, obj=own)

    def filled(self, own: OwnData) -> Corrections:
        """Return what was typed."""
        return Corrections(
            name=self.name.data or "",
            birth_date=self.birth_date.data,
            locale=self.locale.data or "",
            marketing_consent=self.marketing_consent.data,
            accept_terms=self.accept_terms.data and own.terms_changed,
        )
