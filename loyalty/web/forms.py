"""What every form carries: a CSRF token, and the key that makes two taps one."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest

from loyalty.domain.values import RequestKey
from loyalty.errors import N_, Forbidden, ValidationError
from loyalty.web.access import current_actor

csrf = CSRFProtect()
IGNORED = frozenset({"key", "csrf_token", "staff_pin", "submit"})


def init(app: Flask) -> None:
    """Check the CSRF token of every POST, where it came from, and that its text can be stored."""
    csrf.init_app(app)
    app.jinja_env.globals["new_key"] = new_key
    app.before_request(_refuse_foreign_posts)
    app.before_request(_refuse_unstorable_text)


def new_key() -> str:
    """Make an idempotency key for a form that is being drawn."""
    return secrets.token_urlsafe(24)


def request_key(fields: Mapping[str, object], caller: str | None = None) -> RequestKey:
    """Read the key of the form that was sent; `fields` are its validated values, `caller` the actor unless given."""
    key = request.form.get("key", "")
    if not 16 <= len(key) <= 128:
        raise ValidationError({"key": N_("This page is too old. Load it again.")})
    return RequestKey(caller or current_actor().caller, key, request_hash(fields))


def request_hash(fields: Mapping[str, object]) -> str:
    """Return the HMAC over method, path and validated fields: two equal ones ask for the same thing."""
    asked = {name: _plain(value) for name, value in sorted(fields.items()) if name not in IGNORED}
    message = json.dumps([request.method, request.path, asked], ensure_ascii=False, separators=(",", ":"))
    secret = hmac.digest(current_app.config["CONFIG"].secret_key.encode(), b"request hash", "sha256")
    return hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID | date | datetime) else value


def _refuse_foreign_posts() -> None:
    """Refuse what another site's page sends, whatever token it carries; the API reads no cookie it could ride on."""
    if not request.path.startswith("/api/") and request.method in ("POST", "PUT", "PATCH", "DELETE"):
        site = request.headers.get("Sec-Fetch-Site")
        if site not in (None, "same-origin", "none"):
            raise Forbidden


def _refuse_unstorable_text() -> None:
    """Refuse NUL, which no text column of PostgreSQL can hold."""
    values = [request.path, *request.args.values()]
    if request.method not in ("GET", "HEAD"):
        # Kept, because reading a form uses the body up, and programs send JSON under all names.
        request.get_data()
        values.extend(request.form.values())
    if any("\x00" in value for value in values):
        raise BadRequest
