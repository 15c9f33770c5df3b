"""Headers of every answer: content security policy, caching, framing, transport."""

from flask import Flask, Response, g, request

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "media-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
# The QR reader of the terminal is WebAssembly.
TERMINAL_POLICY = {**POLICY, "script-src": "'self' 'wasm-unsafe-eval'"}
FEATURES = "geolocation=(), microphone=(), payment=(), usb=()"


def init(app: Flask) -> None:
    """Put the headers on every answer."""
    https = app.config["CONFIG"].https

    @app.after_request
    def add_headers(response: Response) -> Response:
        at_till = request.blueprint == "terminal"
        headers = response.headers
        # A view that answers no page may be stricter, or open to other sites.
        headers.setdefault("Content-Security-Policy", _join(TERMINAL_POLICY if at_till else POLICY))
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers["Permissions-Policy"] = f"camera={'(self)' if at_till else '()'}, {FEATURES}"
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-Id"] = g.get("request_id", "")
        if https:
            headers["Strict-Transport-Security"] = "max-age=63072000"
        return response


def show_inside() -> dict[str, str]:
    """Return the headers of a page that holds a frame of this site."""
    return {"Content-Security-Policy": _join({**POLICY, "frame-src": "'self'"})}


def shown_inside() -> dict[str, str]:
    """Return the headers of what stands in such a frame: it may look as it likes and do nothing."""
    policy = {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "",
    }
    return {"Content-Security-Policy": _join(policy), "X-Frame-Options": "SAMEORIGIN"}


def _join(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in policy.items())
