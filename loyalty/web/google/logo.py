"""The logo of shops that have none: Google wants one of every program, and fetches it here."""

from flask import Response, make_response, send_from_directory

from loyalty.services.google_content import LOGO_PATH
from loyalty.web.access import public
from loyalty.web.assets import ROOT
from loyalty.web.google.blueprint import blueprint


@blueprint.get(LOGO_PATH)
@public
def show_logo() -> Response:
    """Answer the picture under an address that stays the same in every release."""
    response = make_response(send_from_directory(ROOT / "icons", "google-logo.png", mimetype="image/png"))
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
