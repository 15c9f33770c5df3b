"""The load: a web server as in production, and tablets that stamp through real HTTP on loopback."""

import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID

from benchmarks.shop import Tablet
from config import ROOT
from loyalty.embedded.children import end, spawn

WORKERS, THREADS = 2, 4
SERVED = ["--worker-class=gthread", f"--workers={WORKERS}", f"--threads={THREADS}", "--keep-alive=15"]
CLIENTS = 8
HELLO = "/benchmark/hello"
STARTS_WITHIN = 60.0
ANSWERS_WITHIN = 30.0


class Wire:
    """An open connection to the server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWERS_WITHIN)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> int:
        """Send one request and read the whole answer; return its status."""
        self.socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        top, _, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", top)
        left = int(length[1]) - len(rest) if length else 0
        while left > 0:
            left -= len(self._receive())
        return int(top.split(b" ", 2)[1])

    def _receive(self) -> bytes:
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        return chunk


@dataclass
class Connection:
    """One tablet's connection: its cookies, its token, and an open socket."""

    port: int
    tablet: Tablet
    cookies: str
    csrf_token: str

    def __post_init__(self) -> None:
        self.wire = Wire(self.port)

    def stamp(self, card: UUID, *, with_pin: bool = False) -> None:
        """Stamp a card as htmx does; raise unless the answer is the fragment that says so."""
        body = f"csrf_token={self.csrf_token}&key={secrets.token_urlsafe(18)}&quantity=1"
        if with_pin:
            body += f"&staff_pin={self.tablet.pin}&staff_pin_id={self.tablet.staff_pin_id}"
        status = self.ask("POST", f"/terminal/cards/{card}/stamps", body)
        if status != 200:
            raise RuntimeError(f"a stamp was answered with {status}")

    def ask(self, method: str, path: str, body: str = "") -> int:
        """Send one request on the open connection and read the whole answer; return its status."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookies}\r\n"
        head += "HX-Request: true\r\nSec-Fetch-Site: same-origin\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        return self.wire.ask((head + body).encode())


@contextmanager
def web_server(env: dict[str, str], port: int, log: Path, served: str = "wsgi:app") -> Iterator[None]:
    """Run gunicorn with the application while the block lasts."""
    command = [sys.executable, "-m", "gunicorn", "--preload", "--no-control-socket", "--log-level=warning"]
    child = spawn([*command, *SERVED, f"--bind=127.0.0.1:{port}", served], stop="TERM", log=log, cwd=ROOT, env=env)
    try:
        _await(child, port, log)
        yield
    finally:
        end(child)


def connect(port: int, tablet: Tablet) -> Connection:
    """Open a tablet's page for its session and its token, and keep a connection for its stamps."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/terminal", headers={"Cookie": f"terminal={tablet.token}"})
    with urllib.request.urlopen(asked, timeout=ANSWERS_WITHIN) as page:
        session = re.search(r"session=([^;]+)", page.headers.get("Set-Cookie", ""))
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    if session is None or token is None:
        raise RuntimeError("the tablet's page holds no form")
    return Connection(port, tablet, f"terminal={tablet.token}; session={session[1]}", token[1])


def closed_loop(
    port: int, tablets: list[Tablet], cards: list[UUID], seconds: float, *, with_pin: bool = False
) -> float:
    """Let each tablet stamp again as soon as it has its answer; return stamps per second."""
    counts = [0] * len(tablets)
    connections = [connect(port, tablet) for tablet in tablets]
    began = time.perf_counter()

    def work(place: int) -> None:
        chance = Random(secrets.randbits(64))
        while time.perf_counter() - began < seconds:
            connections[place].stamp(chance.choice(cards), with_pin=with_pin)
            counts[place] += 1

    all_at_once(work, len(tablets))
    return sum(counts) / (time.perf_counter() - began)


def ask_all(port: int, requests: list[bytes], status: int, seconds: float) -> float:
    """Let clients send these requests, each again as soon as it has its answer; return answers per second."""
    counts, wires = [0] * CLIENTS, [Wire(port) for _ in range(CLIENTS)]
    began = time.perf_counter()

    def work(place: int) -> None:
        while time.perf_counter() - began < seconds:
            found = wires[place].ask(requests[(place + CLIENTS * counts[place]) % len(requests)])
            if found != status:
                raise RuntimeError(f"{found} instead of {status}")
            counts[place] += 1

    all_at_once(work, CLIENTS)
    return sum(counts) / (time.perf_counter() - began)


def open_loop(port: int, tablets: list[Tablet], cards: list[UUID], rate: float, seconds: float) -> list[float]:
    """Send stamps at fixed moments whatever the server does; return how long each took from its moment on."""
    connections = [connect(port, tablet) for tablet in tablets]
    moments = iter(range(int(rate * seconds)))
    lock, latencies = threading.Lock(), [0.0] * int(rate * seconds)
    began = time.perf_counter() + 0.1

    def work(place: int) -> None:
        chance = Random(secrets.randbits(64))
        while True:
            with lock:
                number = next(moments, None)
            if number is None:
                return
            due = began + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connections[place].stamp(chance.choice(cards))
            latencies[number] = time.perf_counter() - due

    all_at_once(work, len(tablets))
    return sorted(latencies)


def all_at_once(work: Callable[[int], None], number: int) -> None:
    """Do something in so many threads; raise the first failure."""
    failures: list[BaseException] = []

    def guarded(place: int) -> None:
        try:
            work(place)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _await(child: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while child.poll() is None and time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the web server did not start: {log.read_text(encoding='utf-8')[-800:]}")
