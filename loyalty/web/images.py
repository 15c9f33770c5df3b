"""The pictures that shops keep here, for pages, mails and wallets: the address is the sum of the file."""

from flask import Blueprint, Response, request

from loyalty.errors import NotFound
from loyalty.services import images
from loyalty.web.access import public

blueprint = Blueprint("images", __name__)

_ONE_YEAR = 31_536_000


@blueprint.get("/images/<name>.png")
@public
def picture(name: str) -> Response:
    """Answer one picture, which never changes; wallets of other makers fetch it too."""
    content = images.read(name=name)
    if content is None:
        raise NotFound
    response = Response(content, mimetype="image/png")
    response.cache_control.public = True
    response.cache_control.max_age = _ONE_YEAR
    response.cache_control.immutable = True
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(name)
    response.make_conditional(request)
    return response
