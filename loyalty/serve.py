"""Everything in one command: servers, migrations, demo, web server, worker and clock (`python -m loyalty.serve`)."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from flask import Flask
from flask_migrate import upgrade

from config import ROOT, Config, ConfigError, data_directory, environment, is_embedded, make_secrets
from config_apple import DEV_FOLDER
from loyalty import demo
from loyalty.app import create_app
from loyalty.embedded import EmbeddedError, has_data, published, servers
from loyalty.embedded.children import end, spawn
from loyalty.jobs import sweep
from loyalty.wallets.dev_certificates import make_dev_certificates

MINUTE = 60.0
PATIENCE = 180.0
TICK = 0.5
DEMO_CARDS = 20


class CannotStart(Exception):
    """Something outside is in the way; the text is one line."""


def main() -> int:
    """Run until Ctrl-C; 0 after that, 2 where it cannot start."""
    if len(sys.argv) > 1:
        print(f"{__doc__} It takes no arguments; PORT and DATA_DIR move it.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with contextlib.ExitStack() as stack:
            _run(stack)
    except KeyboardInterrupt:
        print("\nEverything has ended.")
        return 0
    except (ConfigError, EmbeddedError, CannotStart) as error:
        print(error, file=sys.stderr)
        return 2
    return 1


def _run(stack: contextlib.ExitStack) -> None:
    env = environment()
    data = data_directory(env)
    stack.enter_context(_alone(data))
    if is_embedded(env):
        make_secrets(data, env, has_data=has_data(data))
        # Taken only where no others are named and nobody but this machine is served.
        make_dev_certificates(data / DEV_FOLDER, datetime.now(UTC))
        running = stack.enter_context(servers(data, durable=True, env=env))
        if (data / "pg").is_symlink():
            print(f"PostgreSQL cannot work as root below {data}, so its files are in {(data / 'pg').resolve()}.")
        stack.enter_context(published(data, running, port=env.get("PORT", "")))
    config = Config.from_env(env)
    # A proxy on this machine is the only way in, or its X-Forwarded-For could be made up by anybody.
    host = "127.0.0.1" if config.loopback or config.trusted_proxies else ""
    _check_port(host, config.port)
    app = create_app(config)
    _migrate(app, config)
    logs = data / "log"
    logs.mkdir(parents=True, exist_ok=True)
    children = {
        "web server": _start(stack, _gunicorn(host, config.port), logs / "web.log"),
        "worker": _start(stack, [sys.executable, "-m", "flask", "--app", "wsgi", "worker"], logs / "worker.log"),
    }
    # A shop's own database gets no invented customers. The children load meanwhile.
    shown = _demo(app) if config.embedded else ""
    _await_web(config.port, children["web server"], logs / "web.log")
    print(f"{shown}\nRunning at {config.public_url}; logs in {logs}; Ctrl-C ends everything.", flush=True)
    _keep_time(app, children, logs)


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the data folder: two starts on the same files would fight over them."""
    folder = data / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(f"It already runs with {data}: stop that one, or set DATA_DIR and PORT.") from None
        yield


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise CannotStart(f"Port {port} is taken: stop what uses it, or start with PORT={port + 1}.") from None


def _migrate(app: Flask, config: Config) -> None:
    if config.database_owner_url is None:
        print("DATABASE_OWNER_URL is not set, so migrations are left to you: flask --app wsgi db upgrade")
        return
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))


def _demo(app: Flask) -> str:
    with app.app_context():
        config: Config = app.config["CONFIG"]
        return demo.describe(demo.seed(config, size=DEMO_CARDS), config.public_url)


def _gunicorn(host: str, port: int) -> list[str]:
    return [sys.executable, "-m", "gunicorn", f"--bind={host}:{port}", "wsgi:app"]


def _start(stack: contextlib.ExitStack, args: list[str], log: Path) -> "subprocess.Popen[bytes]":
    child = spawn(args, stop="TERM", log=log, cwd=ROOT, env=dict(os.environ))
    stack.callback(end, child)
    return child


def _await_web(port: int, web: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while web.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return
        time.sleep(0.05)
    raise CannotStart(f"The web server did not start; the reason stands in {log}.")


def _keep_time(app: Flask, children: dict[str, "subprocess.Popen[bytes]"], logs: Path) -> None:
    """Be the minute clock, and notice when a child ends."""
    due, ringing = time.monotonic(), threading.Thread()
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                raise CannotStart(f"The {name} has ended by itself; the reason stands in {logs}.")
        if time.monotonic() >= due:
            due += MINUTE
            # A sweep that goes on for longer is the clock meanwhile.
            if not ringing.is_alive():
                ringing = threading.Thread(target=_sweep, args=(app,), daemon=True)
                ringing.start()
        time.sleep(TICK)


def _sweep(app: Flask) -> None:
    try:
        with app.app_context():
            sweep.run(datetime.now(UTC))
    except Exception:
        # The clock goes on: the next minute does what this one could not.
        app.logger.exception("the sweep failed")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
