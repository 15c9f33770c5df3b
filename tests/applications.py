"""A second application in the process of the tests, made and put away so that the others notice nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from config import Config
from loyalty.app import connect, create_app
from loyalty.database import db
from loyalty.web.limits import limiter


@contextmanager
def another_app(other: Config, config: Config) -> Iterator[Flask]:
    """Make an application of another configuration; afterwards the process holds again what `config` says."""
    made = create_app(other)
    try:
        yield made
    finally:
        # One limiter serves all applications of a process; whether it lost its Valkey it would remember.
        limiter.enabled = limiter._storage_dead = False
        connect(config)
        with made.app_context():
            db.session.remove()
            db.engine.dispose()
