"""Reading a request: body, query and idempotency key, each refused with a sentence beside the field."""

import re
from typing import TypeVar

import pydantic
from flask import request

from loyalty.domain.values import RequestKey
from loyalty.errors import N_, LoyaltyError, ValidationError
from loyalty.web.api.schemas import Body, Query
from loyalty.web.errors import MalformedRequest, UnsupportedMediaType
from loyalty.web.forms import request_hash
from loyalty.web.sentences import gettext

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

KEY_HEADER = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{16,128}$"

# What is sent under a name that nobody knows is not sent back in full.
_LONGEST_NAME = 64

# Kinds of pydantic's refusals; what is not listed is just not valid.
SENTENCES = {
    "missing": N_("This field is required."),
    "extra_forbidden": N_("There is no such field here."),
    "string_too_short": N_("Enter at least %(min_length)s characters."),
    "string_too_long": N_("Enter at most %(max_length)s characters."),
    "string_type": N_("Send a text here."),
    "string_pattern_mismatch": N_("This text has characters that cannot be used here."),
    "int_type": N_("Send a whole number here."),
    "int_parsing": N_("Send a whole number here."),
    "int_from_float": N_("Send a whole number here."),
    "float_type": N_("Send a number here."),
    "bool_type": N_("Send true or false here."),
    "greater_than_equal": N_("Enter a number of at least %(ge)s."),
    "less_than_equal": N_("Enter a number of at most %(le)s."),
    "greater_than": N_("Enter a number above %(gt)s."),
    "less_than": N_("Enter a number below %(lt)s."),
    "uuid_type": N_("Send an id here, as another answer gave it."),
    "uuid_parsing": N_("Send an id here, as another answer gave it."),
    "literal_error": N_("Choose one of: %(expected)s."),
    "enum": N_("Choose one of: %(expected)s."),
}
NOT_VALID = N_("This is not valid.")


def read_body(model: type[B] | None) -> B | None:
    """Read the JSON of this request; an operation without fields takes no body, or an empty object."""
    raw = request.get_data()
    if model is None and not raw:
        return None
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        read = (model or Body).model_validate_json(raw)
    except pydantic.ValidationError as error:
        raise _refusal(error) from error
    return read if model and isinstance(read, model) else None


def read_query(model: type[Q]) -> Q:
    """Read what stands behind the question mark; nothing stands there twice."""
    try:
        return model.model_validate({name: values[-1] for name, values in request.args.lists()})
    except pydantic.ValidationError as error:
        raise _refusal(error) from error


def read_key(body: Body | None, caller: str) -> RequestKey:
    """Read the idempotency key, together with a hash of what is asked under it."""
    key = request.headers.get(KEY_HEADER, "")
    if not re.fullmatch(KEY_PATTERN, key, re.ASCII):
        raise ValidationError({KEY_HEADER: N_("Send this header with 16 to 128 printable characters.")})
    # A change of some fields alone says by what it names which ones it means.
    asked = body.model_dump(mode="json", exclude_unset=request.method == "PATCH") if body else {}
    return RequestKey(caller, key, request_hash(asked))


def _refusal(error: pydantic.ValidationError) -> LoyaltyError:
    found = error.errors(include_url=False, include_input=False)
    if any(each["type"] == "json_invalid" for each in found):
        return MalformedRequest()
    errors: dict[str, str] = {}
    for each in found:
        sentence = SENTENCES.get(each["type"]) or _own(each["type"], each["msg"])
        field = ".".join(str(part) for part in each["loc"]) or str(each.get("ctx", {}).get("field", "body"))
        errors.setdefault(field[:_LONGEST_NAME], gettext(sentence, **each.get("ctx", {})))
    return ValidationError(errors)


def _own(kind: str, message: str) -> str:
    """Return the sentence of a refusal that one of our models wrote, else one that fits all."""
    return message if kind == "own" else NOT_VALID
