"""What a person types to join, and what of it is kept."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from loyalty.domain import lines
from loyalty.domain.bounds import NAME_LENGTH
from loyalty.domain.people import AddressError, normalise_email, normalise_phone
from loyalty.errors import N_, ValidationError

_OLDEST: Final = 130


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinForm:
    """The form as it was filled in; empty fields are ''."""

    email: str = ""
    phone: str = ""
    name: str = ""
    birth_date: date | None = None
    marketing_consent: bool = False
    accept_terms: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """What a shop asks: which address, who must be reachable by mail, and which of the optional fields."""

    contact_field: str
    country: str
    ask_name: bool = False
    ask_birthday: bool = False
    ask_marketing: bool = False
    contact_required: bool = True
    email_required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """A checked form: addresses in their stored form, None for what was left empty or is not asked."""

    email: str | None
    phone: str | None
    name: str | None
    birth_date: date | None
    marketing_consent: bool


def check(form: JoinForm, questions: Questions, today: date) -> Applicant:
    """Return what is kept of a form, or raise a ValidationError that names every wrong field."""
    errors: dict[str, str] = {}
    email = _email(form, questions, errors)
    phone = _phone(form, questions, errors)
    name = _name(form.name, errors) if questions.ask_name else None
    birth_date = _birth_date(form.birth_date, today, errors) if questions.ask_birthday else None
    if not form.accept_terms:
        errors["accept_terms"] = N_("The card comes with the terms: accept them to join.")
    if errors:
        raise ValidationError(errors)
    return Applicant(
        email=email,
        phone=phone,
        name=name,
        birth_date=birth_date,
        marketing_consent=questions.ask_marketing and form.marketing_consent,
    )


def _email(form: JoinForm, questions: Questions, errors: dict[str, str]) -> str | None:
    required = questions.email_required or (questions.contact_required and questions.contact_field == "email")
    if not form.email.strip():
        if required:
            errors["email"] = N_("Enter your e-mail address.")
        return None
    try:
        return normalise_email(form.email)
    except AddressError as refusal:
        errors["email"] = refusal.sentence
        return None


def _phone(form: JoinForm, questions: Questions, errors: dict[str, str]) -> str | None:
    if not form.phone.strip():
        if questions.contact_required and questions.contact_field == "phone":
            errors["phone"] = N_("Enter your mobile number.")
        return None
    try:
        return normalise_phone(form.phone, questions.country)
    except AddressError as refusal:
        errors["phone"] = refusal.sentence
        return None


def _name(text: str, errors: dict[str, str]) -> str | None:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    # Neither control characters nor marks that turn the direction of the text around them.
    if len(name) > NAME_LENGTH or not lines.is_name(name):
        errors["name"] = N_("Enter a shorter name, in letters only.")
    return name if lines.is_visible(name) else None


def _birth_date(birth_date: date | None, today: date, errors: dict[str, str]) -> date | None:
    if birth_date and (birth_date > today or birth_date.year <= today.year - _OLDEST):
        errors["birth_date"] = N_("Enter your day of birth, like 24/03/1990.")
    return birth_date
