"""The style sheet with a vendor's colours: a generated file, because pages carry no inline styles."""

from flask import Blueprint, Response, abort, request

from loyalty.domain.colours import contrast, fg, normalise_colour
from loyalty.web.access import public

blueprint = Blueprint("theme", __name__)

_PAGES = ("#F6F7F8", "#0F1216")  # --bg of app.css, light and dark
_ONE_DAY = 86_400


@blueprint.get("/theme.css")
@public
def sheet() -> Response:
    """Answer the colours of one card, or of a poster; the address holds nothing but validated hexadecimal digits."""
    try:
        card = normalise_colour(request.args.get("c", ""))
        second = normalise_colour(request.args.get("s") or card)
    except ValueError:
        abort(404)
    response = Response(_rules(card, second), mimetype="text/css")
    response.cache_control.public = True
    response.cache_control.max_age = _ONE_DAY
    return response


def _rules(card: str, second: str) -> str:
    # A card that nearly has the colour of the page gets an edge.
    faint = min(contrast(card, page) for page in _PAGES) < 1.5
    edge = "--edge:var(--line-strong);" if faint else ""
    return f".pass,.sheet{{--pbg:{card};--fg:{fg(card)};--band:{second};{edge}}}\n"
