"""What somebody sent in vain and would have to type again: it is offered once more.

After the session has ended it travels through the sign-in, sealed.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from flask import current_app, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from loyalty.domain.values import Role
from loyalty.web.access import access_of
from loyalty.web.forms import new_key

_LONGEST = timedelta(hours=12)
_FIELD = "kept"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was sent; files do not travel."""

    action: str
    fields: list[tuple[str, str]]
    had_files: bool


def is_worth_keeping() -> bool:
    """Say whether this request is a form that somebody filled: not the sign-in, which holds a password."""
    if request.method != "POST" or request.endpoint is None:
        return False
    access = access_of(current_app.view_functions[request.endpoint])
    return access is not None and access.role is not None and access.role >= Role.MANAGER


def seal() -> str:
    """Pack this request's form; the seal keeps others from offering somebody a form that they never filled."""
    return _serializer().dumps([request.path, sent().fields, sent().had_files])


def sent() -> Kept:
    """Return this request's form."""
    typed = [(name, text) for name, text in request.form.items(multi=True) if name not in ("csrf_token", _FIELD)]
    return Kept(request.path, typed, any(file.filename for file in request.files.values()))


def packed() -> str:
    """Return the sealed form that came along with this request, as it came."""
    return request.form.get(_FIELD, "")


def unpack() -> Kept | None:
    """Open the sealed form that came along, None where there is none or where it is not ours."""
    try:
        action, typed, had_files = _serializer().loads(packed(), max_age=int(_LONGEST.total_seconds()))
    except BadSignature:
        return None
    return Kept(action, [(name, text) for name, text in typed], had_files)


def offer(kept: Kept) -> str:
    """Ask whether to send it now; nothing is sent by itself, since another person may have signed in."""
    return render_template("office/again.html", kept=kept, key=None)


def offer_anew(kept: Kept, *, template: str) -> str:
    """Ask whether to send, under a key of its own, what somebody typed over what was saved: who went back does."""
    # Everything counts that stands there: what the page showed once is not what is saved now.
    typed = replace(kept, fields=[(name, text) for name, text in kept.fields if name not in ("key", "drawn")])
    return render_template(template, kept=typed, key=new_key())


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["CONFIG"].secret_key, salt="kept form")
