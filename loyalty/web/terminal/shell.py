"""What the tablet keeps for a start without a connection: service worker, offline page, manifest."""

import json
from collections.abc import Callable
from typing import cast

from flask import Response, current_app, jsonify, make_response, render_template, url_for

from loyalty.web.access import public, terminal_session
from loyalty.web.sentences import gettext
from loyalty.web.terminal.blueprint import blueprint

_FILES = ("app.css", "icons/icon.svg", "terminal/offline.js", "vendor/htmx/htmx.min.js", "terminal.js")
_MODULES = ("camera", "feedback", "focus", "lock", "network", "pads", "page", "points", "wedge")


@blueprint.get("/sw.js")
@public
def worker() -> Response:
    """Serve the service worker from inside its scope, with the files of this release."""
    files = [_asset(name) for name in (*_FILES, *(f"terminal/{module}.js" for module in _MODULES))]
    shell = {"version": files[0], "offline": url_for("terminal.offline"), "files": files}
    script = f"self.shell = {json.dumps(shell)};\nimportScripts({json.dumps(_asset('sw.js'))});\n"
    response = make_response(script)
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = url_for("terminal.index")
    return response


@blueprint.get("/offline")
@public
def offline() -> str:
    """The page that stands in while there is no connection; it holds nobody's data."""
    return render_template("terminal/offline.html")


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """Describe the till to the tablet's home screen, under the name of its store."""
    session = terminal_session()
    name = session.store_name if session else gettext("Till")
    response = jsonify(
        id=url_for("terminal.index"),
        name=name,
        short_name=name[:12],
        start_url=url_for("terminal.index"),
        scope=url_for("terminal.index"),
        display="standalone",
        background_color="#F6F7F8",
        theme_color="#14181D",
        icons=[
            {"src": _asset("icons/icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": _asset("icons/icon-512.png"), "sizes": "512x512", "type": "image/png"},
            {"src": _asset("icons/icon-maskable.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    )
    response.mimetype = "application/manifest+json"
    return response


def _asset(name: str) -> str:
    return cast(Callable[[str], str], current_app.jinja_env.globals["asset"])(name)
