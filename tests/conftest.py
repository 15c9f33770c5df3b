"""What every test may ask for: real servers, a migrated database of its own, the application, and a live address."""

import gc
import os
import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from werkzeug.serving import make_server

from config import ROOT, Config
from loyalty import queue
from loyalty.app import create_app
from loyalty.database import db
from loyalty.domain import passwords, pins
from loyalty.embedded import servers
from tests import snapshots
from tests.factories import NO_PASSWORD

# Set all three to run the tests on servers of your own; the owner must be allowed to make databases and to set
# session_replication_role (a superuser is).
APP, OWNER, REDIS = "TEST_DATABASE_URL", "TEST_DATABASE_OWNER_URL", "TEST_REDIS_URL"
TEMPLATE = "LOYALTY_TEST_TEMPLATE"


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that hands out the tests, so that all workers share them."""
    # The workers and many tests start processes: each would translate all modules anew where nobody keeps them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput") and config.getoption("numprocesses", None):
        stack = ExitStack()
        config.add_cleanup(stack.close)
        _prepare(stack)


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of every search for garbage."""
    gc.freeze()


def _prepare(stack: ExitStack) -> None:
    """Start what the environment does not name, and migrate the database that all others are copied from."""
    if not all(name in os.environ for name in (APP, OWNER, REDIS)):
        running = stack.enter_context(servers(None, durable=False, env=os.environ))
        found = {APP: running.database_url, OWNER: running.database_owner_url, REDIS: running.redis_url}
        os.environ.update(found)
        stack.callback(lambda: [os.environ.pop(name, None) for name in found])
    template = stack.enter_context(_database("template0"))
    os.environ[TEMPLATE] = template
    stack.callback(os.environ.pop, TEMPLATE, None)
    app = create_app(_config(template, "http://localhost", Path(os.devnull), redis_number=0))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        db.engine.dispose()


@contextmanager
def _database(template: str) -> Iterator[str]:
    """Make a database from a template, and drop it at the end."""
    engine = sa.create_engine(os.environ[OWNER], isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"loyalty_test_{uuid.uuid4().hex[:10]}"
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield name
    # A thread that still answers holds a connection; embedded servers go anyway.
    with suppress(sa.exc.DBAPIError), engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))


def _config(database: str, public_url: str, data_dir: Path, *, redis_number: int) -> Config:
    def inside(url: str) -> str:
        return sa.make_url(url).set(database=database).render_as_string(hide_password=False)

    address = os.environ[REDIS]
    return Config(
        secret_key="a-key-for-tests-that-is-long-enough",
        pin_pepper=b"a-pepper-for-tests-of-more-than-32-bytes",
        database_url=inside(os.environ[APP]),
        database_owner_url=inside(os.environ[OWNER]),
        redis_url=_numbered(address, redis_number),
        public_url=public_url,
        data_dir=data_dir,
        rate_limits=False,
    )


def _numbered(address: str, number: int) -> str:
    """Return Valkey's address with a database of its own for each worker."""
    if address.startswith("unix:"):
        return address.replace("db=0", f"db={number}")
    return f"{address.rstrip('/').removesuffix('/0')}/{number}"


@pytest.fixture(scope="session")
def listening() -> Iterator[socket.socket]:
    """A socket on loopback, bound before the configuration so that PUBLIC_URL can name its port."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture(scope="session")
def config(listening: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """The configuration of this worker: its own database, Valkey database, data folder and port."""
    with ExitStack() as stack:
        if TEMPLATE not in os.environ:
            _prepare(stack)
        database = stack.enter_context(_database(os.environ[TEMPLATE]))
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        public_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield _config(database, public_url, tmp_path_factory.mktemp("data"), redis_number=worker + 1)


@pytest.fixture
def apart(config: Config, tmp_path: Path) -> Iterator[Config]:
    """A configuration with an empty database and a data folder of its own, for what turns a whole one around."""
    with _database("template0") as database:
        number = int(config.redis_url.rpartition("=" if "db=" in config.redis_url else "/")[2])
        yield _config(database, config.public_url, tmp_path / "apart", redis_number=number)


@pytest.fixture(scope="session")
def app(config: Config) -> Iterator[Flask]:
    """The application."""
    # A ring may cost a request no time. Here it is heard, however busy the machine is.
    queue._CONNECT_SECONDS = queue._ANSWER_SECONDS = 2
    app = create_app(config)
    app.testing = True
    with app.app_context():
        pool = db.engine.pool
        assert isinstance(pool, sa.QueuePool)
        # Forty threads at once may wait for a connection as long as a busy machine needs.
        pool._timeout = 60
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def owner_engine(config: Config) -> Iterator[sa.Engine]:
    """The database as its owner sees it, for what the application is not allowed to do."""
    assert config.database_owner_url is not None
    engine = sa.create_engine(config.database_owner_url, connect_args={"options": "-c lock_timeout=60000"})
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def valkey(config: Config) -> Iterator["redis.Redis"]:
    """This worker's Valkey database."""
    with redis.from_url(config.redis_url) as connection:
        yield connection


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> None:
    """Start every test that meets the application with an empty database and an empty Valkey."""
    if "app" not in request.fixturenames:
        return
    snapshots.empty(request.getfixturevalue("owner_engine"))
    request.getfixturevalue("valkey").flushdb()


@pytest.fixture(autouse=True)
def _quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash at the lowest cost wherever people sign in; what bcrypt costs is tested where passwords and PINs are."""
    if "app" in request.fixturenames:
        monkeypatch.setattr(pins, "COST", 4)
        monkeypatch.setattr(passwords, "ROUNDS", 4)
        monkeypatch.setattr(passwords, "_NOBODY", NO_PASSWORD.encode())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript. Do not combine it with `context`: Flask-Login keeps the user on `g`."""
    return app.test_client()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests that call services."""
    with app.app_context():
        yield


@pytest.fixture(scope="session")
def live(app: Flask, config: Config, listening: socket.socket) -> Iterator[str]:
    """The application behind a real threaded HTTP server; the value is its address."""
    host, port = listening.getsockname()[:2]
    server = make_server(host, port, app, threaded=True, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield config.public_url
    server.shutdown()
    thread.join()
