"""Static files under an address that holds a hash of the whole folder: one year in every cache, never stale.

One hash for all of them keeps relative imports between scripts right.
"""

import hashlib
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

ROOT = Path(__file__).resolve().parent.parent.parent / "static"


def init(app: Flask) -> None:
    """Serve the folder `static` and give templates `asset(name)`."""
    prefix = f"static/{tree_hash(ROOT)}/"
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign] # Flask's way
        app.wsgi_app,
        root=str(ROOT),
        prefix=prefix,
        max_age=31_536_000,
        immutable_file_test=lambda path, url: True,
        add_headers_function=_headers,
    )
    app.jinja_env.globals["asset"] = lambda name: f"/{prefix}{name}"


def tree_hash(root: Path) -> str:
    """Return ten hex digits over names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


def _headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
