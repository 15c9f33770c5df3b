"""The form of the join page: one field, and those that the shop switched on; and what it shares with others."""

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, EmailField, StringField, TelField
from wtforms.validators import Optional

from loyalty.domain.values import RequestKey
from loyalty.errors import ValidationError
from loyalty.services.enrolment import JoinForm
from loyalty.services.vendors import PublicVendor
from loyalty.web.forms import request_key


class PersonForm(FlaskForm):  # type: ignore[misc] # WTForms publishes no types
    """What forms share in which customers tell of themselves: how a birthday is read, and where a refusal stands."""

    def validate(self, extra_validators: object = None) -> bool:
        """Check the shape of the fields; an empty birthday is no mistake."""
        valid = bool(super().validate(extra_validators))
        if "birth_date" in self and self.birth_date.errors:
            self.birth_date.errors = [gettext("Enter your day of birth, like 24/03/1990.")]
        return valid

    def refuse(self, refusal: ValidationError) -> None:
        """Put each sentence beside its field, and the others above all fields."""
        for name, sentence in refusal.errors.items():
            if name in self:
                self[name].errors = [*self[name].errors, gettext(sentence)]
            else:
                self.form_errors.append(gettext(sentence))


class JoinPage(PersonForm):
    """What is typed to join; the service checks it, and its sentences land beside the fields."""

    email = EmailField(lazy_gettext("Your e-mail address"))
    phone = TelField(lazy_gettext("Your mobile number"))
    name = StringField(lazy_gettext("Your name"))
    birth_date = DateField(lazy_gettext("Your birthday"), validators=[Optional()])
    marketing_consent = BooleanField()

    def __init__(self, vendor: PublicVendor) -> None:
        super().__init__()
        self.marketing_consent.label.text = gettext("Send me news and offers of %(shop)s", shop=vendor.name)
        asked = {
            "phone": vendor.contact_field == "phone",
            "name": vendor.ask_name,
            "birth_date": vendor.ask_birthday,
            "marketing_consent": vendor.ask_marketing,
        }
        for name in (name for name, wanted in asked.items() if not wanted):
            del self[name]

    def filled(self) -> JoinForm:
        """Return what was typed."""
        return JoinForm(
            email=self.email.data or "",
            phone=self.phone.data or "" if "phone" in self else "",
            name=self.name.data or "" if "name" in self else "",
            birth_date=self.birth_date.data if "birth_date" in self else None,
            marketing_consent=self.marketing_consent.data if "marketing_consent" in self else False,
        )

    def request_key(self, store_code: str) -> RequestKey:
        """Return the key of the form; the service names its caller."""
        return request_key({**self.data, "store": store_code}, caller="join")
