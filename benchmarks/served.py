"""The application and, beside it, the least that the same server and the same framework can answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from benchmarks.load import HELLO
from wsgi import app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

least = Flask("least", static_folder=None)


@least.get(HELLO)
def hello() -> str:
    """Say hello."""
    return "hello"


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer by one or the other."""
    return (least if environ["PATH_INFO"] == HELLO else app)(environ, start_response)
