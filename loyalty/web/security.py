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
    ours, tills = _ours(POLICY, "()", https=https), _ours(TERMINAL_POLICY, "(self)", https=https)

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        said = {name.lower() for name, _ in headers}
        for name, value in tills if request.blueprint == "terminal" else ours:
            # A view that answers no page may be stricter, or open to other sites.
            if name.lower() not in said:
                headers.add(name, value)
        headers["X-Request-Id"] = g.get("request_id", "")
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


def _ours(policy: dict[str, str], camera: str, *, https: bool) -> list[tuple[str, str]]:
    """Put together once what stands on every answer whose view says nothing else."""
    headers = {
        "Content-Security-Policy": _join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": f"camera={camera}, {FEATURES}",
        "Cache-Control": "no-store",
    }
    return [*headers.items(), *([("Strict-Transport-Security", "max-age=63072000")] if https else [])]


def _join(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in policy.items())
