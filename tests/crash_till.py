"""A till that talks to a web server which may die at any moment, and asks again with the same key until it knows."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from config import ROOT, Config
from tests.factories import Shop

PATIENCE = 60.0


@contextmanager
def web_server(
    config: Config, folder: Path, served: str = "tests.crash_app:application", **env: str
) -> Iterator[tuple[str, int]]:
    """Run gunicorn with two workers on the tests' database; the socket is ours, so that no connection is refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening, (folder / "web.log").open("wb") as log:
        host, port = listening.getsockname()[:2]
        settings = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": config.secret_key,
            "PIN_PEPPER": config.pin_pepper.decode(),
            "PUBLIC_URL": f"http://{host}:{port}",
            "DATA_DIR": str(folder),
            "RATE_LIMITS": "off",
            **env,
        }
        command = [sys.executable, "-m", "gunicorn", f"--bind=fd://{listening.fileno()}", served]
        web = subprocess.Popen(
            command, env=settings, cwd=ROOT, pass_fds=[listening.fileno()], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield host, port
        finally:
            web.send_signal(signal.SIGTERM)
            web.wait(timeout=PATIENCE)


@dataclass
class Till:
    """A tablet's browser over a real connection, which it makes anew whenever it breaks."""

    address: tuple[str, int]
    token: str
    htmx: bool = True
    session: str = ""
    csrf_token: str = ""

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(*self.address, timeout=PATIENCE)

    def open(self) -> "Till":
        """Load the page, for its session and its CSRF token."""
        page = self.ask("GET", "/terminal")
        assert page is not None
        found = re.search(r'name="csrf_token" value="([^"]*)"', page)
        assert found, page[:300]
        self.csrf_token = unescape(found[1])
        return self

    def post(self, path: str, key: str, crash_at: int = 0, cut: bool = False, **fields: Any) -> str | None:
        """Send a form once; None where no answer came."""
        body = urlencode({"csrf_token": self.csrf_token, "key": key, **fields})
        return self.ask("POST", path, body, crash_at, cut)

    def post_until_known(self, path: str, key: str, **fields: Any) -> str:
        """Send a form with one key until an answer comes."""
        for _ in range(20):
            if (answer := self.post(path, key, **fields)) is not None:
                return answer
        raise AssertionError(f"no answer to {path}")

    def ask(self, method: str, path: str, body: str = "", crash_at: int = 0, cut: bool = False) -> str | None:
        """Send a request once; `cut` hangs up before the answer is there."""
        headers = {"Cookie": f"terminal={self.token}; session={self.session}"}
        if self.htmx:
            headers["HX-Request"] = "true"
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if crash_at:
            headers["X-Crash-At"] = str(crash_at)
        try:
            self.connection.request(method, path, body.encode(), headers)
            if cut:
                raise ConnectionAbortedError
            response = self.connection.getresponse()
            text = response.read().decode()
        except (HTTPException, OSError):
            self.connection.close()
            return None
        for cookie in response.headers.get_all("Set-Cookie") or []:
            if cookie.startswith("session="):
                self.session = cookie.partition("=")[2].partition(";")[0]
        if response.status >= 500 or (response.status == 409 and "in progress" in text):
            return None
        assert response.status in (200, 303), (response.status, text[:500])
        return text


def open_till(address: tuple[str, int], shop: Shop, *, htmx: bool = True) -> Till:
    """Open the shop's tablet; without htmx forms are answered by a redirection, and no screen is drawn."""
    return Till(address, shop.terminal_token, htmx).open()


def title_of(page: str) -> str:
    """Return the heading of a screen, in plain text."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    assert found, page[:400]
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip()
