"""The application as gunicorn runs it, for tests that kill it: a request may name the point at which its worker dies.

Points are before every statement, before and after every commit, and before the answer is sent.
"""

import os
import signal
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import Config
from loyalty.app import create_app
from loyalty.services import idempotency

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

app = create_app(Config.from_env())
here = threading.local()


def point(*_: object) -> None:
    """Die here, if this is the point that the request named; no handler runs and nothing is closed."""
    here.left = getattr(here, "left", 0) - 1
    if here.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer a request, or die on the way."""
    here.left = int(environ.get("HTTP_X_CRASH_AT", 0))
    answer = app(environ, start_response)
    point()
    return answer


event.listen(Engine, "before_cursor_execute", point)
event.listen(Engine, "commit", point)
event.listen(Session, "after_commit", point)
if os.environ.get("WITHOUT_KEYS"):
    # The negative control: a server that remembers no answer.
    idempotency.store = lambda *_, **__: None
