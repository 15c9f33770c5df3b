"""Pages with two faces: a partial for htmx, a whole page for everybody else."""

import json
from typing import Any

from flask import Response, make_response, render_template, request


def is_htmx() -> bool:
    """Whether htmx asks, and wants a partial."""
    return request.headers.get("HX-Request") == "true"


def render(page: str, partial: str, *, status: int = 200, feedback: str | None = None, **context: Any) -> Response:
    """Render the partial for htmx or the page that includes it; `feedback` names the sound and vibration.

    The context is whatever the template reads.
    """
    response = make_response(render_template(partial if is_htmx() else page, **context), status)
    response.vary.add("HX-Request")
    if feedback and is_htmx():
        response.headers["HX-Trigger-After-Swap"] = json.dumps({"fb": {"kind": feedback}})
    return response
