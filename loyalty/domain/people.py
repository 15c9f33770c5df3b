"""Names and addresses of people, in the one form that is stored and compared."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from loyalty.errors import N_

# People work across these borders; a number typed without its prefix is tried for each of them in turn.
NEIGHBOURS = ("LU", "FR", "DE", "BE")

_LONGEST_ADDRESS = 254


class AddressError(ValueError):
    """An address that cannot be used; `sentence` is a message id."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def normalise_email(text: str) -> str:
    """Return the e-mail address trimmed, in lower case, its domain in ASCII."""
    typed = text.strip()
    if not typed or len(typed) > _LONGEST_ADDRESS:
        raise AddressError(N_("Enter an e-mail address, such as cleo@example.org."))
    try:
        found = validate_email(typed, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as refusal:
        raise AddressError(N_("Enter an e-mail address, such as cleo@example.org.")) from refusal
    # The ASCII form of a domain with accents: every mail server takes it.
    return (found.ascii_email or found.normalized).lower()


def normalise_phone(text: str, country: str) -> str:
    """Return the phone number as E.164; without a prefix it is read as one of the country, then of its neighbours."""
    for region in dict.fromkeys((country.upper(), *NEIGHBOURS)):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise AddressError(N_("Enter a phone number, such as +352 621 123 456."))


def masked_name(name: str) -> str:
    """Return enough of a name to be recognised by its owner: "Cleo Martin" becomes "Cleo M."."""
    words = name.split()
    if len(words) < 2:
        return " ".join(words)
    return f"{words[0]} {words[-1][0]}."


def masked_email(email: str) -> str:
    """Return enough of an address to be recognised by its owner: "cleo@example.org" becomes "c…@example.org"."""
    mailbox, _, domain = email.rpartition("@")
    return f"{mailbox[:1]}…@{domain}"
