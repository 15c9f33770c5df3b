"""The start page: the way to each surface; with the embedded demo also its sign-ins and the mails it wrote."""

import email
import json
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, abort, current_app, render_template

from loyalty.web.access import public

blueprint = Blueprint("start", __name__)
MOST_MAILS = 10


class KeptMail(NamedTuple):
    """A mail that was kept as a file, as the list shows it."""

    name: str
    recipient: str
    subject: str
    sent_at: datetime | None


@blueprint.get("/")
@public
def show() -> str:
    """Show where everything is."""
    shop = _demo_shop()
    return render_template("start/start.html", shop=shop, mails=_mails() if shop else [])


@blueprint.get("/demo/mail/<name>")
@public
def show_mail(name: str) -> str:
    """Show the text of one mail of the demo."""
    path = _mail_folder() / f"{name}.eml"
    if _demo_shop() is None or not name.replace("-", "").isalnum() or not path.is_file():
        abort(404)
    message = _read(path)
    body = message.get_body(preferencelist=("plain",))
    return render_template(
        "start/mail.html", mail=_listed(path, message), text=body.get_content() if body is not None else ""
    )


def _demo_shop() -> dict[str, str | None] | None:
    """Return the demo's sign-ins; only beside embedded servers, and only where nobody else can reach them."""
    config = current_app.config["CONFIG"]
    path: Path = config.data_dir / "demo.json"
    if not (config.embedded and config.loopback and path.is_file()):
        return None
    shop: dict[str, str | None] = json.loads(path.read_text(encoding="utf-8"))
    # A demo that is still being made has no card yet.
    return shop if shop.get("card_number") else None


def _mail_folder() -> Path:
    folder: Path = current_app.config["CONFIG"].data_dir / "mail"
    return folder


def _mails() -> list[KeptMail]:
    newest = sorted(_mail_folder().glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_listed(path, _read(path)) for path in newest[:MOST_MAILS]]


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=default)


def _listed(path: Path, message: EmailMessage) -> KeptMail:
    date = message["Date"]
    return KeptMail(path.stem, str(message["To"]), str(message["Subject"]), date and parsedate_to_datetime(str(date)))
