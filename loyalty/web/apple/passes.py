"""The pass itself: for the page that offers it, and for phones that hold an older one."""

from flask import Response, request

from loyalty.services import passes
from loyalty.web.access import public
from loyalty.web.apple.answers import bare, pass_token
from loyalty.web.apple.blueprint import SERVICE, blueprint
from loyalty.web.limits import address_source, limit

_MEDIA_TYPE = "application/vnd.apple.pkpass"


@blueprint.get("/passes/apple/<serial>.pkpass")
@public
@limit("120 per minute", key_func=address_source)
def download(serial: str) -> Response:
    """Hand out a pass to whoever has the address from the card's page."""
    made = passes.download(serial=serial, token=request.args.get("token", "").encode("utf-8", "replace"))
    response = Response(made, content_type=_MEDIA_TYPE)
    response.headers["Content-Disposition"] = "attachment; filename=card.pkpass"
    return response


@blueprint.get(f"{SERVICE}/passes/<pass_type>/<serial>", strict_slashes=False)
@public
@limit("600 per minute", key_func=address_source)
def update(pass_type: str, serial: str) -> Response:
    """Hand out the present pass to a phone, or 304 where the phone has it."""
    served = passes.get_pass(pass_type=pass_type, serial=serial, token=pass_token(), since=request.if_modified_since)
    response = bare(304) if served.pkpass is None else Response(served.pkpass, content_type=_MEDIA_TYPE)
    response.last_modified = served.last_modified
    if served.pkpass is not None and request.method == "GET":
        passes.note_fetched(serial=serial, served=served)
    return response
