"""The API's description: for programs as OpenAPI, for people as a page."""

import json

from flask import Response, current_app, render_template

from loyalty.web.access import public
from loyalty.web.api.blueprint import blueprint
from loyalty.web.api.reference import chapters
from loyalty.web.api.spec import SCOPES, build
from loyalty.web.limits import address_source, limit


@blueprint.get("/openapi.json")
@public
@limit("60 per minute", key_func=address_source)
def openapi() -> Response:
    """Describe the API for programs."""
    # As written: sorted by name, nobody could read it.
    return Response(json.dumps(build(_server()), ensure_ascii=False), content_type="application/json")


@blueprint.get("/docs")
@public
@limit("60 per minute", key_func=address_source)
def docs() -> str:
    """Describe the API for people."""
    spec = build(_server())
    return render_template("api/docs.html", spec=spec, chapters=chapters(spec), scopes=SCOPES)


def _server() -> str:
    return str(current_app.config["CONFIG"].public_url).rstrip("/")
